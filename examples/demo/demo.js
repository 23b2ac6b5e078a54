'use strict'
/**
 * `npm run demo`: one server, twice. Without a filter, to see what the attacker inside gets; then
 * locked down by `webServer`, under 20,000 requests, while the same attacker tries the same things.
 * Exit code 0 only if every request was served and every attempt stopped.
 */
const { fork: forkChild } = require('node:child_process')
const { once } = require('node:events')
const os = require('node:os')
const path = require('node:path')
const autocannon = require('autocannon')
const { fork, webServer } = require('../..')

const REQUESTS = Number(process.env.DEMO_REQUESTS ?? 20_000)
const paths = ['/', '/', '/', '/file', '/worker', '/dns', '/gzip', '/']

const message = async (child) => {
  const [first] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the server ended: code ${code}, signal ${signal}`)
    }),
  ])
  return first
}

async function start(...args) {
  const child = forkChild(path.join(__dirname, 'server.js'), args)
  const { port, status } = await message(child)
  return { child, port, status }
}

async function attack(child) {
  child.send('attack')
  return (await message(child)).attacks
}

async function stop(child) {
  child.send('stop')
  const [code, signal] = await once(child, 'exit')
  return signal ?? code
}

/** How a child that tries the 32-bit entry ends. */
async function int80(start) {
  const child = start(path.join(__dirname, 'int80.js'))
  const [code, signal] = await once(child, 'exit')
  return signal ?? code
}

const errnoName = (result) => {
  const [name] = Object.entries(os.constants.errno).find(([, value]) => value === -result) ?? []
  return name ?? String(-result)
}
const outcome = (result) => {
  if (typeof result === 'string') return result
  return result >= 0 ? 'succeeded' : errnoName(result)
}

/**
 * What the policy answers: EPERM by default, EACCES for writing, ENOSYS for io_uring and x32. And
 * there is no ring left to go through.
 */
const REFUSALS = new Set(['EPERM', 'EACCES', 'ENOSYS', 'no ring'])

function load(port, onTenth) {
  return new Promise((resolve, reject) => {
    const run = autocannon(
      {
        url: `http://127.0.0.1:${port}`,
        amount: REQUESTS,
        connections: 20,
        requests: paths.map((each) => ({ method: 'GET', path: each })),
      },
      (error, result) => (error ? reject(error) : resolve(result)),
    )
    let responses = 0
    run.on('response', () => {
      if (++responses === Math.floor(REQUESTS / 10)) onTenth()
    })
  })
}

const table = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows
    .map(
      (row) =>
        '  ' +
        row
          .map((cell, column) => cell.padEnd(widths[column]))
          .join('   ')
          .trimEnd(),
    )
    .join('\n')
}

async function main() {
  console.log(`Node ${process.versions.node}, Linux ${os.release()}, ${process.arch}\n`)

  const open = await start()
  const without = await attack(open.child)
  await stop(open.child)
  const int80Without = await int80((file) => forkChild(file, { stdio: 'ignore' }))

  const locked = await start('--lockdown')
  const { status } = locked
  console.log(
    `Locked down by the policy '${status.policies.join()}': ${status.threads.length} threads, every one under the filter; io_uring: ${status.ioUring.cure}.\n`,
  )
  let attacked
  const result = await load(locked.port, () => {
    attacked = attack(locked.child)
  })
  const within = await attacked
  const ending = await stop(locked.child)
  const int80Within = await int80((file) => fork(file, { policy: webServer, stdio: 'ignore' }))

  const served = result['2xx']
  console.log(
    table([
      ['requests', 'served', 'failed', 'per second', 'median', '99 %'],
      [
        String(REQUESTS),
        String(served),
        String(REQUESTS - served),
        String(Math.round(result.requests.average)),
        `${result.latency.p50} ms`,
        `${result.latency.p99} ms`,
      ],
    ]),
  )
  console.log('\nMeanwhile, from inside the server:\n')

  const rows = within.map(([what, result], index) => [
    what,
    outcome(without[index][1]),
    outcome(result),
    REFUSALS.has(outcome(result)) ? 'stopped' : 'NOT STOPPED',
  ])
  // Where the processor or the kernel has no 32-bit entry, there is nothing to stop.
  const absent = int80Within === int80Without && int80Without === 'SIGSEGV'
  rows.push([
    'execve through the 32-bit entry (int 0x80)',
    String(int80Without),
    String(int80Within),
    int80Within === 'SIGSYS' ? 'stopped' : absent ? 'not on this machine' : 'NOT STOPPED',
  ])
  const count = (verdict) => rows.filter((row) => row[3] === verdict).length
  console.log(table([['attempt', 'without', 'locked down', ''], ...rows]))

  const possible = rows.length - count('not on this machine')
  const whole =
    served === REQUESTS && count('stopped') === possible && ending === 0 && status.enforced
  console.log(
    `\n${served} of ${REQUESTS} requests served, ${count('stopped')} of ${possible} attempts stopped, the server ended with ${ending}.`,
  )
  process.exitCode = whole ? 0 : 1
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
