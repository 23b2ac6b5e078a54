/** strace's lines in all their ways, and the table of -c. */
import t from 'tap'
import { readLog, type LogEvent } from '../../lib/recording'
import { readCall, readPrefix } from '../../lib/recording/strace-line'
import { eventsOf, readAll } from './helpers'

t.test('what stands in front of a call', (t) => {
  const rows: readonly (readonly [line: string, expected: object])[] = [
    ['read(0', {}],
    ['12 read(0', { pid: 12 }],
    ['12    read(0', { pid: 12 }],
    ['[pid   12] read(0', { pid: 12 }],
    ['[pid   12<node>] read(0', { pid: 12, comm: 'node' }],
    ['12<node> read(0', { pid: 12, comm: 'node' }],
    ['22:13:20 read(0', { clock: '22:13:20' }],
    ['12 22:13:20.123456 read(0', { pid: 12, clock: '22:13:20.123456' }],
    ['12 1700000000.123456 read(0', { pid: 12, time: 1_700_000_000_123 }],
    ['     0.000123 read(0', { clock: '0.000123' }],
    ['[   0] read(0', { number: 0 }],
    ['[00007f0123456789] read(0', { ip: '0x7f0123456789' }],
    ['[????????????????] read(0', {}],
    [
      '[pid 12] 22:13:20 [   0] [00007f0123456789] read(0',
      { pid: 12, clock: '22:13:20', number: 0, ip: '0x7f0123456789' },
    ],
  ]
  for (const [line, expected] of rows)
    t.match(readPrefix(line), { ...expected, rest: 'read(0' }, line)
  t.end()
})

t.test('arguments', (t) => {
  const rows: readonly (readonly [line: string, args: readonly string[]])[] = [
    ['getpid() = 1', []],
    ['read(0, "a, b)", 5) = 5', ['0', '"a, b)"', '5']],
    ['read(0, "\\"a\\\\", 5) = 5', ['0', '"\\"a\\\\"', '5']],
    ['write(1</a, (b)>, "", 0) = 0', ['1</a, (b)>', '""', '0']],
    [
      'write(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, "", 0) = 0',
      ['3<TCP:[127.0.0.1:1->127.0.0.1:2]>', '""', '0'],
    ],
    ['f([{a=1, b=2}, 3], 1<<3) = 0', ['[{a=1, b=2}, 3]', '1<<3']],
    ['f(0x1 /* a, b) */, 2) = 0', ['0x1 /* a, b) */', '2']],
    ['f(1, 2', ['1', '2']],
  ]
  for (const [line, args] of rows) t.strictSame(readCall(line)?.args, args, line)
  t.end()
})

t.test('calls', async (t) => {
  const rows: readonly (readonly [line: string, expected: Partial<LogEvent>])[] = [
    ['getppid() = 1', { syscall: 'getppid', number: 110, arch: 'x86_64' }],
    ['openat(AT_FDCWD, "/x", O_RDONLY) = -1 EACCES (Permission denied)', { error: 'EACCES' }],
    ['getppid() = -1 EPERM (Operation not permitted) <0.000010>', { error: 'EPERM' }],
    [
      'syscall_0x1c4(0x1, 0, 0, 0, 0, 0) = -1 ENOSYS (Function not implemented)',
      { syscall: 'fchmodat2', number: 452 },
    ],
    [
      'syscall_0x270f(0x1, 0, 0, 0, 0, 0) = -1 ENOSYS (Function not implemented)',
      { unnamed: 'syscall_0x270f', number: 9999 },
    ],
    ['frobnicate(1) = 0', { unnamed: 'frobnicate' }],
    ['[ 110] frobnicate(1) = 0', { syscall: 'getppid', number: 110 }],
    ['exit_group(0) = ?', { syscall: 'exit_group' }],
    ['restart_syscall(<... resuming interrupted read ...>) = 0', { syscall: 'restart_syscall' }],
    ['read(0, "abc', { syscall: 'read', partial: true }],
    ['read(0,  <detached ...>', { syscall: 'read', partial: true }],
  ]
  for (const [line, expected] of rows) {
    const { events } = await readAll(line)
    t.equal(events.length, 1, line)
    for (const [key, value] of Object.entries(expected)) {
      t.equal(events[0]?.[key as keyof LogEvent], value, `${line}: ${key}`)
    }
  }
})

