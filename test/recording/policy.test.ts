/** What a log comes to, and the policy that is made of it. */
import t from 'tap'
import {
  NODE_LOOKS,
  NODE_NEEDS,
  policyFromLog,
  readLog,
  summarise,
  type LogEvent,
  type LogSummary,
} from '../../lib/recording'
import { allow, definePolicy, errno, kill, log } from '../../lib/policy'
import { simulate } from '../../lib/analysis'
import { isSyscallName, type SyscallName } from '../../lib/syscalls'

const record = (serial: number, syscall: number, who: string, rest = ''): string =>
  `audit: type=1326 audit(170000000${serial}.000:${serial}): auid=0 uid=0 gid=0 ses=1 pid=${serial} ${who} sig=0 arch=c000003e syscall=${syscall} compat=0 ip=0x7f01 code=${rest === '' ? '0x7ffc0000' : rest}`

const NODE = 'comm="node" exe="/usr/bin/node"'
const RUNC = 'comm="runc:[2:INIT]" exe="/"'
const TOOL = 'comm="tool" exe="/opt/tool"'

const summaryOf = async (...lines: readonly string[]): Promise<LogSummary> =>
  (await readLog(lines, { arch: 'x86_64' })).summary

t.test('who called what', async (t) => {
  const summary = await summaryOf(
    record(1, 110, TOOL),
    record(2, 110, TOOL),
    record(3, 110, TOOL, '0x50000'),
    record(4, 41, 'comm="libuv-worker" exe="/usr/bin/node"'),
    record(5, 41, NODE),
    record(6, 3, RUNC),
    record(7, 4000, TOOL),
  )
  t.match(summary, {
    events: 7,
    unnamed: 1,
    architectures: { x86_64: 7 },
    programs: [
      {
        name: '/opt/tool',
        node: false,
        pids: 4,
        calls: [
          { syscall: 'getppid', action: 'errno', count: 1 },
          {
            syscall: 'getppid',
            action: 'log',
            count: 2,
            first: { line: 1, time: 1_700_000_001_000 },
            last: { line: 2, time: 1_700_000_002_000 },
            permit: { getppid: { action: 'allow' } },
          },
          { unnamed: '4000', count: 1 },
        ],
      },
      { name: '/usr/bin/node', node: true, comms: ['libuv-worker', 'node'], pids: 2 },
      { name: 'runc:[2:INIT]', runtime: /^runc/, calls: [{ syscall: 'close' }] },
    ],
  })
})

t.test('a policy of what was seen', async (t) => {
  const summary = await summaryOf(
    record(1, 110, TOOL),
    record(2, 41, TOOL, '0x50000'),
    record(3, 3, RUNC),
    record(4, 4000, TOOL),
    record(5, 425, TOOL),
    record(6, 11, TOOL).replace('c000003e', '40000003'),
  )
  const { policy, origins, leftOut } = policyFromLog(summary, { name: 'tool' })
  t.strictSame(JSON.parse(JSON.stringify(policy)), {
    name: 'tool',
    default: { action: 'errno', errno: 'EPERM' },
    syscalls: { getppid: { action: 'allow' }, socket: { action: 'allow' } },
  })
  t.strictSame(origins, [
    { syscall: 'getppid', from: 'log', count: 1, programs: ['/opt/tool'] },
    { syscall: 'socket', from: 'log', count: 1, programs: ['/opt/tool'] },
  ])
  t.match(leftOut, [
    { call: '11', arch: 'i386', count: 1 },
    { call: '4000', arch: 'x86_64' },
    { call: 'close', programs: ['runc:[2:INIT]'], why: /runc/ },
    { call: 'io_uring_setup', why: /ENOSYS/ },
  ])
  const all = policyFromLog(summary, {
    programs: () => true,
    include: ['io_uring_setup', 'getpid'],
    default: kill,
  })
  t.strictSame(Object.keys(all.policy.syscalls ?? {}), [
    ...['close', 'getpid', 'getppid', 'io_uring_setup', 'socket'],
  ])
  t.match(all.origins[1], { syscall: 'getpid', from: 'include' })
  t.throws(() => policyFromLog(summary, { include: ['getpud' as never] }), {
    code: 'ERR_UNKNOWN_SYSCALL',
    suggestion: 'getpid',
  })
})

