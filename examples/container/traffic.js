// What is asked of the service, each time the same.
'use strict'

const http = require('node:http')

const ROUNDS = 20

const REQUESTS = [
  ['GET', '/', 200],
  ['GET', '/file', 200],
  ['GET', '/hash', 200],
  ['GET', '/gzip', 200],
  ['GET', '/memory', 200],
  ['POST', '/echo', 200],
  ['GET', '/absent', 404],
]

function ask(port, agent, [method, url, expected]) {
  return new Promise((resolve) => {
    const request = http.request(
      { port, host: '127.0.0.1', method, path: url, agent },
      (response) => {
        let length = 0
        response.on('data', (data) => (length += data.length))
        response.on('end', () =>
          resolve(response.statusCode === expected && (length > 0 || url === '/absent')),
        )
      },
    )
    request.on('error', () => resolve(false))
    request.setTimeout(60_000, () => request.destroy())
    request.end(method === 'POST' ? 'y'.repeat(100_000) : undefined)
  })
}

/** Some at a time and some alone, on connections that are kept and on new ones. */
async function makeTraffic(port) {
  const kept = new http.Agent({ keepAlive: true, maxSockets: 4 })
  let [asked, served] = [0, 0]
  for (let round = 0; round < ROUNDS; round++) {
    const agent = round % 2 === 0 ? kept : false
    const answers = await Promise.all(REQUESTS.map((request) => ask(port, agent, request)))
    asked += answers.length
    served += answers.filter(Boolean).length
    if (served === 0) break
  }
  kept.destroy()
  return { asked, served }
}

module.exports = { makeTraffic }
