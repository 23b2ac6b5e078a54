// The service that runs in the container: what Node's HTTP server is used for, in small.
'use strict'

const { pbkdf2 } = require('node:crypto')
const { createReadStream } = require('node:fs')
const { createServer } = require('node:http')
const { gzip } = require('node:zlib')

const answers = {
  '/': (request, response) => response.end('hello\n'),
  '/file': (request, response) => createReadStream(__filename).pipe(response),
  '/hash': (request, response) =>
    pbkdf2('secret', 'salt', 1000, 32, 'sha256', (error, key) => response.end(key.toString('hex'))),
  '/gzip': (request, response) =>
    gzip('x'.repeat(1 << 20), (error, packed) => response.end(String(packed.length))),
  '/memory': (request, response) => response.end(String(Buffer.alloc(64 << 20, 1).length)),
  '/echo': (request, response) => request.pipe(response),
}

const server = createServer((request, response) => {
  const answer = answers[request.url]
  if (answer === undefined) response.writeHead(404).end()
  else answer(request, response)
})

server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`))
process.on('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
