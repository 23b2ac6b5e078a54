/**
 * The way round a filter that libuv leaves open (docs/io-uring.md): native code submits an open on
 * libuv's own ring. It must fail to read under every choice but `allow-enter`, and there the status
 * must say so.
 */
import t, { type Test } from 'tap'
import { nodes, runVictim, type Outcome } from '../helpers/victim'

/** Opening files is denied to the process; the ring is asked to do it. */
const escape = (ioUring: string, extra = ''): string => `
  const { lockdown, allow, errno } = require('seccomp-ts')
  const attacker = require('./attacker.node')
  const http = require('node:http')
  const rings = () => require('node:fs').readdirSync('/proc/self/fd').filter((fd) => {
    try { return /io_uring/.test(require('node:fs').readlinkSync('/proc/self/fd/' + fd)) } catch {}
  }).length
  const before = rings()
  ${extra}
  let status
  try {
    status = lockdown(
      { default: allow, syscalls: { open: errno('EPERM'), openat: errno('EPERM'), openat2: errno('EPERM') } },
      { ioUring: '${ioUring}' })
  } catch (error) {
    console.log(JSON.stringify({ before, code: error.code, message: error.message, installed: error.installed }))
    process.exit(0)
  }
  let direct
  try { direct = String(require('node:fs').readFileSync('/etc/hostname')) } catch (error) { direct = error.code }
  const through = attacker.readThroughRing('/etc/hostname')
  const enter = attacker.syscall(426, 0, 0, 0, 0, 0, 0)
  const setup = attacker.syscall(425, 4, Buffer.alloc(120))
  const answer = { before, direct, through, enter, setup, pid: process.pid,
    ioUring: status.ioUring,
    // Opening files is denied here, so status() also says that it cannot look at /proc again.
    risks: status.risks.map((risk) => risk.code).filter((code) => code !== 'census-stale') }
  if (typeof through === 'string') {
    // libuv meets a completion it never asked for and aborts: report before it can.
    require('node:fs').writeSync(1, JSON.stringify(answer))
    process.reallyExit(0)
  }
  const server = http.createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1', () => {
    let served = 0
    const next = () => http.get({ host: '127.0.0.1', port: server.address().port }, (response) => {
      response.resume().on('end', () => {
        if (++served < 50) return next()
        console.log(JSON.stringify({ ...answer, served }))
        server.close()
      })
    })
    next()
  })`

interface Answer {
  before: number
  direct: string
  through: string | number | null
  enter: number
  setup: number
  served?: number
  code?: string
  ioUring: { rings: number; cure: string }
  risks: string[]
}

const ENOSYS = -38
const clean = (t: Test, outcome: Outcome): Answer => {
  t.equal(outcome.timedOut, false, 'no hang')
  t.equal(outcome.code, 0, `${String(outcome.signal)} ${outcome.stderr}`)
  return outcome.json<Answer>()
}

for (const [major, node] of nodes()) {
  const hasRings = Number(major) >= 22

  for (const choice of ['auto', 'retire', 'reexec']) {
    t.test(`Node ${major}, ${choice}: the escape fails and the server serves`, async (t) => {
      const answer = clean(t, await runVictim({ node, source: escape(choice) }))
      t.equal(answer.direct, 'EPERM')
      t.equal(answer.through, null, 'no ring is left to go through')
      t.equal(answer.enter, ENOSYS)
      t.equal(answer.setup, ENOSYS)
      t.equal(answer.served, 50)
      t.same(answer.risks, [])
      t.equal(answer.ioUring.rings, 0)
      if (!hasRings) t.equal(answer.ioUring.cure, 'none')
      else t.equal(answer.ioUring.cure, choice === 'reexec' ? 'reexec' : 'retired')
      t.equal(answer.before, hasRings && choice !== 'reexec' ? 3 : 0)
    })
  }

  if (hasRings) {
    t.test(`Node ${major}, allow-enter: the escape works, and the status says so`, async (t) => {
      const answer = clean(t, await runVictim({ node, source: escape('allow-enter') }))
      t.equal(answer.direct, 'EPERM')
      t.equal(typeof answer.through, 'string', 'read through libuv’s ring')
      t.same(answer.risks, ['io-uring-enter'])
      t.same(answer.ioUring, { rings: 3, cure: 'allowed' })
    })

    t.test(
      `Node ${major}: a ring that is not libuv's is not touched, and the lockdown refused`,
      async (t) => {
        const own = `
        const params = Buffer.alloc(120)
        if (attacker.syscall(425, 4, params) < 0) throw new Error('no ring')`
        const answer = clean(t, await runVictim({ node, source: escape('auto', own) }))
        t.match(answer, { code: 'ERR_IO_URING', installed: false })
      },
    )
  }
}

t.test('Node 20 with UV_USE_IO_URING=1: the ring that does file operations goes too', async (t) => {
  const node = nodes().get('20')
  if (node === undefined) return t.fail('Node 20 is not here')
  const outcome = await runVictim({
    node,
    env: { UV_USE_IO_URING: '1' },
    source: `
      const { lockdown, allow, errno } = require('seccomp-ts')
      const fs = require('node:fs')
      fs.promises.readFile('/etc/hostname').then(() => {
        // The file is closed through the ring as well, after its promise is settled.
        setTimeout(locked, 50)
      })
      const locked = async () => {
        const status = lockdown({ default: allow, syscalls: {
          open: errno('EPERM'), openat: errno('EPERM'), openat2: errno('EPERM') } })
        const read = await fs.promises.readFile('/etc/hostname').then(String, (error) => error.code)
        console.log(JSON.stringify({ read, cure: status.ioUring.cure }))
      }`,
  })
  t.match(outcome.json(), { read: 'EPERM', cure: 'retired' })
})

t.test(
  'reexec keeps the process id and its arguments, and is refused where something would be lost',
  async (t) => {
    const node = nodes().get('24') ?? nodes().get('22')
    if (node === undefined) return t.fail('no Node with rings is here')
    const again = await runVictim({
      node,
      nodeArgs: ['--no-warnings'],
      args: ['one', 'two words'],
      env: { KEEP: 'me' },
      source: `
      require('node:fs').writeSync(2, process.pid + ' ')
      const { lockdown, webServer } = require('seccomp-ts')
      lockdown(webServer, { ioUring: 'reexec' })
      console.log(JSON.stringify({ args: process.argv.slice(2), execArgv: process.execArgv,
        keep: process.env.KEEP, marker: process.env.SECCOMP_TS_REEXEC ?? null }))`,
    })
    t.same(again.json(), {
      args: ['one', 'two words'],
      execArgv: ['--no-warnings'],
      keep: 'me',
      marker: null,
    })
    const [first, second, third] = again.stderr.trim().split(' ')
    t.equal(first, second, 'the same process')
    t.equal(third, undefined, 'started twice, not three times')

    const worker = await runVictim({
      node,
      source: `
      const { lockdown, webServer } = require('seccomp-ts')
      const { Worker, isMainThread, parentPort } = require('node:worker_threads')
      if (isMainThread) new Worker(__filename).once('message', (m) => console.log(JSON.stringify(m)))
      else try { lockdown(webServer, { ioUring: 'reexec' }) } catch (e) { parentPort.postMessage({ code: e.code, installed: e.installed }) }`,
    })
    t.same(worker.json(), { code: 'ERR_REEXEC', installed: false })
  },
)
