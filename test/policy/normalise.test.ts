import t from 'tap'
import {
  allow,
  between,
  eq,
  errno,
  ge,
  gt,
  hasAll,
  hasAny,
  hasNone,
  kill,
  le,
  log,
  lt,
  maskedEq,
  ne,
  noneOf,
  oneOf,
  trace,
  type Policy,
} from '../../lib/policy'
import { normalise, type Rules } from '../../lib/policy/normalise'

const ENOSYS = 0x00050026
const EPERM = 0x00050001
const ALLOW = 0x7fff0000

const rulesFor = (syscalls: Policy['syscalls'], more: Partial<Policy> = {}): Rules =>
  normalise({ default: errno('EPERM'), ...more, syscalls }, { arch: 'x86_64', pid: 4242 })

const find = (rules: Rules, name: string): Rules['syscalls'][number] | undefined =>
  rules.syscalls.find((syscall) => syscall.name === name)

const firstSet = (syscalls: Policy['syscalls'], name: string): unknown =>
  find(rulesFor(syscalls), name)?.rules[0]?.conditions[0]?.set

t.test('actions become SECCOMP_RET_* values', async (t) => {
  const actions = rulesFor({
    read: allow,
    write: errno(7),
    ptrace: kill,
    mount: log,
    bpf: trace(9),
  })
  t.equal(find(actions, 'read')?.rules[0]?.action, ALLOW)
  t.equal(find(actions, 'write')?.rules[0]?.action, 0x00050007)
  t.equal(find(actions, 'ptrace')?.rules[0]?.action, 0x80000000)
  t.equal(find(actions, 'mount')?.rules[0]?.action, 0x7ffc0000)
  t.equal(find(actions, 'bpf')?.rules[0]?.action, 0x7ff00009)
  t.equal(actions.defaultAction, EPERM)
  t.equal(actions.foreignArchAction, 0x80000000)
})

t.test('comparators on a signed 32-bit int become ranges of unsigned words', async (t) => {
  const family = (comparator: unknown): unknown =>
    firstSet({ socket: allow.when({ family: comparator }) } as Policy['syscalls'], 'socket')
  const ranges = (...ranges: [bigint, bigint][]): unknown => ({ kind: 'ranges', ranges })
  t.same(family(eq('AF_INET')), ranges([2n, 2n]))
  t.same(family(eq(-1)), ranges([0xffffffffn, 0xffffffffn]), 'a negative int')
  t.same(family(ne(2)), ranges([0n, 1n], [3n, 0xffffffffn]))
  t.same(family(lt(2)), ranges([0n, 1n], [0x80000000n, 0xffffffffn]), 'negatives are less')
  t.same(family(le(-2)), ranges([0x80000000n, 0xfffffffen]))
  t.same(family(gt(2)), ranges([3n, 0x7fffffffn]), 'negatives are not greater')
  t.same(family(ge(-1)), ranges([0n, 0x7fffffffn], [0xffffffffn, 0xffffffffn]))
  t.same(family(between(-1, 1)), ranges([0n, 1n], [0xffffffffn, 0xffffffffn]))
  t.same(family(oneOf(1, 2, 3, 10)), ranges([1n, 3n], [10n, 10n]), 'neighbours merge')
  t.same(family(noneOf(0, 0xffffffff)), ranges([1n, 0xfffffffen]))
})

t.test('widths come from the C type', async (t) => {
  const width = (syscalls: Policy['syscalls'], name: string): number | undefined =>
    find(rulesFor(syscalls), name)?.rules[0]?.conditions[0]?.width
  t.equal(width({ socket: allow.when({ family: eq(2) }) }, 'socket'), 32)
  t.equal(width({ lseek: allow.when({ offset: eq(2) }) }, 'lseek'), 64)
  t.equal(width({ chmod: allow.when({ mode: eq(0o777) }) }, 'chmod'), 16, 'umode_t')
  t.equal(width({ socket: allow.when({ arg0: eq(2) }) }, 'socket'), 64, 'raw')
  t.equal(
    width({ socket: allow.when({ family: { ...eq('AF_INET'), width: 64 } }) }, 'socket'),
    64,
    'asked for',
  )
})

