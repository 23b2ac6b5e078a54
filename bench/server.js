// Requests per second of the demo's server, locked down and not. Both are new each round, warmed up,
// and asked one after the other, in alternating order.
'use strict'

const { fork } = require('node:child_process')
const { once } = require('node:events')
const path = require('node:path')
const { ScriptError, cleanEnvironment, median, root, table, takeTurns } = require('./measure')

const CONNECTIONS = 20
const WARM_UP_SECONDS = 1
const SECONDS = 3

function load(port, duration) {
  const autocannon = require('../examples/demo/node_modules/autocannon')
  return autocannon({ url: `http://127.0.0.1:${port}/`, connections: CONNECTIONS, duration })
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
    const { requests, errors, non2xx } = await load(port, SECONDS)
    if (errors + non2xx > 0) throw new ScriptError(`${errors + non2xx} requests failed`)
    return requests.total / SECONDS
  } finally {
    child.kill('SIGKILL')
  }
}

async function measureServer({ rounds = 6 }) {
  const samples = await takeTurns(rounds, ['unlocked', 'locked'], (name) =>
    serve(name === 'locked'),
  )
  const [unlocked, locked] = [median(samples.unlocked), median(samples.locked)]
  const pairs = samples.locked.map((each, round) => each / samples.unlocked[round])
  return {
    rounds,
    requestsPerSecond: { unlocked, locked, samples },
    ratio: locked / unlocked,
    medianOfPairs: median(pairs),
    pairs,
    expected: 0.98,
  }
}

function printServer({ rounds, requestsPerSecond, ratio, medianOfPairs, pairs, expected }) {
  const { unlocked, locked } = requestsPerSecond
  const range = [Math.min(...pairs), Math.max(...pairs)].map((each) => each.toFixed(2)).join(' … ')
  return [
    `GET /, ${CONNECTIONS} connections, medians of ${rounds} rounds of ${SECONDS} s:`,
    table([
      ['', 'unlocked', 'locked', 'locked / unlocked', 'expected'],
      [
        'requests per second',
        Math.round(unlocked),
        Math.round(locked),
        ratio.toFixed(3),
        `>= ${expected}`,
      ],
    ]),
    `Round by round: ${range}, median ${medianOfPairs.toFixed(3)}.`,
  ].join('\n')
}

module.exports = { measure: measureServer, print: printServer }
