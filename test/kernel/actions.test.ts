/** Each action does what seccomp(2) says, wherever in the process the call is made. */
import t, { type Test } from 'tap'
import { runVictim, UNPRIVILEGED, type Outcome } from '../helpers/victim'

type Thread = 'main' | 'pool' | 'worker'

/** Locks down with one rule on getppid(2), then makes that call on the given thread. */
const victim = (action: string, thread: Thread): string => `
  const { lockdown, allow, errno, kill, killThread, trap, trace, log, notify } = require('seccomp-ts')
  const attacker = require('./attacker.node')
  const { Worker, isMainThread, parentPort } = require('node:worker_threads')
  const GETPPID = process.arch === 'x64' ? 110 : 173
  if (!isMainThread) parentPort.postMessage(attacker.syscall(GETPPID))
  else {
    const call = {
      main: async () => attacker.syscall(GETPPID),
      pool: () => attacker.syscallOnPool(GETPPID),
      worker: () => new Promise((resolve, reject) =>
        new Worker(__filename).once('message', resolve).once('error', reject)),
    }['${thread}']
    lockdown({ default: allow, syscalls: { getppid: ${action} } })
    call().then((result) => {
      console.log(JSON.stringify({ result, parent: process.ppid }))
      process.exit(0)
    })
    // A thread that the kernel killed never answers.
    setTimeout(() => { console.log(JSON.stringify({ result: 'no answer' })); process.exit(0) }, 2000)
  }`

interface Answer {
  result: number | string
}

const answers = (expected: number) => (t: Test, outcome: Outcome) => {
  t.equal(outcome.json<Answer>().result, expected, outcome.stderr)
}
const runs = (t: Test, outcome: Outcome): void => {
  t.ok((outcome.json<Answer>().result as number) > 0, outcome.stderr)
}
const diesOfSigsys = (t: Test, outcome: Outcome): void => {
  t.equal(outcome.signal, 'SIGSYS', outcome.stderr)
}

const ENOSYS = -38

/** seccomp(2), SECCOMP_RET_*. */
const table: Record<string, (t: Test, outcome: Outcome, thread: Thread) => void> = {
  allow: runs,
  "errno('EACCES')": answers(-13),
  'errno(4094)': answers(-4094),
  'errno(0)': answers(0),
  kill: diesOfSigsys,
  // No tracer, no listener: "the system call is not executed … ENOSYS".
  'trace(7)': answers(ENOSYS),
  notify: answers(ENOSYS),
  log: runs,
  // No handler: SIGSYS ends the process.
  trap: diesOfSigsys,
  killThread(t, outcome, thread) {
    // The main thread is the thread group leader: what remains of the process never answers.
    if (thread === 'main') t.not(outcome.code, 0, outcome.stdout)
    else t.equal(outcome.json<Answer>().result, 'no answer', outcome.stderr)
  },
}

for (const [user, uid] of [
  ['root', undefined],
  ['an unprivileged user', UNPRIVILEGED],
] as const) {
  for (const [action, check] of Object.entries(table)) {
    for (const thread of ['main', 'pool', 'worker'] as const) {
      t.test(`${action} on the ${thread} thread, as ${user}`, async (t) => {
        const outcome = await runVictim({
          source: victim(action, thread),
          timeout: 8000,
          ...(uid === undefined ? {} : { uid }),
        })
        check(t, outcome, thread)
      })
    }
  }
}
