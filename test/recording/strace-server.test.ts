/**
 * strace on a Node server that serves, and the same server under the policy made of what strace saw;
 * and what Node needs although nobody saw it, on every Node.
 */
import { spawnSync } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { policyFromLog, readLog, type LogReading } from '../../lib/recording'
import { nodes, runVictim, sandboxDirectory, writeFile } from '../helpers/victim'

const SERVER = `
  const http = require('node:http')
  const policy = process.env.POLICY
  if (policy) require('seccomp-ts').lockdown(JSON.parse(policy))
  const server = http.createServer((request, response) => response.end('hello'))
  server.listen(0, '127.0.0.1', async () => {
    let served = 0
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve, reject) => {
        http.get({ port: server.address().port, agent: false }, (response) => {
          response.on('data', (data) => { if (String(data) === 'hello') served++ })
          response.on('end', resolve)
        }).on('error', reject)
      })
    }
    server.close(() => console.log(served))
  })`

/** Runs it under strace with these options, and reads what strace wrote. */
async function observe(options: readonly string[]): Promise<LogReading> {
  const directory = sandboxDirectory()
  writeFile('server.cjs', SERVER)
  const output = join(directory, 'strace.txt')
  const { status, stdout, stderr, error } = spawnSync(
    'env',
    [
      '-i',
      'PATH=/usr/bin:/bin',
      'strace',
      ...options,
      '-o',
      output,
      process.execPath,
      'server.cjs',
    ],
    { cwd: directory, encoding: 'utf8' },
  )
  if (error !== undefined || status !== 0 || stdout !== '5\n') {
    throw new Error(`strace is needed, and is Debian's package strace: ${stderr}${String(error)}`)
  }
  return readLog(createReadStream(output))
}

t.test('a server under the policy made of its own strace', async (t) => {
  for (const options of [['-f'], ['-f', '-tt', '-T', '-yy', '-Y', '-n', '-i'], ['-f', '-c']]) {
    const { summary, lines, lost } = await observe(options)
    const what = `strace ${options.join(' ')}`
    t.ok(lines.events > 20, `${what}: ${lines.events} events`)
    t.strictSame(lost.losses, [], what)
    t.equal(summary.unnamed, 0, what)
    const counted = options.includes('-c')
    const { policy, leftOut } = policyFromLog(summary, {
      default: { action: 'kill' },
      ...(counted ? { node: true } : {}),
    })
    t.ok(
      leftOut.some(({ call }) => call === 'execve'),
      `${what}: not strace's own exec`,
    )
    for (const call of ['execve', 'clone3', 'ptrace', 'io_uring_setup'] as const) {
      t.equal(policy.syscalls?.[call], undefined, `${what}: ${call}`)
    }
    const outcome = await runVictim({ source: SERVER, env: { POLICY: JSON.stringify(policy) } })
    t.match(outcome, { code: 0, signal: null, stdout: '5\n' }, `${what}: ${outcome.stderr}`)
    if (counted) continue
    t.ok(
      summary.programs.some(({ node, pids }) => node && pids > 3),
      `${what}: Node and its threads`,
    )
    const narrow = policyFromLog(summary, {
      default: { action: 'errno', errno: 'EPERM' },
      narrow: true,
    })
    t.match(narrow.policy.syscalls?.socket, { when: { family: {} } }, `${what}: socket's families`)
    const again = await runVictim({
      source: SERVER,
      env: { POLICY: JSON.stringify(narrow.policy) },
    })
    t.match(again, { code: 0, signal: null, stdout: '5\n' }, `${what}, narrow: ${again.stderr}`)
  }
})

/** Each grows, ends or crashes in another way. */
const LATER: readonly (readonly [what: string, source: string, expected: object])[] = [
  ['ends', `process.exit(7)`, { code: 7 }],
  ['throws', `throw new Error('on purpose')`, { code: 1, stderr: /on purpose/ }],
  ['aborts', `process.abort()`, { signal: 'SIGABRT' }],
  [
    'signals itself',
    `process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 9999)`,
    { signal: 'SIGTERM' },
  ],
  [
    'takes memory',
    `let kept = []; for (let i = 0; i < 60; i++) { kept.push(Buffer.alloc(1 << 20, i), new Array(1e5).fill(i)); if (i % 20 === 0) kept = [] }
     console.log('done')`,
    { code: 0, stdout: 'done\n' },
  ],
  [
    'runs out of memory',
    `const kept = []; for (;;) kept.push(new Array(1e4).fill({}))`,
    { signal: 'SIGABRT' },
  ],
  [
    'uses the pool, Workers and the clock',
    `const { Worker } = require('node:worker_threads')
     require('node:crypto').scrypt('a', 'b', 32, () => {
       const worker = new Worker('require("node:worker_threads").parentPort.postMessage(new Date(0).toISOString())', { eval: true })
       worker.on('message', (text) => console.log(text, new Date().getTimezoneOffset() < 9999, process.memoryUsage.rss !== undefined))
       worker.on('exit', (code) => { console.log(code) })
     })`,
    { code: 0, stdout: '1970-01-01T00:00:00.000Z true true\n0\n' },
  ],
]

for (const [major, node] of nodes()) {
  t.test(`what Node ${major} needs and nobody saw`, async (t) => {
    const record =
      'type=1326 audit(1.0:1): auid=0 uid=0 gid=0 ses=1 pid=1 comm="node" exe="/usr/bin/node" sig=0 arch=c000003e syscall=110 compat=0 ip=0x1 code=0x7ffc0000'
    const { summary } = await readLog(record)
    for (const fallback of [{ action: 'kill' }, { action: 'errno', errno: 'EPERM' }] as const) {
      const { policy } = policyFromLog(summary, { default: fallback })
      for (const [what, source, expected] of LATER) {
        const outcome = await runVictim({
          node,
          nodeArgs: ['--max-old-space-size=30'],
          source: `require('seccomp-ts').lockdown(${JSON.stringify(policy)})\n${source}`,
        })
        t.match(
          outcome,
          { timedOut: false, ...expected },
          `${what}, ${fallback.action}: ${outcome.stderr.slice(0, 400)}`,
        )
      }
    }
  })
}
