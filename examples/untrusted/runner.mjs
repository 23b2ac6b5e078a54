// The child of main.mjs. By now it is under the parent's policy; everything it needs is loaded, so
// files go out of reach too, and only then does it hear what to run.
import { errno, lockdown, webServer } from 'seccomp-ts'

// Loaded here because nothing can be loaded later.
import 'node:child_process'
import 'node:fs'

const denied = errno('EACCES')
lockdown({
  ...webServer,
  name: 'no files',
  syscalls: { ...webServer.syscalls, open: denied, openat: denied },
})

const AsyncFunction = async function () {}.constructor

process.once('message', async (code) => {
  try {
    process.send({ value: await new AsyncFunction(code)() })
  } catch (error) {
    process.send({ error: String(error) })
  }
})
