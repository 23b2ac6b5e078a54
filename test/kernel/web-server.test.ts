/**
 * `webServer` on every supported Node, in every start-up form: what a web service does works, and
 * what it does not do fails as documented. Exit codes 133 (SIGTRAP), 134 (SIGABRT), 139 (SIGSEGV) and
 * 159 (SIGSYS) and hangs are what a wrong policy does to Node.
 */
import t, { type Test } from 'tap'
import { nodes, runVictim, type Outcome, type Victim } from '../helpers/victim'

/** The same service for CommonJS and ES modules; `load` gives both the same names. */
const service = `
const ok = {}
const step = async (name, run) => {
  try { ok[name] = (await run()) ?? true }
  catch (error) { ok[name] = error.code ?? String(error) }
}
const request = (port, agent) => new Promise((resolve, reject) =>
  http.get({ host: '127.0.0.1', port, agent }, (response) => {
    response.resume().on('end', () => resolve(response.statusCode))
  }).on('error', reject))

const run = async () => {
  const server = http.createServer((_, response) => response.end('ok'))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  const agent = new http.Agent({ keepAlive: true, maxSockets: 10 })
  await step('http', async () => {
    let served = 0
    await Promise.all(Array.from({ length: 10 }, async () => {
      for (let i = 0; i < 30; i++) if (await request(port, i % 5 ? agent : false) === 200) served++
    }))
    return served
  })
  agent.destroy()
  await step('worker', () => new Promise((resolve, reject) => {
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage([1, 2, 3].map((x) => x * 2))', { eval: true })
    worker.once('error', reject).once('message', (m) => worker.terminate().then(() => resolve(m.join())))
  }))
  await step('workers', async () => {
    for (let i = 0; i < 3; i++) await new Worker('setInterval(() => {}, 1e3)', { eval: true }).terminate()
  })
  await step('readFile', async () => (await fs.promises.readFile('/etc/hostname')).length > 0)
  await step('stat', async () => (await fs.promises.stat('/etc')).isDirectory())
  await step('readdir', async () => (await fs.promises.readdir('/etc')).length > 0)
  await step('writeFile', () => fs.promises.writeFile('/tmp/seccomp-ts-must-not-exist', 'x'))
  await step('lookup', async () => (await dns.promises.lookup('localhost')).address.length > 0)
  await step('scrypt', () => new Promise((resolve, reject) => crypto.scrypt('a', 'b', 16, { N: 256 }, (e, k) => e ? reject(e) : resolve(k.length))))
  await step('randomBytes', () => crypto.randomBytes(16).length)
  await step('zlib', () => zlib.gunzipSync(zlib.gzipSync('x')).toString())
  await step('zlibAsync', () => new Promise((resolve, reject) => zlib.gzip(Buffer.alloc(1e5), (e, b) => e ? reject(e) : resolve(b.length > 0))))
  await step('gc', () => { let keep = []; for (let i = 0; i < 200; i++) { keep.push(Array.from({ length: 2e4 }, (_, j) => ({ j }))); if (keep.length > 40) keep = [] } })
  await step('date', () => new Date().toString().length > 0)
  await step('memoryUsage', () => process.memoryUsage().rss > 0)
  await step('interfaces', () => Object.keys(os.networkInterfaces()).length > 0)
  await step('timers', () => new Promise((resolve) => setTimeout(resolve, 5)))
  await step('wasm', () => WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])).then(() => true))
  await step('fetch', async () => (await fetch('http://127.0.0.1:' + port)).status)
  await step('unix', async () => {
    const error = await new Promise((resolve) => net.connect('/nonexistent.sock').once('error', resolve))
    throw error
  })
  await step('udp', () => new Promise((resolve, reject) => {
    const socket = dgram.createSocket('udp4')
    socket.once('error', reject).bind(0, '127.0.0.1', () => socket.close(() => resolve(true)))
  }))
  await step('signal', () => new Promise((resolve) => {
    process.once('SIGUSR2', () => resolve(true))
    process.kill(process.pid, 'SIGUSR2')
  }))
  await step('killOther', () => { process.kill(process.ppid, 0) })
  await step('exec', () => { const r = child.spawnSync('/bin/true'); if (r.error) throw r.error })
  await step('spawn', () => new Promise((resolve, reject) => {
    try { child.spawn('/bin/true').once('error', reject).once('exit', resolve) } catch (error) { reject(error) }
  }))
  await new Promise((resolve) => server.close(resolve))
  process.stdout.write(JSON.stringify(ok) + '\\n')
}
const ending = process.argv[2]
run().then(() => {
  if (ending === 'exit') process.exit(7)
  if (ending === 'throw') setImmediate(() => { throw new Error('uncaught on purpose') })
  if (ending === 'reject') Promise.reject(new Error('rejected on purpose'))
  if (ending === 'abort') process.abort()
})
`
const modules = 'child:child_process crypto dgram dns fs http net os zlib'
  .split(' ')
  .map((name) => name.split(':'))