t.test('a call on two lines is one event', async (t) => {
  const { events, reading } = await readAll(
    [
      '7  socket(AF_INET, SOCK_STREAM <unfinished ...>',
      '8  getppid( <unfinished ...>',
      '7  <... socket resumed>, IPPROTO_IP) = 3',
      '8  <... getppid resumed>) = 1',
      '9  <... wait4 resumed>[{WIFEXITED(s)}], 0, NULL) = 18109',
      '7  epoll_wait(3,  <unfinished ...>',
      '8  +++ exited with 0 +++',
    ].join('\n'),
  )
  t.match(events, [
    { line: 1, syscall: 'socket', pid: 7, args: ['AF_INET', 'SOCK_STREAM', 'IPPROTO_IP'] },
    { line: 2, syscall: 'getppid', pid: 8, args: [] },
    { line: 5, syscall: 'wait4', pid: 9, partial: true },
    { line: 6, syscall: 'epoll_wait', partial: true },
  ])
  t.match(reading.lines, { total: 7, events: 4, parts: 2, ignored: 1, lost: 0 })
})

t.test('who runs what', async (t) => {
  const { reading } = await readAll(
    [
      '7 execve("/bin/sh", ["sh"], 0x7ffc /* 35 vars */) = 0',
      '7 getpid() = 7',
      '7 vfork( <unfinished ...>',
      '8 close(3) = 0',
      '8 execve("/opt/tool", ["tool"], 0x7ffc) = -1 ENOENT (No such file or directory)',
      '8 execve("/usr/bin/node", ["node"], 0x7ffc <unfinished ...>',
      '7 <... vfork resumed>) = 8',
      '8 <... execve resumed>) = 0',
      '8 clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD, stack=0x1} => {parent_tid=[9]}, 88) = 9',
      '9 gettid() = 9',
    ].join('\n'),
  )
  const programs = reading.summary.programs.map(({ name, node, launch, calls }) => ({
    name,
    node,
    launch,
    calls: calls.map(({ syscall }) => syscall),
  }))
  t.strictSame(programs, [
    { name: '(strace, starting the program)', node: false, launch: true, calls: ['execve'] },
    { name: '/bin/sh', node: false, launch: false, calls: ['close', 'execve', 'getpid', 'vfork'] },
    { name: '/usr/bin/node', node: true, launch: false, calls: ['clone3', 'gettid'] },
  ])
})

t.test('which call a filter refused by a signal', async (t) => {
  const trapped = await eventsOf(
    [
      '7 getppid() = 110',
      '7 --- SIGSYS {si_signo=SIGSYS, si_code=SYS_SECCOMP, si_call_addr=0x7f76, si_syscall=__NR_getppid, si_arch=AUDIT_ARCH_X86_64} ---',
      '7 +++ killed by SIGSYS (core dumped) +++',
    ].join('\n'),
  )
  t.match(trapped, [{ syscall: 'getppid', action: 'trap', signal: 'SIGSYS' }])
  const killed = await eventsOf(
    [
      '8 pause( <unfinished ...>',
      '7 getpid() = 7',
      '7 getppid() = 110',
      '9 read(0,  <unfinished ...>',
      '8 <... pause resumed>) = ?',
      '8 +++ killed by SIGSYS +++',
      '7 +++ killed by SIGSYS (core dumped) +++',
      '9 <... read resumed>) = ?',
      '9 +++ killed by SIGSYS +++',
    ].join('\n'),
  )
  t.strictSame(
    killed.filter(({ action }) => action !== undefined).map(({ syscall }) => syscall),
    ['getppid'],
  )
})

