/**
 * SECCOMP records in every dress. The bare one is what audit_seccomp (kernel/auditsc.c) writes; the
 * rest is what dmesg, syslog, journald, auditd and ausearch make of it.
 */
import t from 'tap'
import { diagnose } from '../../lib/recording/diagnose'
import { readLog, type LogEvent } from '../../lib/recording'
import { eventsOf, readAll } from './helpers'

const TASK = 'auid=4294967295 uid=0 gid=0 ses=4294967295'
const TAIL = 'sig=31 arch=c000003e syscall=59 compat=0 ip=0x7f0123456789 code=0x80000000'
const WHO = 'pid=42 comm="node" exe="/usr/bin/node"'
const RECORD = `type=1326 audit(1700000000.123:7): ${TASK} ${WHO} ${TAIL}`
const SECCOMP = `type=SECCOMP msg=audit(1700000000.123:7): ${TASK} ${WHO} ${TAIL}`

const killed = {
  syscall: 'execve',
  number: 59,
  arch: 'x86_64',
  pid: 42,
  comm: 'node',
  exe: '/usr/bin/node',
  action: 'kill',
  signal: 'SIGSYS',
}

t.test('where records come from', async (t) => {
  const stamped = {
    ...killed,
    time: 1_700_000_000_123,
    serial: 7,
    ip: '0x7f0123456789',
    code: 0x80000000,
  }
  const lines: readonly (readonly [from: string, line: string, expected: object])[] = [
    ['the kernel', RECORD, stamped],
    ['dmesg', `[ 6448.840271] audit: ${RECORD}`, stamped],
    ['dmesg -T', `[Tue Nov 14 22:13:20 2023] audit: ${RECORD}`, stamped],
    ['dmesg -x', `kern  :notice: [ 6448.840271] audit: ${RECORD}`, stamped],
    ['dmesg -r', `<5>[ 6448.840271] audit: ${RECORD}`, stamped],
    ['/dev/kmsg', `5,1234,6448840271,-;audit: ${RECORD}`, stamped],
    ['dmesg --json', `         "msg": "audit: ${RECORD.replaceAll('"', '\\"')}"`, stamped],
    ['syslog', `Nov 14 22:13:20 host kernel: [ 6448.840271] audit: ${RECORD}`, stamped],
    ['syslog, RFC 3339', `2023-11-14T22:13:20.1+01:00 host kernel: audit: ${RECORD}`, stamped],
    ['journalctl', `Nov 14 22:13:20 host kernel: audit: ${RECORD}`, stamped],
    [
      'journald’s own collector',
      `Nov 14 22:13:20 host audit[42]: SECCOMP ${TASK} ${WHO} ${TAIL}`,
      killed,
    ],
    ['the same, older', `Nov 14 22:13:20 host audit[42]: AUDIT1326 ${TASK} ${WHO} ${TAIL}`, killed],
    ['auditd', SECCOMP, stamped],
    ['auditd of several machines', `node=web-1 ${SECCOMP}`, { ...stamped, host: 'web-1' }],
    [
      'auditd, enriched',
      `${SECCOMP}\x1dARCH=x86_64 SYSCALL=execve AUID="unset" UID="root"`,
      stamped,
    ],
    ['auditd without the type’s name', SECCOMP.replace('SECCOMP', 'UNKNOWN[1326]'), stamped],
    [
      'with a security module’s context',
      RECORD.replace(' pid=', ' subj=system_u:system_r:container_t:s0:c1,c2 pid='),
      stamped,
    ],
    [
      'ausearch -i',
      'type=SECCOMP msg=audit(11/14/23 22:13:20.123:7) : auid=unset uid=root gid=root ses=unset pid=42 comm=node exe=/usr/bin/node sig=SIGSYS arch=x86_64 syscall=execve compat=0 ip=0x7f0123456789 code=kill ',
      { ...killed, serial: 7, clock: '11/14/23 22:13:20.123' },
    ],
    [
      'ausearch --format csv',
      ',SECCOMP,11/14/23,22:13:20,7,dac-decision,unset,system,root,privileged-acct,called-seccomp-controlled-syscall,failed,execve,,process,/usr/bin/node',
      { syscall: 'execve', exe: '/usr/bin/node', serial: 7, clock: '11/14/23 22:13:20' },
    ],
    ['a line that ends as Windows ends them', `${RECORD}\r`, stamped],
  ]
  for (const [from, line, expected] of lines) {
    const { events, reading } = await readAll(`${line}\n`)
    t.match(events, [expected], from)
    t.equal(events.length, 1, `${from}: one`)
    t.equal(reading.lost.lines, 0, `${from}: nothing lost`)
    t.equal(reading.lost.partial, 0, `${from}: whole`)
  }
})

