/** `journalctl -o json`: the kernel's own message, and the fields of journald's collector. */
import t from 'tap'
import { eventsOf, readAll } from './helpers'

const RECORD =
  'type=1326 audit(1700000000.123:7): auid=0 uid=0 gid=0 ses=1 pid=42 comm="node" exe="/usr/bin/node" sig=0 arch=c000003e syscall=110 compat=0 ip=0x7f01 code=0x7ffc0000'

const kernel = {
  __REALTIME_TIMESTAMP: '1700000000200000',
  _TRANSPORT: 'kernel',
  SYSLOG_IDENTIFIER: 'kernel',
  _HOSTNAME: 'web-1',
  MESSAGE: `audit: ${RECORD}`,
}
const collected = {
  __REALTIME_TIMESTAMP: '1700000000200000',
  _SOURCE_REALTIME_TIMESTAMP: '1700000000123000',
  _TRANSPORT: 'audit',
  _HOSTNAME: 'web-1',
  _AUDIT_TYPE: '1326',
  _AUDIT_TYPE_NAME: 'SECCOMP',
  _AUDIT_ID: '7',
  _PID: '42',
  _COMM: 'node',
  _EXE: '/usr/bin/node',
  AUDIT_FIELD_SIG: '0',
  AUDIT_FIELD_ARCH: 'c000003e',
  AUDIT_FIELD_SYSCALL: '110',
  AUDIT_FIELD_COMPAT: '0',
  AUDIT_FIELD_IP: '0x7f01',
  AUDIT_FIELD_CODE: '0x7ffc0000',
  MESSAGE: `SECCOMP ${RECORD.slice(RECORD.indexOf('auid='))}`,
}
const expected = {
  format: 'journal-json',
  host: 'web-1',
  syscall: 'getppid',
  action: 'log',
  pid: 42,
  comm: 'node',
  exe: '/usr/bin/node',
  time: 1_700_000_000_123,
  serial: 7,
}

t.test('both kinds of entry', async (t) => {
  const rows: readonly (readonly [what: string, line: string])[] = [
    ['from the kernel', JSON.stringify(kernel)],
    ['from the collector', JSON.stringify(collected)],
    [
      'from the collector, a message too long to show',
      JSON.stringify({ ...collected, MESSAGE: null }),
    ],
    [
      'a message as bytes',
      JSON.stringify({ ...kernel, MESSAGE: [...Buffer.from(kernel.MESSAGE)] }),
    ],
    ['a field that occurs twice', JSON.stringify({ ...kernel, _HOSTNAME: ['web-1', 'other'] })],
    ['json-seq', `\x1e${JSON.stringify(kernel)}`],
    ['json-sse', `data: ${JSON.stringify(kernel)}`],
  ]
  for (const [what, line] of rows) {
    const { events, reading } = await readAll(line)
    t.match(events, [expected], what)
    t.equal(reading.lost.lines, 0, what)
  }
})

t.test('the two are one', async (t) => {
  const { reading } = await readAll(`${JSON.stringify(kernel)}\n${JSON.stringify(collected)}`)
  t.match(reading.lines, { total: 2, events: 1, repeated: 1 })
})

t.test('json-pretty, an object on several lines', async (t) => {
  const { events, reading } = await readAll(JSON.stringify(kernel, null, '\t'))
  t.match(events, [{ syscall: 'getppid', pid: 42, comm: 'node' }])
  t.equal(reading.lost.lines, 0)
})

t.test('what is lost, and what is nothing', async (t) => {
  const line = JSON.stringify(kernel)
  const { reading } = await readAll(
    [
      line.slice(0, 200),
      JSON.stringify({ MESSAGE: 'Missed 3 kernel messages' }),
      JSON.stringify({ MESSAGE: 'hello' }),
      JSON.stringify({ MESSAGE: null }),
      '{"__proto__": {"_AUDIT_TYPE": "1326"}}',
      '{',
      '[]',
    ].join('\n'),
  )
  t.match(reading.lines, { total: 7, events: 0, lost: 2, ignored: 5 })
  t.match(reading.lost.losses, [
    { kind: 'logger', records: 3 },
    { kind: 'malformed', lines: 1 },
  ])
})

t.test('text in it is harmless', async (t) => {
  const [event] = await eventsOf(
    JSON.stringify({ ...collected, MESSAGE: null, _COMM: 'a"\u001b[2J', _HOSTNAME: '\u202e' }),
  )
  t.match(event, { comm: 'a\\u001b[2J', host: '\\u202e', syscall: 'getppid' })
})

t.test('whose message it is', async (t) => {
  const bare = { MESSAGE: kernel.MESSAGE, _HOSTNAME: 'web-1' }
  const refused = [
    ...['syslog', 'journal', 'stdout', 'driver', ''].map((_TRANSPORT) => ({
      ...kernel,
      _TRANSPORT,
    })),
    bare,
    { ...bare, TRANSPORT: 'kernel', AUDIT_TYPE: '1326' },
    { ...kernel, MESSAGE: `app: hello ${RECORD}` },
    { ...collected, _TRANSPORT: 'syslog' },
    { ...collected, _TRANSPORT: 'stdout', MESSAGE: [...Buffer.from(collected.MESSAGE)] },
  ]
  for (const entry of refused) {
    const { events, reading } = await readAll(`\n${JSON.stringify(entry)}`)
    t.strictSame(events, [], JSON.stringify(entry))
    t.match(
      reading.lost,
      { lines: 1, missingSerials: 0, losses: [{ kind: 'not-kernel', examples: [{ line: 2 }] }] },
      JSON.stringify(entry),
    )
  }
  const { _TRANSPORT, ...stripped } = collected
  t.equal(_TRANSPORT, 'audit')
  t.match(await eventsOf(JSON.stringify(stripped)), [expected], 'a field that only journald sets')
})
