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

/** @returns {Promise<unknown>} what the code returned; rejects with what it threw */
export function runUntrusted(code, { milliseconds = 2000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./runner.mjs', import.meta.url), {
      policy,
      // Secrets in the environment would be within its reach.
      env: {},
      execArgv: ['--max-old-space-size=64'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    // A filter does not stop a loop.
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds)
    child.once('message', ({ value, error }) => {
      child.kill('SIGKILL')
      if (error === undefined) resolve(value)
      else reject(new Error(error))
    })
    child.once('exit', (exitCode, signal) => {
      clearTimeout(timer)
      reject(new Error(`ended without an answer: ${signal ?? exitCode}`))
    })
    child.send(code)
  })
}

const code =
  process.argv[2] ??
  `const attempts = {}
   const attempt = async (name, run) => {
     try { attempts[name] = String(await run()) } catch (error) { attempts[name] = error.code ?? error.message }
   }
   await attempt('compute', () => 6 * 7)
   await attempt('read a file', async () => (await import('node:fs')).readFileSync('/etc/passwd'))
   await attempt('write a file', async () => (await import('node:fs')).writeFileSync('/tmp/x', 'x'))
   await attempt('connect', async () => fetch('http://127.0.0.1:8080').catch((error) => { throw error.cause }))
   await attempt('start a program', async () => (await import('node:child_process')).execFileSync('/bin/true'))
   await attempt('signal the parent', async () => process.kill(process.ppid))
   return attempts`

console.log(await runUntrusted(code))