const cjs =
  modules.map(([name, module = name]) => `const ${name} = require('node:${module}')\n`).join('') +
  `const { Worker } = require('node:worker_threads')\n`
const esm =
  modules.map(([name, module = name]) => `import ${name} from 'node:${module}'\n`).join('') +
  `import { Worker } from 'node:worker_threads'\n`

type Form = 'CommonJS' | 'ES module' | '--import' | '--require'

const forms: Record<Form, Omit<Victim, 'node'>> = {
  CommonJS: {
    source: `const { lockdown, webServer } = require('seccomp-ts'); lockdown(webServer)\n${cjs}${service}`,
  },
  'ES module': {
    extension: 'mjs',
    source: `import { lockdown, webServer } from 'seccomp-ts'\n${esm}lockdown(webServer)\n${service}`,
  },
  '--import': {
    extension: 'mjs',
    source: `${esm}${service}`,
    nodeArgs: ['--import', 'seccomp-ts/register'],
    env: { SECCOMP_TS_POLICY: 'webServer' },
  },
  '--require': {
    source: `${cjs}${service}`,
    nodeArgs: ['-r', 'seccomp-ts/register'],
    env: { SECCOMP_TS_POLICY: 'webServer' },
  },
}

const expected = {
  http: 300,
  worker: '2,4,6',
  workers: true,
  readFile: true,
  stat: true,
  readdir: true,
  writeFile: 'EACCES',
  lookup: true,
  scrypt: 16,
  randomBytes: 16,
  zlib: 'x',
  zlibAsync: true,
  gc: true,
  date: true,
  memoryUsage: true,
  interfaces: true,
  timers: true,
  wasm: true,
  fetch: 200,
  unix: 'EPERM',
  udp: true,
  signal: true,
  killOther: 'EPERM',
  exec: 'EPERM',
  spawn: 'EPERM',
}

const endings: Record<string, (t: Test, outcome: Outcome) => void> = {
  return: (t, { code }) => t.equal(code, 0),
  exit: (t, { code }) => t.equal(code, 7),
  throw(t, { code, stderr }) {
    t.equal(code, 1)
    t.match(stderr, 'uncaught on purpose')
  },
  reject(t, { code, stderr }) {
    t.equal(code, 1)
    t.match(stderr, 'rejected on purpose')
  },
  // Asked for: the abort itself must work, so that a crash looks like one.
  abort: (t, { signal }) => t.equal(signal, 'SIGABRT'),
}

const available = nodes()
t.test('Node 20, 22, 24 and 26 are here', async (t) => {
  t.strictSame([...available.keys()].sort(), ['20', '22', '24', '26'])
})

for (const [major, node] of available) {
  for (const [form, victim] of Object.entries(forms)) {
    t.test(`Node ${major}, ${form}`, async (t) => {
      const outcome = await runVictim({ ...victim, node, args: ['return'], timeout: 60_000 })
      t.equal(outcome.timedOut, false, 'no hang')
      t.equal(outcome.code, 0, outcome.stderr)
      t.match(outcome.json(), expected)
    })
  }
  for (const [ending, check] of Object.entries(endings)) {
    if (ending === 'return') continue
    t.test(`Node ${major}, ends by ${ending}`, async (t) => {
      const outcome = await runVictim({ ...forms.CommonJS, node, args: [ending], timeout: 60_000 })
      t.equal(outcome.timedOut, false, 'no hang')
      check(t, outcome)
    })
  }
}