t.test('what is in a record', async (t) => {
  const rows: readonly (readonly [
    what: string,
    change: readonly [string, string],
    expected: object,
  ])[] = [
    ['log', ['sig=31', 'sig=0'], { signal: undefined }],
    ['log', ['code=0x80000000', 'code=0x7ffc0000'], { action: 'log' }],
    ['errno', ['code=0x80000000', 'code=0x50000'], { action: 'errno' }],
    ['errno, before 4.14', ['code=0x80000000', 'code=0x50001'], { action: 'errno', code: 0x50001 }],
    ['trap', ['code=0x80000000', 'code=0x30000'], { action: 'trap' }],
    ['a thread', ['code=0x80000000', 'code=0x0'], { action: 'killThread' }],
    ['trace', ['code=0x80000000', 'code=0x7ff00000'], { action: 'trace' }],
    ['notify', ['code=0x80000000', 'code=0x7fc00000'], { action: 'notify' }],
    [
      'arm64',
      ['arch=c000003e syscall=59', 'arch=c00000b7 syscall=221'],
      { syscall: 'execve', arch: 'aarch64' },
    ],
    [
      'the number by its own table',
      ['arch=c000003e', 'arch=c00000b7'],
      { syscall: 'pipe2', arch: 'aarch64' },
    ],
    [
      'i386',
      ['arch=c000003e syscall=59', 'arch=40000003 syscall=11'],
      { unnamed: '11', arch: 'i386' },
    ],
    ['x32', ['syscall=59', 'syscall=1073742344'], { unnamed: '1073742344', arch: 'x32' }],
    ['another', ['arch=c000003e', 'arch=c00000f3'], { unnamed: '59', arch: 'riscv64' }],
    ['nobody’s', ['arch=c000003e', 'arch=deadbeef'], { unnamed: '59', arch: '0xdeadbeef' }],
    [
      'a number without a name',
      ['syscall=59', 'syscall=9999'],
      { unnamed: '9999', arch: 'x86_64' },
    ],
    ['no call at all', ['syscall=59', 'syscall=-1'], { unnamed: '-1', number: -1 }],
    ['a space', ['comm="node"', 'comm=6D792070726F67'], { comm: 'my prog' }],
    ['a quote', ['exe="/usr/bin/node"', 'exe=2F746D702F7122'], { exe: '/tmp/q"' }],
    ['an escape', ['comm="node"', 'comm=1B5B324A61'], { comm: '\\u001b[2Ja' }],
    ['an overriding mark', ['comm="node"', 'comm=61E280AE62'], { comm: 'a\\u202eb' }],
    ['a name of hexadecimal digits', ['comm="node"', 'comm="DEADBEEF"'], { comm: 'DEADBEEF' }],
    ['a backslash', ['comm="node"', 'comm="a\\"'], { comm: 'a\\' }],
    ['no binary', ['exe="/usr/bin/node"', 'exe=(null)'], { exe: undefined, comm: 'node' }],
    [
      'runc',
      ['comm="node" exe="/usr/bin/node"', 'comm="runc:[2:INIT]" exe="/"'],
      { comm: 'runc:[2:INIT]', exe: '/' },
    ],
  ]
  for (const [what, [from, to], expected] of rows) {
    const [event] = await eventsOf(RECORD.replace(from, to))
    for (const [key, value] of Object.entries(expected)) {
      t.equal(event?.[key as keyof LogEvent], value, `${what}: ${key}`)
    }
  }
})

