/** What the bench makes of a containers or OCI profile: every contestant is fed from it. */
import t from 'tap'
import { foldErrnos, resolveProfile, toPolicy, toText } from '../../bench/profile'
import { compileRules } from '../../lib/compiler/compile'
import { native } from '../../lib/native'
import { normalise } from '../../lib/policy/normalise'
import { AUDIT_ARCH, findSyscall } from '../../lib/syscalls'

const allowed = (names: string[], more: object = {}): object => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  args: null,
  includes: {},
  excludes: {},
  ...more,
})
const arg = (index: number, op: string, value: number, valueTwo = 0): object => ({
  index,
  op,
  value,
  valueTwo,
})

const profile = {
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  syscalls: [
    allowed(['read', 'write', 'socketcall', 'no_such_call']),
    allowed(['write'], { args: [arg(0, 'SCMP_CMP_EQ', 1)] }),
    allowed(['arch_prctl'], { includes: { arches: ['amd64', 'x32'] } }),
    allowed(['lseek'], { includes: { arches: ['s390x'] } }),
    allowed(['dup'], { excludes: { arches: ['amd64'] } }),
    allowed(['mount'], { includes: { caps: ['CAP_SYS_ADMIN'] } }),
    allowed(['fsync'], { excludes: { caps: ['CAP_SYS_ADMIN'] } }),
    { names: ['bpf'], action: 'SCMP_ACT_ERRNO', errnoRet: 22, args: [] },
    allowed(['personality'], { args: [arg(0, 'SCMP_CMP_EQ', 0xffffffff)] }),
    allowed(['personality'], { args: [arg(0, 'SCMP_CMP_EQ', 8)] }),
    allowed(['personality'], { args: [arg(0, 'SCMP_CMP_EQ', 8)] }),
    allowed(['socket'], { args: [arg(0, 'SCMP_CMP_NE', 16), arg(2, 'SCMP_CMP_GT', 4)] }),
    // Two conditions on one argument are alternatives, as in runc.
    allowed(['ioctl'], { args: [arg(1, 'SCMP_CMP_LT', 10), arg(1, 'SCMP_CMP_EQ', 20)] }),
    allowed(['clone'], { args: [arg(0, 'SCMP_CMP_MASKED_EQ', 0x7e020000, 0)] }),
  ],
}

const isKnown = (name: string): boolean => findSyscall(name, 'x86_64') !== undefined
const resolved = resolveProfile(profile, isKnown)
const list = foldErrnos(resolved)

t.test('the list', async (t) => {
  const condition = (index: number, op: string, value: number, valueTwo = 0): object => ({
    index,
    op,
    value,
    valueTwo,
  })
  const rule = (name: string, ...conditions: object[]): object => ({
    name,
    action: 0x7fff0000,
    conditions,
  })
  t.same(list, {
    default: 0x00050001,
    rules: [
      rule('arch_prctl'),
      rule('clone', condition(0, 'maskedEq', 0x7e020000)),
      rule('fsync'),
      rule('ioctl', condition(1, 'lt', 10)),
      rule('ioctl', condition(1, 'eq', 20)),
      rule('personality', condition(0, 'eq', 0xffffffff)),
      rule('personality', condition(0, 'eq', 8)),
      rule('read'),
      rule('socket', condition(0, 'ne', 16), condition(2, 'gt', 4)),
      rule('write'),
    ],
  })
  t.equal(resolved.default, 0x00050026)
  t.same(
    resolved.rules.filter(({ name }) => name === 'bpf'),
    [{ name: 'bpf', action: 0x00050016, conditions: [] }],
    'errnos as the profile has them, before they are folded',
  )
  t.same(resolveProfile({ linux: { seccomp: profile } }, isKnown), resolved, 'or a config.json')
})

t.test('the text for the harness in C', async (t) => {
  const lines = toText(list).split('\n')
  t.equal(lines[0], 'default 327681')
  t.equal(lines[1], 'arch_prctl 2147418112 0')
  t.equal(lines[9], 'socket 2147418112 2 0 ne 16 0 2 gt 4 0')
})