t.test('a thread of another architecture', async (t) => {
  const { events, reading } = await readAll(
    [
      'strace: [ Process PID=7 runs in 32 bit mode. ]',
      '7 getppid() = 1',
      '8 getppid() = 1',
      'strace: [ Process PID=7 runs in 64 bit mode. ]',
      '7 getppid() = 1',
    ].join('\n'),
  )
  t.match(events, [
    { unnamed: 'getppid', arch: 'i386' },
    { syscall: 'getppid' },
    { syscall: 'getppid' },
  ])
  t.equal(events[0]?.syscall, undefined)
  t.match(reading.summary, { unnamed: 1, architectures: { i386: 1, x86_64: 2 } })
})

t.test('what is no call', async (t) => {
  const { reading } = await readAll(
    [
      'getppid() = 1',
      'strace: Process 8 attached',
      '7 --- SIGCHLD {si_signo=SIGCHLD} ---',
      'hello (world)',
      'foo(bar) happened',
      'if (x) = 3',
      '',
    ].join('\n'),
  )
  t.match(reading.lines, { events: 1, ignored: 5, lost: 0 })
})

const TABLE = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 39.18    0.000038          38         1           getppid
 19.59    0.000019           3      1200        17 openat
 10.00    0.000010          10         1           syscall_0x270f
  0.00    0.000000           0         1           execve
------ ----------- ----------- --------- --------- ----------------
100.00    0.000097           5      1203        17 total
`

t.test('strace -c', async (t) => {
  const { events, reading } = await readAll(TABLE)
  t.match(events, [
    { format: 'strace-summary', syscall: 'getppid', count: 1 },
    { syscall: 'openat', count: 1200, failed: 17 },
    { unnamed: 'syscall_0x270f' },
    { syscall: 'execve', launch: true },
  ])
  t.match(reading.lines, { total: 8, events: 4, ignored: 4, lost: 0 })

  const [wall] = await eventsOf(
    TABLE.replace('usecs/call', 'usecs/call  shortest').replace(
      '          38  ',
      '          38 0.000001 ',
    ),
  )
  t.match(wall, { syscall: 'getppid', count: 1 }, 'with a column more')

  const damaged = await readAll(TABLE.replace('1200        17 openat', '1200 17 5 9 openat'))
  t.match(damaged.reading.lost, {
    lines: 1,
    losses: [{ kind: 'malformed', examples: [{ line: 4 }] }],
  })
})

t.test('calls that are never finished take time in proportion to their number', async (t) => {
  const seconds = async (call: string, count: number): Promise<number> => {
    const text = Array.from({ length: count }, (_, i) => `${i + 1} ${call} <unfinished ...>`)
    const before = process.cpuUsage()
    const { lines } = await readLog(text, { arch: 'x86_64' })
    const { user } = process.cpuUsage(before)
    t.equal(lines.events, count)
    return user
  }
  for (const call of ['read(3', 'clone(child_stack=NULL']) {
    await seconds(call, 2000)
    const [few, many] = [await seconds(call, 4000), await seconds(call, 40_000)]
    t.ok(
      many < 40 * few,
      `${call}: ten times as many took ${(many / few).toFixed(1)} times as long`,
    )
  }
})

t.test(
  'the last thread that began to make another is the parent, whoever ended meanwhile',
  async (t) => {
    const text = ['1 execve("/bin/a", [], 0) = 0', '2 execve("/bin/b", [], 0) = 0']
    // Forks that overlap: each ends after the next began, so that no end is the last one's.
    text.push('1 clone(flags=SIGCHLD <unfinished ...>')
    for (let i = 0; i < 500; i++) {
      text.push(`2 vfork( <unfinished ...>`, `1 <... clone resumed>) = ${1000 + 2 * i}`)
      text.push(
        `1 clone(flags=SIGCHLD <unfinished ...>`,
        `2 <... vfork resumed>) = ${1001 + 2 * i}`,
      )
    }
    text.push('9000 getpid() = 9000', '2 vfork( <unfinished ...>', '9001 getpid() = 9001')
    text.push('2 <... vfork resumed>) = 9001', '9002 getpid() = 9002')
    const events = await eventsOf(text.join('\n'))
    const exeOf = (pid: number): string | undefined => events.find((each) => each.pid === pid)?.exe
    t.strictSame([9000, 9001, 9002].map(exeOf), ['/bin/a', '/bin/b', '/bin/a'])
  },
)
