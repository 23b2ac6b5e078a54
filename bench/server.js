// Requests per second of the demo's server, locked down and not. Both are new each round, warmed up,
// and asked one after the other, in alternating order.
'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { ScriptError, cleanEnvironment, median, root, table, takeTurns } = require('./measure')

const CONNECTIONS = 20
const WARM_UP_SECONDS = 1
const SECONDS = 3

function load(port, duration) {
  const autocannon = require('../examples/demo/node_modules/autocannon')
  return autocannon({ url: `http://127.0.0.1:${port}/`, connections: CONNECTIONS, duration })
}

/** What all threads of a process have used, in milliseconds. proc(5): utime and stime, at 100 Hz. */
function processorTime(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function serve(locked) {
  const server = path.join(root, 'examples/demo/server.js')
  const child = fork(server, locked ? ['--lockdown'] : [], { env: cleanEnvironment() })
  try {
    const [{ port, status }] = await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code, signal]) => {
        throw new ScriptError(`the server ended: code ${code}, signal ${signal}`)
      }),
    ])
    if (locked && !status.enforced) throw new ScriptError('the server is not locked down')
    await load(port, WARM_UP_SECONDS)
    const used = processorTime(child.pid)
    const { requests, errors, non2xx } = await load(port, SECONDS)
    const perRequest = (processorTime(child.pid) - used) / requests.total
    if (errors + non2xx > 0) throw new ScriptError(`${errors + non2xx} requests failed`)
    return { perSecond: requests.total / SECONDS, microseconds: perRequest * 1000 }
  } finally {
    child.kill('SIGKILL')
  }
}

async function measureServer({ rounds = 6 }) {
  const samples = await takeTurns(rounds, ['unlocked', 'locked'], (name) =>
    serve(name === 'locked'),
  )
  const of = (name, what) => samples[name].map((each) => each[what])
  const both = (what) => ({
    unlocked: median(of('unlocked', what)),
    locked: median(of('locked', what)),
  })
  const perSecond = both('perSecond')
  const processor = both('microseconds')
  return {
    rounds,
    requestsPerSecond: perSecond,
    microsecondsPerRequest: processor,
    samples,
    ratio: perSecond.locked / perSecond.unlocked,
    pairs: of('locked', 'perSecond').map((each, i) => each / of('unlocked', 'perSecond')[i]),
    // Does not depend on how much of the processors others took.
    processorRatio: processor.unlocked / processor.locked,
    expected: 0.98,
  }
}

function printServer(result) {
  const { rounds, requestsPerSecond, microsecondsPerRequest, pairs, expected } = result
  const row = (what, { unlocked, locked }, digits, ratio) => [
    what,
    unlocked.toFixed(digits),
    locked.toFixed(digits),
    ratio.toFixed(3),
    `>= ${expected}`,
  ]
  const range = [Math.min(...pairs), Math.max(...pairs)].map((each) => each.toFixed(2)).join(' … ')
  return [
    `GET /, ${CONNECTIONS} connections, medians of ${rounds} rounds of ${SECONDS} s:`,
    table([
      ['', 'unlocked', 'locked', 'throughput ratio', 'expected'],
      row('requests per second', requestsPerSecond, 0, result.ratio),
      row('processor µs a request', microsecondsPerRequest, 1, result.processorRatio),
    ]),
    `Requests per second round by round: ${range} times, median ${median(pairs).toFixed(3)}.`,
  ].join('\n')
}

module.exports = { measure: measureServer, print: printServer }