t.test('the policy allows what the profile does, and nothing else', async (t) => {
  const { bytes } = compileRules(normalise(toPolicy(list), { arch: 'x86_64', pid: 1 }))
  const answer = (name: string, ...args: (number | bigint)[]): string => {
    const number = findSyscall(name, 'x86_64')?.number
    if (number === undefined) throw new Error(name)
    const words = BigUint64Array.from({ length: 6 }, (_, i) => BigInt(args[i] ?? 0))
    const action = native().evaluate(bytes, AUDIT_ARCH.x86_64, number, words)
    if (action === 0x7fff0000) return 'allow'
    return action === 0x00050001 ? 'EPERM' : action.toString(16)
  }
  const calls: [name: string, args: (number | bigint)[], answer: string][] = [
    ['read', [], 'allow'],
    ['write', [7], 'allow'],
    ['fsync', [], 'allow'],
    ['arch_prctl', [], 'allow'],
    ['lseek', [], 'EPERM'],
    ['dup', [], 'EPERM'],
    ['mount', [], 'EPERM'],
    ['bpf', [], 'EPERM'],
    ['personality', [0xffffffff], 'allow'],
    ['personality', [0xffffffffffffffffn], 'EPERM'],
    ['personality', [8], 'allow'],
    ['personality', [9], 'EPERM'],
    ['socket', [2, 0, 5], 'allow'],
    ['socket', [16, 0, 5], 'EPERM'],
    ['socket', [2, 0, 4], 'EPERM'],
    ['ioctl', [0, 9], 'allow'],
    ['ioctl', [0, 20], 'allow'],
    ['ioctl', [0, 10], 'EPERM'],
    ['clone', [0x01010000], 'allow'],
    ['clone', [0x10000000], 'EPERM'],
    // Not ENOSYS, which libseccomp would not say either.
    ['clone3', [], 'EPERM'],
    ['openat2', [], 'EPERM'],
    ['io_uring_enter', [], 'EPERM'],
  ]
  for (const [name, args, expected] of calls) {
    t.equal(answer(name, ...args), expected, `${name}(${args.join(', ')})`)
  }
})

t.test('every action, as seccomp-ts and as libseccomp have it', async (t) => {
  const names = ['KILL', 'KILL_PROCESS', 'KILL_THREAD', 'TRAP', 'TRACE', 'LOG', 'ALLOW']
  const calls = ['read', 'write', 'open', 'close', 'stat', 'fstat', 'lstat']
  const every = resolveProfile(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: names.map((name, i) => ({ names: [calls[i]], action: `SCMP_ACT_${name}` })),
    },
    isKnown,
  )
  const { bytes } = compileRules(normalise(toPolicy(every), { arch: 'x86_64', pid: 1 }))
  const answers = calls.map((name) =>
    native().evaluate(
      bytes,
      AUDIT_ARCH.x86_64,
      findSyscall(name, 'x86_64')?.number ?? -1,
      new BigUint64Array(6),
    ),
  )
  const [thread, log, allow] = [0, 0x7ffc0000, 0x7fff0000]
  t.same(answers, [thread, 0x80000000, thread, 0x30000, 0x7ff00000, log, allow])
})

t.test('of a masked comparison, bits that are not in the mask do not count', async (t) => {
  const masked = (value: number, valueTwo?: number): unknown => {
    const argument = { index: 0, op: 'SCMP_CMP_MASKED_EQ', value, valueTwo }
    const syscalls = [allowed(['read'], { args: [argument] })]
    return resolveProfile({ ...profile, syscalls }, isKnown).rules[0]?.conditions[0]?.valueTwo
  }
  t.equal(masked(6, 7), 6)
  t.equal(masked(0, 7), 0)
  t.equal(masked(6), 0)
})

t.test('what the list cannot say is refused', async (t) => {
  const refused = (changed: object, why: RegExp): void => {
    t.throws(() => foldErrnos(resolveProfile({ ...profile, ...changed }, isKnown)), {
      message: why,
    })
  }
  const withArgument = (argument: object): object => ({
    syscalls: [allowed(['read'], { args: [argument] })],
  })
  refused({ defaultAction: undefined }, /no defaultAction/)
  refused({ defaultAction: 'SCMP_ACT_KILL' }, /not a profile that allows by name/)
  refused({ syscalls: [{ names: ['read'], action: 'SCMP_ACT_LOG' }] }, /allows by name/)
  refused({ syscalls: [{ names: ['read'], action: 'SCMP_ACT_NOTIFY' }] }, /SCMP_ACT_NOTIFY/)
  refused(withArgument(arg(0, 'SCMP_CMP_NEAR', 1)), /unknown operator SCMP_CMP_NEAR/)
  refused(withArgument(arg(0, 'SCMP_CMP_EQ', 2 ** 53)), /not an exact integer/)
})
