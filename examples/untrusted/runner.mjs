// The child of main.mjs. By now it is under the parent's policy; everything it needs is loaded, so
// files go out of reach too, and only then does it hear what to run.
import { errno, lockdown, webServer } from 'seccomp-ts'

// Loaded here because nothing can be loaded later.
import 'node:child_process'
import fs from 'node:fs'

const denied = errno('EACCES')
const files = [
  ...['open', 'openat', 'stat', 'lstat', 'newfstatat', 'statx', 'statfs', 'access', 'faccessat'],
  ...['faccessat2', 'readlink', 'readlinkat'],
]
lockdown({
  ...webServer,
  name: 'no files',
  syscalls: {
    ...webServer.syscalls,
    ...Object.fromEntries(files.map((name) => [name, denied])),
  },
})

const AsyncFunction = async function () {}.constructor

async function run(code) {
  process.disconnect()
  let answer
  try {
    answer = { value: await new AsyncFunction(code)() }
  } catch (error) {
    answer = { error: String(error) }
  }
  fs.writeSync(4, JSON.stringify(answer))
  process.exit(0)
}

// Node is still busy with the channel while it delivers a message.
process.once('message', (code) => setImmediate(run, code))
