/** Lines of any length from pieces of any size; every line accounted for; damaged logs. */
import { Readable } from 'node:stream'
import { createInterface } from 'node:readline'
import t from 'tap'
import { readLog, type LogInput } from '../../lib/recording'
import { LONGEST_LINE } from '../../lib/recording/lines'
import { Random } from '../helpers/analysis'

const record = (serial: number, syscall = 110): string =>
  `[ 6448.840271] audit: type=1326 audit(1700000000.123:${serial}): auid=0 uid=0 gid=0 ses=1 pid=42 comm="node" exe="/usr/bin/node" sig=0 arch=c000003e syscall=${syscall} compat=0 ip=0x7f01 code=0x7ffc0000`

const TEXT = `${record(1)}\r\n${record(2)}\n\n${record(3)}`
const bytes = Buffer.from(TEXT)

/** A byte at a time. */
const single = Array.from(bytes, (byte) => Uint8Array.of(byte))

async function* later<T>(values: readonly T[]): AsyncGenerator<T> {
  for (const value of values) yield await Promise.resolve(value)
}

/** Begins to read when it is asked for the first line: readline gives lines from when it is made. */
async function* readlines(): AsyncGenerator<string> {
  yield* createInterface({ input: Readable.from([bytes]) })
}

t.test('any kind of input', async (t) => {
  const inputs: readonly (readonly [what: string, input: LogInput])[] = [
    ['a text', TEXT],
    ['bytes', bytes],
    ['lines', TEXT.split('\n')],
    ['lines with their ends', TEXT.split('\n').map((line) => `${line}\n`)],
    ['bytes, one by one', single],
    ['a stream of bytes', Readable.from(single, { objectMode: false })],
    [
      'a stream of text, cut anywhere',
      Readable.from(TEXT.split(''), { objectMode: false, encoding: 'utf8' }),
    ],
    ['readline', readlines()],
    ['lines, later', later(TEXT.split('\n'))],
    ['bytes, later', later(single)],
  ]
  for (const [what, input] of inputs) {
    const { lines, summary } = await readLog(input)
    t.match(lines, { total: 4, events: 3, ignored: 1 }, what)
    t.equal(summary.programs[0]?.calls[0]?.count, 3, what)
  }
})

t.test('a line without end does not fill the memory', async (t) => {
  const piece = Buffer.alloc(1 << 20, 'x')
  function* endless(): Generator<Uint8Array> {
    for (let i = 0; i < 200; i++) yield piece
    yield Buffer.from(`\n${record(1)}\n`)
    yield Buffer.from(`7 write(1, "${'x'.repeat(2 * LONGEST_LINE)}", 9) = 9\n`)
  }
  const before = process.memoryUsage().rss
  const { lines, lost } = await readLog(endless())
  t.match(lines, { total: 3, events: 2, ignored: 1 })
  t.equal(lost.partial, 3, 'two lines were cut, and of one event something is missing')
  t.ok(process.memoryUsage().rss - before < 100 << 20)
})

t.test('a log much larger than what is kept of it', async (t) => {
  const LINES = 60_000
  function* log(): Generator<string> {
    for (let i = 0; i < LINES; i++) yield record(i, i % 300).replace('node', `p${i % 10_000}`)
  }
  const { lines, summary } = await readLog(log())
  t.equal(lines.events, LINES)
  t.ok(summary.programs.length <= 4096)
  const told = summary.programs
    .flatMap(({ calls }) => calls)
    .reduce((sum, { count }) => sum + count, 0)
  t.equal(told + summary.crowdedOut, LINES, 'what is not told apart is counted')
})

t.test('what is no log', async (t) => {
  const rows: readonly (readonly [what: string, input: LogInput, code: string, message: RegExp])[] =
    [
      ['nothing', '', 'ERR_LOG_NO_RECORD', /0 lines/],
      ['a text', 'hello\nworld\n', 'ERR_LOG_NO_RECORD', /2 lines.*log: true/],
      ['gzip', Buffer.from('1f8b0800', 'hex'), 'ERR_LOG_BINARY', /gzip.*zcat/],
      ['zstd', Buffer.from('28b52ffd00', 'hex'), 'ERR_LOG_BINARY', /zstd/],
      ['a journal', Buffer.from('LPKSHHRH\0\0'), 'ERR_LOG_BINARY', /journalctl --file/],
      ['something else', Buffer.from('\x7fELF\0\0\n\0'), 'ERR_LOG_BINARY', /lines are no text/],
    ]
  for (const [what, input, code, message] of rows) {
    await t.rejects(readLog(input), { name: 'LogError', code, message }, what)
  }
  const { lines } = await readLog(`\0\0\0\n${record(1)}`)
  t.match(lines, { events: 1, binary: 1, ignored: 1 }, 'a log with a hole in it is one')
})