t.test('a program cannot write the kernel’s part of a record', async (t) => {
  // ausearch -i prints names bare.
  const [event] = await eventsOf(
    'type=SECCOMP msg=audit(11/14/23 22:13:20.123:7) : auid=unset uid=root gid=root ses=unset pid=42 comm=a sig=0 arch=x86_64 syscall=read compat=0 exe=/tmp/x exe=/b sig=0 arch=x86_64 syscall=write sig=SIGSYS arch=x86_64 syscall=execve compat=0 ip=0x1 code=kill ',
  )
  t.match(event, { syscall: 'execve', action: 'kill', pid: 42 })
  const [alias] = await eventsOf(
    'type=SECCOMP msg=audit(11/14/23 22:13:20.123:8) : auid=unset uid=root gid=root ses=unset pid=42 comm=my prog exe=/opt/my prog sig=none arch=x86_64 syscall=pread compat=0 ip=0x1 code=log ',
  )
  t.match(alias, { syscall: 'pread64', action: 'log', comm: 'my prog', exe: '/opt/my prog' })
})

t.test('a record that is damaged is lost, and said to be', async (t) => {
  const rows: readonly (readonly [what: string, line: string, loss: string])[] = [
    ['ends before the call', RECORD.slice(0, RECORD.indexOf('syscall=')), 'truncated'],
    ['ends within the number', RECORD.slice(0, RECORD.indexOf(' compat')), 'truncated'],
    ['ends in the binary', RECORD.slice(0, RECORD.indexOf('/node"')), 'truncated'],
    ['a call that is no number', RECORD.replace('syscall=59', 'syscall=5x'), 'malformed'],
    ['an architecture that is none', RECORD.replace('c000003e', 'c00000000003e'), 'malformed'],
    ['csv without the call', ',SECCOMP,11/14/23,22:13:20,7,dac-decision,unset', 'malformed'],
  ]
  for (const [what, line, loss] of rows) {
    const { events, reading } = await readAll(line)
    t.strictSame(events, [], what)
    t.match(
      reading.lost,
      { lines: 1, losses: [{ kind: loss, lines: 1, examples: [{ line: 1 }] }] },
      what,
    )
  }
  const { events, reading } = await readAll(RECORD.slice(0, RECORD.indexOf(' code=')))
  t.match(events, [{ syscall: 'execve', partial: true }], 'only the action is missing')
  t.equal(events[0]?.action, undefined)
  t.equal(reading.lost.partial, 1)
  const [half] = await eventsOf(RECORD.replace('0x80000000', '0x7ffc'))
  t.equal(half?.action, undefined, 'half a code is no action')
})

t.test('what the kernel and the loggers say was lost', async (t) => {
  const rows: readonly (readonly [line: string, kind: string, records: number])[] = [
    ['[    9.1] kauditd_printk_skb: 44 callbacks suppressed', 'rate-limit', 44],
    ['[    9.1] audit_printk_skb: 3 callbacks suppressed', 'rate-limit', 3],
    ['[    9.1] audit: rate limit exceeded', 'rate-limit', 1],
    ['[    9.1] audit: audit_lost=12 audit_rate_limit=0 audit_backlog_limit=64', 'audit-lost', 12],
    ['[    9.1] audit: kauditd hold queue overflow', 'queue-full', 1],
    ['[    9.1] audit: backlog limit exceeded', 'queue-full', 1],
    ['[    9.1] audit: audit_backlog=65 > audit_backlog_limit=64', 'queue-full', 1],
    ['Nov 14 22:13:20 host systemd-journald[9]: Missed 17 kernel messages', 'logger', 17],
    ['Nov 14 22:13:20 host systemd-journald[9]: Suppressed 5 messages from a.service', 'logger', 5],
    [
      'Nov 14 22:13:20 host rsyslogd: imuxsock[pid: 7]: 31 messages lost due to rate-limiting',
      'logger',
      31,
    ],
  ]
  for (const [line, kind, records] of rows) {
    const { reading } = await readAll(line)
    t.match(reading.lost, { lines: 1, records, losses: [{ kind, lines: 1, records }] }, line)
  }
  const { reading } = await readAll(
    [10, 12, 2]
      .map((n) => `audit: audit_lost=${n} audit_rate_limit=0 audit_backlog_limit=64`)
      .join('\n'),
  )
  t.equal(reading.lost.records, 14, 'the kernel counts from its start, and starts again')
})