t.test('masks', async (t) => {
  const flags = (comparator: unknown): unknown =>
    firstSet({ openat: allow.when({ flags: comparator }) } as Policy['syscalls'], 'openat')
  const masked = (mask: bigint, expected: bigint, negate = false): unknown => ({
    kind: 'masked',
    mask,
    expected,
    negate,
  })
  t.same(flags(hasAll('O_CREAT', 'O_EXCL')), masked(0o300n, 0o300n))
  t.same(flags(hasAny('O_CREAT', 'O_EXCL')), masked(0o300n, 0n, true))
  t.same(flags(hasNone('O_CREAT', 'O_EXCL')), masked(0o300n, 0n))
  t.same(flags(maskedEq(['O_ACCMODE', 'O_CREAT'], 'O_RDONLY')), masked(0o103n, 0n))
  t.same(flags(maskedEq(0xff, 3)), masked(0xffn, 3n))
})

t.test('64-bit values are exact', async (t) => {
  const set = firstSet({ lseek: allow.when({ arg1: eq(2n ** 64n - 1n) }) }, 'lseek')
  t.same(set, { kind: 'ranges', ranges: [[2n ** 64n - 1n, 2n ** 64n - 1n]] })
  const policy = {
    default: errno('EPERM'),
    syscalls: { lseek: allow.when({ arg1: eq(2n ** 64n - 1n) }) },
  }
  const again = JSON.parse(JSON.stringify(policy)) as Policy
  t.same(
    normalise(again, { arch: 'x86_64', pid: 1 }),
    normalise(policy, { arch: 'x86_64', pid: 1 }),
  )
})

t.test("'SELF' is the process id", async (t) => {
  t.same(firstSet({ kill: allow.when({ pid: eq('SELF') }) }, 'kill'), {
    kind: 'ranges',
    ranges: [[4242n, 4242n]],
  })
})

t.test('calls that hide their arguments answer ENOSYS unless they are named', async (t) => {
  const denying = rulesFor({ clone: allow })
  for (const name of [
    'clone3',
    'openat2',
    'io_uring_setup',
    'io_uring_enter',
    'io_uring_register',
  ]) {
    t.equal(find(denying, name)?.rules[0]?.action, ENOSYS, `${name} under a denying default`)
  }
  const named = rulesFor({ clone3: allow, io_uring_enter: allow })
  t.equal(find(named, 'clone3')?.rules[0]?.action, ALLOW, 'what is named stays')
  t.equal(find(named, 'io_uring_enter')?.rules[0]?.action, ALLOW)

  const open = rulesFor({ ptrace: kill }, { default: allow })
  t.equal(find(open, 'clone3'), undefined, 'nothing about clone is restricted')
  t.equal(find(open, 'io_uring_setup')?.rules[0]?.action, ENOSYS, 'but a ring could do anything')
  const conditional = rulesFor(
    { clone: errno('EPERM').when({ clone_flags: hasAll('CLONE_NEWUSER') }) },
    { default: allow },
  )
  t.equal(find(conditional, 'clone3')?.rules[0]?.action, ENOSYS, 'a conditional twin')

  const auditing = rulesFor({ read: allow }, { default: log })
  t.equal(
    find(auditing, 'io_uring_setup'),
    undefined,
    'a policy that denies nothing changes nothing',
  )
})