t.test('no line takes long, whatever is in it', async (t) => {
  const words = [
    ...['x', ' ', '\t ', '"', '\\"', '<', '<1', '1<[', '(', '(a, ', '{', '[', '/*', '\u001b', '\r'],
    ...[
      'audit',
      'sig=',
      'sig= ',
      'sig=1 arch=',
      ' sig=1 arch=1 syscall=1',
      'imx[',
      'im',
      'type=1326 ',
    ],
    ...['pid=1 comm=', 'comm="', '---', '- ', '1 ', '1.1 ', '% time seconds ', 'syscall ', '<... '],
    ...[
      'audit(',
      'SECCOMP auid=',
      ',SECCOMP,',
      '<unfinished ...>',
      'messages ',
      '/* ',
      '6D',
      '{"a":',
    ],
  ]
  const starts = [
    '',
    '7 ',
    '{',
    'read(',
    '7 <... read resumed>',
    '--- SIGSYS {',
    '% time ',
    'type=1326 ',
  ]
  const slow: string[] = []
  for (const start of starts) {
    for (const word of words) {
      const line = start + word.repeat(Math.ceil(LONGEST_LINE / word.length))
      const before = performance.now()
      await readLog(`${line}\n${record(1)}`)
      if (performance.now() - before > 500) slow.push(`${start}${word}`)
    }
  }
  t.strictSame(slow, [])
})

const SEEDS: readonly string[] = [
  record(1),
  record(2).replace('comm="node"', 'comm=6D792070726F67'),
  'type=SECCOMP msg=audit(11/14/23 22:13:20.123:7) : auid=unset uid=root gid=root ses=unset pid=42 comm=my prog exe=/opt/my prog sig=SIGSYS arch=x86_64 syscall=execve compat=0 ip=0x1 code=kill ',
  ',SECCOMP,11/14/23,22:13:20,7,dac-decision,unset,system,root,privileged-acct,called-seccomp-controlled-syscall,failed,execve,,process,/usr/bin/node',
  JSON.stringify({ MESSAGE: `audit: ${record(3)}`, _HOSTNAME: 'a' }),
  JSON.stringify({ _AUDIT_TYPE: '1326', _AUDIT_ID: '9', MESSAGE: null, AUDIT_FIELD_SYSCALL: '1' }),
  '7 socket(AF_INET, SOCK_STREAM <unfinished ...>',
  '7 <... socket resumed>, IPPROTO_IP) = 3',
  '[pid 8<node>] 22:13:20.1 [   0] openat(AT_FDCWD</a>, "/x\\n\\"", O_RDONLY) = -1 EPERM (No) <0.0001>',
  '8 clone3({flags=CLONE_THREAD}, 88) = 9',
  '8 execve("/usr/bin/node", ["node"], 0x7ffc /* 3 vars */) = 0',
  '8 --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_syscall=__NR_getppid} ---',
  '8 +++ killed by SIGSYS (core dumped) +++',
  '% time     seconds  usecs/call     calls    errors syscall',
  '------ ----------- ----------- --------- --------- ----------------',
  ' 19.59    0.000019           3      1200        17 openat',
  'kauditd_printk_skb: 44 callbacks suppressed',
  'audit: audit_lost=12 audit_rate_limit=0 audit_backlog_limit=64',
  'hello',
]

t.test('5,000 damaged logs', async (t) => {
  const random = new Random(20)
  const noise = [
    '"',
    ',',
    '(',
    ')',
    '=',
    ' ',
    '\\',
    '\n',
    '\r',
    '\0',
    '\x1b',
    '\x1d',
    '0x',
    '9',
    '{',
    '<',
    '…',
    '\ud800',
  ]
  const damage = (text: string): string => {
    const at = random.below(text.length + 1)
    const length = random.below(8)
    switch (random.below(4)) {
      case 0:
        return text.slice(0, at)
      case 1:
        return text.slice(0, at) + text.slice(at + length)
      case 2:
        return text.slice(0, at) + random.pick(noise) + text.slice(at)
      default:
        return text.slice(0, at) + text.slice(at, at + length).repeat(3) + text.slice(at)
    }
  }
  let [records, kept] = [0, 0]
  const unaccounted: string[] = []
  const silent: string[] = []
  for (let i = 0; i < 5000; i++) {
    let text = Array.from({ length: 1 + random.below(6) }, () => random.pick(SEEDS)).join('\n')
    for (let n = random.below(5); n >= 0; n--) text = damage(text)
    let emitted = 0
    try {
      const { lines, lost } = await readLog(text, { onEvent: () => emitted++ })
      const sum = lines.events + lines.parts + lines.lost + lines.ignored
      const expected = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
      if (sum !== lines.total || lines.total !== expected || emitted !== lines.events)
        unaccounted.push(text)
      if (lost.losses.reduce((all, each) => all + each.lines, 0) !== lost.lines)
        unaccounted.push(text)
      // A line that still has its type is an event or a loss, unless it is one of the repeated.
      const marked = text
        .split('\n')
        .filter(
          (line) =>
            /\btype=1326 audit\(1700000000\.123:\d+\): auid=0/.test(line) && !/[\0]/.test(line),
        ).length
      records += marked
      kept += Math.min(marked, lines.events + lines.lost + lines.repeated)
      if (marked > lines.events + lines.lost + lines.repeated) silent.push(text)
    } catch (error) {
      if ((error as { name?: string }).name !== 'LogError') throw error
    }
  }
  t.strictSame(unaccounted.slice(0, 3), [], 'every line is accounted for')
  t.strictSame(silent.slice(0, 3), [], 'no record is lost in silence')
  t.ok(records > 1000, `${kept} of ${records} records`)
})