t.test('the same log in any order gives the same policy', async (t) => {
  const lines = [41, 3, 110, 257, 0].map((number, index) => record(index + 1, number, NODE))
  const texts = [lines, [...lines].reverse()].map(async (each) =>
    JSON.stringify(policyFromLog(await summaryOf(...each)).policy),
  )
  const [one, two] = await Promise.all(texts)
  t.equal(one, two)
})

t.test('what Node needs is joined, and nothing that reaches further', async (t) => {
  const summary = await summaryOf(record(1, 110, NODE))
  for (const [name, fallback] of Object.entries({ kill, EPERM: errno('EPERM'), log })) {
    const { policy, origins } = policyFromLog(summary, { default: fallback })
    t.equal(JSON.stringify(definePolicy(policy)), JSON.stringify(policy), `${name}: valid`)
    for (const { syscalls } of NODE_NEEDS) {
      for (const syscall of syscalls) t.ok(policy.syscalls?.[syscall], `${name}: ${syscall}`)
    }
    for (const { syscall, from, why } of origins) {
      if (syscall !== 'getppid') t.match({ from, why }, { from: 'node', why: /\w/ }, syscall)
    }
    const looks = NODE_LOOKS.syscalls.filter((syscall) => policy.syscalls?.[syscall] !== undefined)
    t.equal(looks.length > 0, name !== 'EPERM', `${name}: looking is an errno, not a signal`)
  }
  const { policy } = policyFromLog(summary, { default: kill })
  const dangerous: readonly SyscallName[] = [
    ...([
      'execve',
      'execveat',
      'fork',
      'vfork',
      'ptrace',
      'mount',
      'umount2',
      'pivot_root',
    ] as const),
    ...([
      'unshare',
      'setns',
      'bpf',
      'init_module',
      'finit_module',
      'kexec_load',
      'reboot',
    ] as const),
    ...(['process_vm_writev', 'process_vm_readv', 'pidfd_getfd', 'userfaultfd', 'keyctl'] as const),
    ...(['open_by_handle_at', 'perf_event_open', 'setuid', 'setgid', 'chroot', 'socket'] as const),
    ...(['connect', 'bind', 'unlink', 'rename', 'clone3', 'io_uring_setup', 'seccomp'] as const),
  ]
  for (const syscall of dangerous) {
    const { action } = simulate(policy, { syscall }, { arch: 'x86_64', pid: 1 })
    t.ok(action === 'kill' || action === 'errno', `${syscall}: ${action}`)
  }
  const here = { arch: 'x86_64', pid: 77 } as const
  const rows: readonly (readonly [
    syscall: SyscallName,
    args: readonly (number | string)[],
    string,
  ])[] = [
    ['kill', [77, 6], 'allow'],
    ['kill', [78, 6], 'kill'],
    ['tgkill', [77, 78, 6], 'allow'],
    ['tgkill', [78, 78, 6], 'kill'],
    ['clone', [0x3d0f00], 'allow'],
    ['clone', [17], 'kill'],
    ['openat', [0, 0, 0], 'errno'],
    ['ioctl', [0, 'TIOCSTI'], 'kill'],
    ['prctl', ['PR_SET_NAME'], 'allow'],
    ['prctl', ['PR_SET_MM'], 'kill'],
    ['prlimit64', [0, 0, 1], 'kill'],
  ]
  for (const [syscall, args, action] of rows) {
    t.equal(simulate(policy, { syscall, args }, here).action, action, `${syscall}(${args.join()})`)
  }
  t.strictSame(
    Object.keys(policyFromLog(summary, { node: false }).policy.syscalls ?? {}),
    ['getppid'],
    'unless told not to',
  )
})

