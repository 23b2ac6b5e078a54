/** Every thread, or nothing. */
import t from 'tap'
import { nodes, runVictim, UNPRIVILEGED } from '../helpers/victim'

interface State {
  tid: number
  name: string
  mode: string
  filters: number
  noNewPrivs: boolean
}

const GETPPID = process.arch === 'x64' ? 110 : 173

const preludeSource = `
  const { lockdown, status, allow, errno, kill, log } = require('seccomp-ts')
  const attacker = require('./attacker.node')
  const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
  const fs = require('node:fs')
  const GETPPID = ${GETPPID}
  const denied = { default: allow, syscalls: { getppid: errno('EACCES') } }
`

for (const [major, node] of nodes()) {
  for (const uid of [undefined, UNPRIVILEGED]) {
    // Another Node may live where only root can read.
    if (uid !== undefined && node !== process.execPath) continue
    t.test(
      `Node ${major}: threads that ran before are under it${uid === undefined ? '' : ', unprivileged'}`,
      async (t) => {
        const outcome = await runVictim({
          node,
          ...(uid === undefined ? {} : { uid }),
          source: `${preludeSource}
          if (!isMainThread) {
            parentPort.on('message', () => parentPort.postMessage(attacker.syscall(GETPPID)))
            parentPort.postMessage('ready')
          } else {
            const worker = new Worker(__filename)
            worker.once('message', async () => {
              // The pool exists before the filter does.
              await fs.promises.readFile(__filename)
              const result = lockdown(denied)
              const fromWorker = new Promise((resolve) => worker.once('message', resolve))
              worker.postMessage('go')
              console.log(JSON.stringify({
                main: attacker.syscall(GETPPID),
                pool: await Promise.all([1, 2, 3, 4].map(() => attacker.syscallOnPool(GETPPID))),
                worker: await fromWorker,
                threads: result.threads,
                tasks: fs.readdirSync('/proc/self/task').length,
                enforced: result.enforced,
              }))
              process.exit(0)
            })
          }`,
        })
        const answer = outcome.json<{
          main: number
          pool: number[]
          worker: number
          threads: State[]
          tasks: number
          enforced: boolean
        }>()
        t.equal(answer.main, -13)
        t.same(answer.pool, [-13, -13, -13, -13])
        t.equal(answer.worker, -13)
        t.equal(answer.enforced, true)
        t.ok(answer.threads.length >= answer.tasks - 1, 'the census saw every thread')
        for (const thread of answer.threads) {
          t.match(thread, { mode: 'filter', noNewPrivs: true }, `${thread.name} ${thread.tid}`)
          t.ok(thread.filters >= 1)
        }
      },
    )
  }
}

t.test(
  'a Worker that put itself under a filter of its own is named, and nothing is installed',
  async (t) => {
    const outcome = await runVictim({
      source: `${preludeSource}
      if (!isMainThread) {
        attacker.diverge()
        parentPort.postMessage(attacker.syscall(${process.arch === 'x64' ? 186 : 178}))
        setInterval(() => {}, 1000)
      } else {
        new Worker(__filename).once('message', (tid) => {
          try { lockdown(denied); console.log('{}') } catch (error) {
            const { code, installed, threads, message } = error
            const ppid = attacker.syscall(GETPPID)
            console.log(JSON.stringify({ tid, code, installed, threads, message, ppid,
              noNewPrivs: /NoNewPrivs:\\t1/.test(fs.readFileSync('/proc/self/status', 'utf8')) }))
          }
          process.exit(0)
        })
      }`,
    })
    const answer = outcome.json<{
      tid: number
      code: string
      installed: boolean
      threads: State[]
      message: string
      ppid: number
      noNewPrivs: boolean
    }>()
    t.equal(answer.code, 'ERR_THREAD_SYNC')
    t.equal(answer.installed, false)
    t.equal(answer.threads[0]?.tid, answer.tid)
    t.match(answer.message, String(answer.tid))
    t.ok(answer.ppid > 0, 'getppid still runs')
    t.equal(answer.noNewPrivs, false, 'not even no_new_privs was changed')
  },
)

t.test(
  'diverged threads that only the kernel can tell apart: the positive TSYNC result is a failure',
  async (t) => {
    // Both sides have one filter, so counting them says nothing.
    const outcome = await runVictim({
      source: `${preludeSource}
      if (!isMainThread) {
        attacker.diverge()
        parentPort.postMessage(attacker.syscall(${process.arch === 'x64' ? 186 : 178}))
        setInterval(() => {}, 1000)
      } else {
        new Worker(__filename).once('message', (tid) => {
          attacker.diverge()
          try { lockdown(denied); console.log('{}') } catch (error) {
            const { code, installed, threads } = error
            console.log(JSON.stringify({ tid, code, installed, threads, ppid: attacker.syscall(GETPPID) }))
          }
          process.exit(0)
        })
      }`,
    })
    const answer = outcome.json<{
      tid: number
      code: string
      installed: boolean
      threads: State[]
      ppid: number
    }>()
    t.equal(answer.code, 'ERR_THREAD_SYNC')
    t.equal(answer.installed, false)
    t.equal(typeof answer.threads[0]?.tid, 'number')
    t.ok(answer.ppid > 0, 'nothing was installed')
  },
)

