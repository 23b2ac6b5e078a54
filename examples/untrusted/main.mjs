/**
 * Runs JavaScript nobody trusts in a process of its own:
 *
 *     node examples/untrusted/main.mjs 'return 6 * 7'
 *
 * What the kernel holds the child to: no files, no network, no programs, no other process. What
 * nothing here holds it to is the rest of its own process, so each run gets a new one.
 */
import { errno, fork, webServer } from 'seccomp-ts'

const denied = errno('EACCES')

/** Enough to load the runner and exchange messages. The runner tightens it once it is loaded. */
const policy = {
  ...webServer,
  name: 'runner',
  syscalls: { ...webServer.syscalls, socket: denied, connect: denied, bind: denied },
}

/** No answer may be longer: it is read into this process. */
const LONGEST = 1_000_000

/** @returns {Promise<unknown>} what the code returned; rejects with what it threw */
export function runUntrusted(code, { milliseconds = 2000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./runner.mjs', import.meta.url), {
      policy,
      // Secrets in the environment would be within its reach.
      env: {},
      execArgv: ['--max-old-space-size=64'],
      // The answer comes through a plain pipe. Node's own channel is closed before the code runs:
      // who writes to it what Node does not expect can crash the parent.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'],
    })
    // A filter does not stop a loop.
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds)
    let answer = ''
    child.stdio[4].setEncoding('utf8').on('data', (text) => {
      answer += text
      if (answer.length > LONGEST) child.kill('SIGKILL')
    })
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer)
      try {
        const { value, error } = JSON.parse(answer)
        if (error === undefined) resolve(value)
        else reject(new Error(String(error)))
      } catch {
        reject(new Error(`ended without an answer: ${signal ?? exitCode}`))
      }
    })
    child.once('error', reject)
    child.send(code)
  })
}

const code =
  process.argv[2] ??
  `const attempts = {}
   const attempt = async (name, run) => {
     try { attempts[name] = String(await run()) } catch (error) { attempts[name] = error.code ?? error.message }
   }
   const fs = await import('node:fs')
   await attempt('compute', () => 6 * 7)
   await attempt('read a file', () => fs.readFileSync('/etc/passwd'))
   await attempt('look at a file', () => fs.statSync('/etc/passwd'))
   await attempt('write a file', () => fs.writeFileSync('/tmp/x', 'x'))
   await attempt('connect', async () => fetch('http://127.0.0.1:8080').catch((error) => { throw error.cause }))
   await attempt('start a program', async () => (await import('node:child_process')).execFileSync('/bin/true'))
   await attempt('signal the parent', () => process.kill(process.ppid))
   return attempts`

console.log(await runUntrusted(code))
