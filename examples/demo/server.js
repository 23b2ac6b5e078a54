'use strict'
/**
 * A web service: routes that use a Worker, files, DNS and compression. With `--lockdown` it puts
 * itself under `webServer` once it listens. The parent asks it to attack from the inside.
 */
const dns = require('node:dns')
const fs = require('node:fs')
const { promisify } = require('node:util')
const { Worker } = require('node:worker_threads')
const { gzip } = require('node:zlib')
const fastify = require('fastify')
const { lockdown, webServer } = require('../..')
const { attackAll } = require('./attacks')

const app = fastify({ logger: { level: 'error' } })
const worker = new Worker(
  `require('node:worker_threads').parentPort.on('message', ([id, n]) => {
     let sum = 0
     for (let i = 0; i < n; i++) sum += i
     require('node:worker_threads').parentPort.postMessage([id, sum])
   })`,
  { eval: true },
)
const waiting = new Map()
let next = 0
worker.on('message', ([id, sum]) => {
  waiting.get(id)(sum)
  waiting.delete(id)
})
const sumUpTo = (n) =>
  new Promise((resolve) => {
    waiting.set(++next, resolve)
    worker.postMessage([next, n])
  })

app.get('/', async () => ({ hello: 'world', at: new Date() }))
app.get('/file', async () => ({ length: (await fs.promises.readFile(__filename)).length }))
app.get('/worker', async () => ({ sum: await sumUpTo(1000) }))
app.get('/dns', async () => dns.promises.lookup('localhost'))
app.get('/gzip', async () => ({ length: (await promisify(gzip)(Buffer.alloc(10_000))).length }))

process.on('message', async (message) => {
  if (message === 'attack') process.send({ attacks: await attackAll() })
  if (message === 'stop') {
    await app.close()
    await worker.terminate()
    process.disconnect()
  }
})

app.listen({ port: 0, host: '127.0.0.1' }).then(() => {
  const status = process.argv.includes('--lockdown') ? lockdown(webServer) : undefined
  process.send({ port: app.server.address().port, status })
})