t.test('x32 and unknown numbers', async (t) => {
  t.same(rulesFor({}).ranges, [{ first: 0x40000000, last: 0xffffffff, action: ENOSYS }])
  const arm = normalise({ default: errno('EPERM') }, { arch: 'aarch64', pid: 1 })
  t.same(arm.ranges, [], 'arm64 has no x32')

  const at = (rules: Rules, number: number): number | undefined =>
    rules.ranges.find((range) => range.first <= number && number <= range.last)?.action
  const baseline = rulesFor({ cachestat: allow }, { baseline: '5.10' })
  t.equal(at(baseline, 439), undefined, 'faccessat2 (5.8) is known: the default')
  t.equal(at(baseline, 441), ENOSYS, 'epoll_pwait2 (5.11) is newer')
  t.equal(at(baseline, 451), undefined, 'cachestat (6.5) is newer but named')
  t.equal(at(baseline, 400), ENOSYS, 'never assigned on x86-64')
  t.equal(at(baseline, 9999), ENOSYS, 'beyond the table')
  t.equal(at(baseline, 0x40000000), ENOSYS)
})

t.test('a ceiling: what is above it answers ENOSYS', async (t) => {
  const at = (rules: Rules, number: number): number | undefined =>
    rules.ranges.find((range) => range.first <= number && number <= range.last)?.action
  const rules = rulesFor({ bpf: allow, cachestat: allow }, { ceiling: 'statx' })
  t.equal(at(rules, 332), undefined, 'statx itself')
  t.equal(at(rules, 400), ENOSYS, 'without a name')
  t.equal(at(rules, 441), ENOSYS, 'epoll_pwait2')
  t.equal(at(rules, 451), undefined, 'cachestat is named')
  t.equal(at(rules, 0x3fffffff), ENOSYS)
  t.equal(at(rules, 0x40000000), ENOSYS)
  const low = rulesFor({}, { ceiling: 'rseq' })
  t.equal(at(low, 333), undefined, 'below it, without a rule: the default')

  const both = rulesFor({ cachestat: allow }, { baseline: '5.10', ceiling: 'faccessat2' })
  t.equal(at(both, 439), undefined, 'faccessat2 (5.8): known, and the ceiling itself')
  t.equal(at(both, 440), ENOSYS, 'process_madvise (5.10): known, and above')
  t.equal(at(both, 400), ENOSYS, 'below, and nobody has it')
  t.equal(at(both, 451), undefined)
  const denials: Policy = { default: allow, ceiling: 'statx', syscalls: { bpf: errno('EPERM') } }
  t.equal(at(normalise(denials, { arch: 'x86_64', pid: 1 }), 441), ENOSYS, 'with any default')
  const arm = normalise(denials, { arch: 'aarch64', pid: 1 })
  t.equal(at(arm, 291), undefined, 'statx of arm64')
  t.equal(at(arm, 292), ENOSYS)
  t.equal(at(arm, 0xffffffff), ENOSYS)
  t.throws(
    () => normalise({ default: kill, ceiling: 'open' }, { arch: 'aarch64', pid: 1 }),
    { code: 'ERR_UNKNOWN_SYSCALL', path: '$.ceiling' },
    'arm64 has no open, and so nothing to count from',
  )
})

t.test('a call of another architecture is left out, not refused', async (t) => {
  const policy: Policy = { default: errno('EPERM'), syscalls: { open: allow, openat: allow } }
  const arm = normalise(policy, { arch: 'aarch64', pid: 1 })
  t.notOk(arm.syscalls.some((syscall) => syscall.name === 'open'))
  t.ok(arm.syscalls.some((syscall) => syscall.name === 'openat'))
})

t.test('more values than can be compared with each other', async (t) => {
  const list = (from: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => from + 2 * i)
  const rules = (count: number, values: number): unknown =>
    Array.from({ length: count }, (_, i) => ({
      action: 'allow',
      when: { arg1: { op: 'oneOf', values: list(i * 4 * values, values) } },
    }))
  const policy = (rule: unknown): unknown => ({
    default: { action: 'errno', errno: 'EPERM' },
    syscalls: { ioctl: rule },
  })
  t.throws(() => normalise(policy(rules(2, 40_000)), { arch: 'x86_64', pid: 1 }), {
    code: 'ERR_POLICY_SHAPE',
    path: '$.syscalls',
  })
  t.equal(normalise(policy(rules(60, 1000)), { arch: 'x86_64', pid: 1 }).syscalls.length > 0, true)
})