t.test('numbers that are missing between records of any type', async (t) => {
  const numbered = (serial: number): string => RECORD.replace(':7)', `:${serial})`)
  const { reading } = await readAll(
    [
      numbered(10),
      'type=USER_LOGIN msg=audit(1700000000.200:11): pid=9 uid=0',
      numbered(15),
      numbered(13),
      numbered(16),
      numbered(2).replace('00000.123', '00900.123'),
      `node=other ${SECCOMP.replace(':7)', ':99)')}`,
    ].join('\n'),
  )
  t.equal(reading.lost.missingSerials, 2, '12 and 14')
  t.equal(reading.lines.events, 6)
})

t.test('the same record through two channels is counted once', async (t) => {
  const { events, reading } = await readAll(`[ 1.0] audit: ${RECORD}\n${SECCOMP}\n`)
  t.equal(events.length, 1)
  t.match(reading.lines, { total: 2, events: 1, ignored: 1, repeated: 1 })
})

t.test('only the forced format is read', async (t) => {
  await t.rejects(readLog(RECORD, { format: 'strace' }), { code: 'ERR_LOG_NO_RECORD' })
  await t.rejects(readLog(RECORD, { format: 'dmesg' as never }), { code: 'ERR_OPTION' })
  t.equal((await readLog(RECORD, { format: 'audit' })).lines.events, 1)
})

t.test('a record that is not from the kernel is lost', async (t) => {
  const forged = [
    `app: hello ${RECORD}`,
    `hello ${RECORD}`,
    `Nov 14 22:13:20 host app[7]: ${RECORD}`,
    `Nov 14 22:13:20 host app: kernel: audit: ${RECORD}`,
    `Nov 14 22:13:20 host app[7]: audit: SECCOMP ${TASK} ${WHO} ${TAIL}`,
    `2023-11-14T22:13:20Z host app: audit: ${RECORD}`,
    `<5>app: audit: ${RECORD}`,
    `[INFO] ${RECORD}`,
    `[ 6448.840271] app: audit: ${RECORD}`,
    `[ 6448.840271] audit: app said ${RECORD}`,
    `kernel: audit: hello ${SECCOMP}`,
    `node=web-1 hello ${SECCOMP}`,
    `"log": "${RECORD.replaceAll('"', '\\"')}"`,
    `GET /?q=SECCOMP ${SECCOMP} ${SECCOMP}`,
  ]
  for (const line of forged) {
    const { events, reading } = await readAll(`first\n${line}\n`)
    t.strictSame(events, [], line)
    t.match(
      reading.lost,
      { lines: 1, missingSerials: 0, losses: [{ kind: 'not-kernel', examples: [{ line: 2 }] }] },
      line,
    )
    t.strictSame(diagnose({ summary: reading.summary }), [], 'nor does the kernel say so')
  }
})

t.test('what may stand in front of the kernel’s', async (t) => {
  const heads = [
    ...['[Nov14 22:13] audit: ', '[  +0.000011] audit: ', '[ 6448.840271 <    0.000011>] audit: '],
    ...['2023-11-14T22:13:20,123456+01:00 audit: ', '[ 6448.840271] [   T42] audit: '],
    ...['kern  :notice: [Tue Nov 14 22:13:20 2023] audit: ', '[ 6448.840271] '],
    ...['[ 6448.840271] host kernel: audit: ', '1700000000.123456 host kernel: audit: '],
    ...['Tue 2023-11-14 22:13:20 UTC host kernel: audit: ', 'Nov 14 22:13:20 kernel: audit: '],
    ...['Nov 14 22:13:20.123456 host kernel: audit: ', '2023-11-14T22:13:20+0100 host kernel: '],
    ...[
      '<5>Nov 14 22:13:20 host kernel: [ 6448.840271] audit: ',
      '<5>audit: ',
      '    MESSAGE=audit: ',
    ],
    ...[
      '<5>1 2023-11-14T22:13:20Z host kernel - - - audit: ',
      '11月 14 22:13:20 host kernel: audit: ',
    ],
    ...['Nov 14 22:13:20 host audispd: node=web-1 ', 'Nov 14 22:13:20 host audisp-syslog[9]: '],
  ]
  for (const head of heads) {
    const { events, reading } = await readAll(`${head}${RECORD}`)
    t.match(events, [killed], head)
    t.equal(reading.lost.lines, 0, head)
  }
})