t.test('a second lockdown tightens, and the first holds', async (t) => {
  const outcome = await runVictim({
    source: `${preludeSource}
      const first = lockdown({ name: 'first', default: allow, syscalls: { getppid: errno('EACCES') } })
      const second = lockdown({ name: 'second', default: allow, syscalls: { getpgrp: errno('ENOENT'), getppid: allow } })
      console.log(JSON.stringify({
        ppid: attacker.syscall(GETPPID),
        policies: second.policies, lockdowns: second.lockdowns,
        more: second.filters - first.filters,
      }))`,
  })
  t.match(outcome.json(), { ppid: -13, policies: ['first', 'second'], lockdowns: 2, more: 1 })
})

t.test('the census works under a policy that denies opening files', async (t) => {
  for (const action of ["errno('EACCES')", 'kill']) {
    const outcome = await runVictim({
      source: `${preludeSource}
        process.stdout.write('')
        const result = lockdown({ default: allow, syscalls: {
          openat: ${action}, open: ${action}, getdents64: ${action}, readlink: ${action} } })
        const again = status()
        process.stdout.write(JSON.stringify({ enforced: result.enforced, threads: result.threads.length,
          modes: [...new Set(result.threads.map((thread) => thread.mode))],
          stale: again.risks.some((risk) => risk.code === 'census-stale') }), () => process.reallyExit(0))`,
    })
    const answer = outcome.json<{ threads: number }>()
    t.match(answer, { enforced: true, modes: ['filter'], stale: true }, action)
    t.ok(answer.threads >= 7, 'every thread was looked at')
  }
})

t.test('a lockdown from a Worker covers the main thread', async (t) => {
  const outcome = await runVictim({
    source: `${preludeSource}
      if (!isMainThread) { lockdown(denied); parentPort.postMessage('done') }
      else new Worker(__filename).once('message', () => {
        console.log(JSON.stringify({ ppid: attacker.syscall(GETPPID), enforced: status().enforced, lockdowns: status().lockdowns }))
      })`,
  })
  t.match(outcome.json(), { ppid: -13, enforced: true, lockdowns: 1 })
})

t.test('status() before any lockdown says so', async (t) => {
  const outcome = await runVictim({
    source: `${preludeSource} console.log(JSON.stringify(status()))`,
  })
  const answer = outcome.json<{ enforced: boolean; lockdowns: number; risks: { code: string }[] }>()
  t.match(answer, { enforced: false, lockdowns: 0 })
  t.ok(answer.risks.some((risk) => risk.code === 'not-enforced'))
})

t.test('what a Worker locked down outlives it, and every thread sees it', async (t) => {
  for (const [openat, stale] of [
    ["errno('EACCES')", true],
    ['allow', false],
  ] as const) {
    const outcome = await runVictim({
      source: `${preludeSource}
        if (!isMainThread) {
          lockdown({ name: 'from a Worker', default: allow, syscalls: { getppid: errno('EACCES'), openat: ${openat} } })
          parentPort.postMessage('done')
        } else new Worker(__filename).once('exit', () => {
          const { enforced, policies, threads, risks } = status()
          process.stdout.write(JSON.stringify({ enforced, policies, threads: threads.length > 0,
            stale: risks.some((risk) => risk.code === 'census-stale') }))
        })`,
    })
    t.same(
      outcome.json(),
      { enforced: true, policies: ['from a Worker'], threads: true, stale },
      openat,
    )
  }
})

t.test('a Worker sees the risks that the main thread accepted', async (t) => {
  const outcome = await runVictim({
    source: `${preludeSource}
      if (isMainThread) {
        lockdown({ name: 'loose', default: allow, syscalls: { getppid: errno('EACCES'), io_uring_enter: allow } })
        new Worker(__filename).once('message', (m) => console.log(JSON.stringify(m)))
      } else parentPort.postMessage({ policies: status().policies, risks: status().risks.map((r) => r.code) })`,
  })
  t.same(outcome.json(), { policies: ['loose'], risks: ['io-uring-enter'] })
})

t.test('threads that end meanwhile are no failure', async (t) => {
  const outcome = await runVictim({
    source: `${preludeSource}
      if (!isMainThread) process.exit(0)
      else {
        const results = []
        const again = () => {
          for (let i = 0; i < 3; i++) new Worker(__filename)
          try { results.push(lockdown(denied).enforced) } catch (error) { results.push(error.code) }
          if (results.length < 20) setTimeout(again, Math.random() * 30)
          else { console.log(JSON.stringify(results)); process.exit(0) }
        }
        again()
      }`,
    timeout: 60_000,
  })
  t.same(new Set(outcome.json<unknown[]>()), new Set([true]))
})

t.test('a census of which files can be read only once', async (t) => {
  const source = (first: string): string => `${preludeSource}
    const deny = (...names) => Object.fromEntries(names.map((name) => [name, errno('EPERM')]))
    const opening = process.arch === 'x64' ? ['open', 'openat'] : ['openat']
    lockdown({ default: allow, syscalls: deny(${first}) })
    try {
      const { threads, enforced } = lockdown({ default: allow, syscalls: deny(...opening) })
      console.log(JSON.stringify({ enforced, filters: threads.map((thread) => thread.filters) }))
    } catch ({ code, installed }) {
      console.log(JSON.stringify({ code, installed }))
    }`
  const again = await runVictim({ source: source("'pread64'") })
  const { enforced, filters } = again.json<{ enforced: boolean; filters: number[] }>()
  t.ok(enforced && filters.length > 1, 'they are read again from the start')
  t.ok(
    filters.every((each) => each === filters[0] && each >= 2),
    'and every thread has both filters',
  )
  const never = await runVictim({ source: source("'pread64', 'lseek'") })
  t.same(never.json(), { code: 'ERR_CENSUS_UNAVAILABLE', installed: true }, 'or it is an error')
})