t.test('the table names calls that there are', (t) => {
  for (const { syscalls, why } of [...NODE_NEEDS, NODE_LOOKS]) {
    t.ok(why.length > 10)
    for (const name of syscalls) t.ok(isSyscallName(name), name)
  }
  t.end()
})

t.test('clone3 becomes clone', async (t) => {
  const tool = await summaryOf(record(1, 435, TOOL))
  t.strictSame(
    { ...(policyFromLog(tool).policy.syscalls?.clone as object) },
    { ...allow },
    'its arguments are not told',
  )
  const node = await summaryOf(record(1, 435, NODE))
  t.match(policyFromLog(node).policy.syscalls?.clone, { when: { clone_flags: {} } }, 'threads')
  const threads = await summaryOf('clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD}, 88) = 9')
  const { policy, leftOut } = policyFromLog(threads)
  t.match(policy.syscalls?.clone, { when: { clone_flags: {} } })
  t.match(leftOut, [{ call: 'clone3', why: /clone/ }])
  const both = await summaryOf(record(1, 435, NODE), record(2, 56, NODE))
  t.strictSame(
    { ...(policyFromLog(both).policy.syscalls?.clone as object) },
    { ...allow },
    'one that was seen itself is permitted',
  )
})

t.test('arguments are suggested, and taken where asked', async (t) => {
  const summary = await summaryOf(
    'socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 3',
    'socket(AF_INET6, SOCK_STREAM, IPPROTO_IP) = 3',
    'ioctl(0, TCGETS, {c_iflags=0x500}) = 0',
    'ioctl(0, 0x5421 /* FIONBIO */, [1]) = 0',
    'ioctl(0, SNDCTL_TMR_TIMEBASE or TIOCGWINSZ, 0x7f) = 0',
    'fcntl(3, F_FROBNICATE) = 0',
    'prctl(PR_SET_NAME, "x") = 0',
    'clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 8',
  )
  const suggested = (name: SyscallName): unknown =>
    summary.programs.flatMap(({ calls }) => calls).find(({ syscall }) => syscall === name)
      ?.suggestion?.[name]
  t.match(suggested('socket'), {
    action: 'allow',
    when: { family: { op: 'oneOf', values: ['AF_INET', 'AF_INET6'] } },
  })
  t.match(suggested('ioctl'), { when: { cmd: { values: ['TCGETS', 'TIOCGWINSZ', 'FIONBIO'] } } })
  t.match(suggested('prctl'), { when: { option: { values: ['PR_SET_NAME'] } } })
  t.equal(suggested('fcntl'), undefined, 'one that is not known')
  t.equal(suggested('clone'), undefined, 'a process')
  t.strictSame(
    { ...(policyFromLog(summary).policy.syscalls?.socket as object) },
    { ...allow },
    'not by default',
  )
  const narrow = policyFromLog(summary, { narrow: true })
  t.equal(simulate(narrow.policy, { syscall: 'socket', args: ['AF_INET'] }).action, 'allow')
  t.equal(simulate(narrow.policy, { syscall: 'socket', args: ['AF_UNIX'] }).action, 'errno')
  t.equal(simulate(narrow.policy, { syscall: 'fcntl' }).action, 'allow')
})

t.test('the exec by which strace starts the program is not the program’s', async (t) => {
  const start = '7 execve("/opt/tool", ["tool"], 0x7ffc /* 35 vars */) = 0'
  const once = policyFromLog(await summaryOf(start, '7 getpid() = 7'))
  t.strictSame(Object.keys(once.policy.syscalls ?? {}), ['getpid'])
  t.match(once.leftOut, [{ call: 'execve', why: /strace/ }])
  const twice = policyFromLog(await summaryOf(start, '7 execve("/bin/ls", ["ls"], 0x7ffc) = 0'))
  t.strictSame(Object.keys(twice.policy.syscalls ?? {}), ['execve'])
})

t.test('summarise takes events from anywhere', (t) => {
  const event: LogEvent = { format: 'audit', line: 1, syscall: 'getpid', count: 1 }
  t.match(summarise([event, event]), { events: 2, programs: [{ calls: [{ count: 2 }] }] })
  t.end()
})
