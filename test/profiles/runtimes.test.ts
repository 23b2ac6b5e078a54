/**
 * What each runtime makes of a profile, case by case: measured with runc 1.1.5 and crun 1.8.1 or read in
 * their sources (lib/profiles/runtimes.ts). And what is made of it here, where no runtime is named.
 */
import t from 'tap'
import type { ProfileTarget } from '../../lib/profiles'
import {
  allowed,
  answer,
  arg,
  denied,
  failure,
  profileOf,
  resolved,
  X86,
} from '../helpers/profiles'

type Runtime = NonNullable<ProfileTarget['runtime']>
const under = (runtime: Runtime): ProfileTarget => ({ ...X86, runtime })
const ENGINES = ['runc', 'crun'] as const
const refused = (text: string, runtime?: Runtime): string => {
  const target = runtime === undefined ? X86 : under(runtime)
  return failure(() => resolved(text, target)).code
}
const INVALID = 'ERR_PROFILE_INVALID'
const REFUSED = 'ERR_PROFILE_REFUSED'
const UNDETERMINED = 'ERR_PROFILE_UNDETERMINED'

t.test('several arguments with distinct indices: all must hold', async (t) => {
  const text = profileOf([allowed(['socket'], [arg(0, 'EQ', 2), arg(1, 'EQ', 1)])])
  for (const target of [X86, ...ENGINES.map(under)]) {
    const { ask } = resolved(text, target)
    t.equal(ask('socket', 2, 1), 'allow')
    t.equal(ask('socket', 2, 2), 'EPERM')
    t.equal(ask('socket', 3, 1), 'EPERM')
  }
})

t.test('the same index twice: either for runtimes, both for us', async (t) => {
  const range = profileOf([allowed(['ioctl'], [arg(1, 'GE', 2), arg(1, 'LE', 5), arg(0, 'EQ', 7)])])
  for (const engine of ENGINES) {
    const { ask, codes } = resolved(range, under(engine))
    t.equal(ask('ioctl', 0, 9), 'allow', 'GE 2 or LE 5 is everything')
    t.ok(codes.includes('repeated-argument'))
  }
  const { ask, codes } = resolved(range)
  t.ok(codes.includes('repeated-argument'))
  t.equal(ask('ioctl', 7, 2), 'allow')
  t.equal(ask('ioctl', 7, 5), 'allow')
  t.equal(ask('ioctl', 7, 6), 'EPERM')
  t.equal(ask('ioctl', 7, 1), 'EPERM')
  t.equal(ask('ioctl', 6, 3), 'EPERM')
  const others = resolved(profileOf([allowed(['ioctl'], [arg(1, 'EQ', 2), arg(1, 'EQ', 5)])]))
  t.equal(others.ask('ioctl', 0, 2), 'EPERM', 'nothing is two values at once')
  t.ok(others.codes.includes('never-holds'))
  const holes = resolved(
    profileOf([allowed(['ioctl'], [arg(1, 'NE', 2), arg(1, 'NE', 5), arg(1, 'LT', 9)])]),
  )
  t.strictSame(
    [0, 1, 2, 3, 4, 5, 6, 8, 9].map((value) => holes.ask('ioctl', 0, value)),
    [0, 1, 2, 3, 4, 5, 6, 8, 9].map((v) => ([2, 5, 9].includes(v) ? 'EPERM' : 'allow')),
  )
})

t.test('a mask and a range on one argument', async (t) => {
  const text = profileOf([allowed(['ioctl'], [arg(1, 'MASKED_EQ', 1, 1), arg(1, 'LT', 9)])])
  t.equal(refused(text), INVALID, 'no comparator of ours says that')
  const { ask } = resolved(text, under('runc'))
  t.equal(ask('ioctl', 0, 11), 'allow')
  t.equal(ask('ioctl', 0, 8), 'allow')
  t.equal(ask('ioctl', 0, 10), 'EPERM')
})

t.test('more than six conditions: runc takes all, crun the first six', async (t) => {
  const args = [0, 1, 2, 3, 4, 5, 0].map((index) => arg(index, 'EQ', 1))
  const text = profileOf([allowed(['mmap'], args)])
  t.equal(resolved(text, under('runc')).ask('mmap', 1), 'allow', 'each is enough')
  const crun = resolved(text, under('crun'))
  t.equal(crun.ask('mmap', 1), 'EPERM')
  t.equal(crun.ask('mmap', 1, 1, 1, 1, 1, 1), 'allow', 'together')
  t.ok(crun.codes.includes('argument-count'))
  t.equal(refused(text), INVALID)
})

t.test('an index above 5', async (t) => {
  const text = profileOf([allowed(['read'], [arg(6, 'EQ', 1)])])
  t.equal(refused(text), INVALID)
  for (const engine of ENGINES) t.equal(refused(text, engine), REFUSED)
})

t.test('an unknown name', async (t) => {
  const text = profileOf([allowed(['raed', 'read', '_llseek', 'renameat'])])
  for (const target of [X86, ...ENGINES.map(under)]) {
    const { ask, codes } = resolved(text, target)
    t.equal(ask('read'), 'allow')
    t.ok(codes.includes('unknown-syscall'))
    t.ok(codes.includes('other-architecture'), '_llseek is a call of others')
  }
})

t.test('an empty name, or null', async (t) => {
  for (const name of ['', null]) {
    const text = profileOf([allowed([name, 'read'])])
    t.equal(refused(text), INVALID)
    t.equal(refused(text, 'runc'), REFUSED)
    t.equal(resolved(text, under('crun')).ask('read'), 'allow')
  }
})

t.test('no names, and the old `name`', async (t) => {
  for (const target of [X86, ...ENGINES.map(under)]) {
    t.equal(resolved(profileOf([allowed([])]), target).ask('read'), 'EPERM')
  }
  const old = profileOf([{ name: 'read', action: 'SCMP_ACT_ALLOW' }])
  t.equal(resolved(old, under('runc')).ask('read'), 'EPERM', 'passed over')
  t.equal(resolved(old, under('containerd')).ask('read'), 'EPERM', 'passed over')
  t.equal(refused(old, 'crun'), REFUSED, 'names is required')
  t.equal(resolved(old, under('docker')).ask('read'), 'allow')
  t.equal(resolved(old, under('podman')).ask('read'), 'allow')
  t.equal(resolved(old).ask('read'), 'allow', 'read as moby')
  const both = profileOf([{ name: 'read', names: ['write'], action: 'SCMP_ACT_ALLOW' }])
  t.equal(refused(both), INVALID)
  t.equal(refused(both, 'docker'), REFUSED)
  t.equal(resolved(both, under('runc')).ask('write'), 'allow')
})

t.test('the same action as the default: the rule is dropped', async (t) => {
  const text = profileOf([denied(['socket'], 1, [arg(0, 'EQ', 16)]), allowed(['socket'])])
  for (const engine of ENGINES) {
    const { ask, codes } = resolved(text, under(engine))
    t.equal(ask('socket', 16), 'allow')
    t.ok(codes.includes('same-as-default'))
  }
  t.equal(refused(text), INVALID, 'a refusal would be lost')
  const kill = { defaultAction: 'SCMP_ACT_KILL' }
  const thread = profileOf([{ names: ['read'], action: 'SCMP_ACT_KILL_THREAD' }], kill)
  t.ok(resolved(thread, under('runc')).codes.includes('same-as-default'), 'KILL is KILL_THREAD')
})

t.test('an errno on an action that carries none', async (t) => {
  const entry = profileOf([allowed(['read'], null, { errnoRet: 5 })])
  const whole = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 5 })
  for (const text of [entry, whole]) {
    t.equal(refused(text), INVALID)
    t.equal(resolved(text, under('runc')).ask('read'), 'allow')
    t.equal(refused(text, 'crun'), REFUSED)
    t.equal(refused(text, 'podman'), REFUSED, 'which has crun below it')
  }
})

t.test('errnos: 0, and what libseccomp takes', async (t) => {
  for (const target of [X86, ...ENGINES.map(under)]) {
    const { ask, codes } = resolved(profileOf([denied(['read'], 0)]), target)
    t.equal(ask('read'), 0, 'a success that is none')
    t.equal(codes.includes('errno-zero'), true)
    t.equal(resolved(profileOf([denied(['read'], 4094)]), target).ask('read'), 4094)
  }
  for (const errno of [4095, 65535]) {
    t.equal(refused(profileOf([denied(['read'], errno)])), INVALID)
    for (const engine of ENGINES) {
      t.equal(refused(profileOf([denied(['read'], errno)]), engine), REFUSED)
    }
  }
  for (const [errno, left] of [
    [65536, 0],
    [65538, 'ENOENT'],
  ] as const) {
    t.equal(refused(profileOf([denied(['read'], errno)])), INVALID)
    for (const engine of ENGINES) {
      t.equal(resolved(profileOf([denied(['read'], errno)]), under(engine)).ask('read'), left)
    }
  }
})

t.test('values: what is no integer of 64 bits', async (t) => {
  const withValue = (source: string): string =>
    profileOf([allowed(['read'], [arg(0, 'EQ', '@')])]).replace('"@"', source)
  t.equal(refused(withValue('-1')), INVALID)
  t.equal(refused(withValue('-1'), 'runc'), REFUSED)
  const { policy } = resolved(withValue('-1'), under('crun'))
  t.equal(answer(policy, 'read', [0xffff_ffff_ffff_ffffn]), 'allow', 'strtoull wraps')
  for (const source of ['"1"', 'true']) {
    t.equal(refused(withValue(source)), INVALID)
    t.equal(refused(withValue(source), 'runc'), REFUSED)
    t.equal(refused(withValue(source), 'crun'), UNDETERMINED, 'taken for something else')
  }
  for (const source of ['1.0', '1e0', '18446744073709551616']) {
    t.equal(refused(withValue(source)), INVALID)
    for (const engine of ENGINES) t.equal(refused(withValue(source), engine), REFUSED)
  }
  const large = '18446744073709551615'
  for (const target of [X86, ...ENGINES.map(under)]) {
    const exact = resolved(withValue(large), target).policy
    t.equal(answer(exact, 'read', [0xffff_ffff_ffff_ffffn]), 'allow')
    t.equal(answer(exact, 'read', [0xffff_ffff_ffff_fffen]), 'EPERM')
    const odd = resolved(withValue('9007199254740993'), target).policy
    t.equal(answer(odd, 'read', [9007199254740993n]), 'allow', '2^53 + 1 is not 2^53')
    t.equal(answer(odd, 'read', [9007199254740992n]), 'EPERM')
  }
})

t.test('what is missing: value and index are 0, the rest is an error', async (t) => {
  const zero = profileOf([allowed(['read'], [{ op: 'SCMP_CMP_EQ' }])])
  t.equal(refused(zero), INVALID)
  for (const engine of ENGINES) {
    t.equal(resolved(zero, under(engine)).ask('read', 0), 'allow')
    t.equal(resolved(zero, under(engine)).ask('read', 1), 'EPERM')
  }
  const broken = [
    profileOf([allowed(['read'], [{ index: 0, value: 1 }])]),
    profileOf([allowed(['read'], [arg(0, 'NEAR', 1)])]),
    profileOf([allowed(['read'], [arg(0, 'eq', 1)])]),
    profileOf([{ names: ['read'], action: 'scmp_act_allow' }]),
    profileOf([{ names: ['read'], action: 'ALLOW' }]),
    profileOf([{ names: ['read'] }]),
  ]
  for (const text of broken) {
    t.equal(refused(text), INVALID)
    for (const engine of ENGINES) t.equal(refused(text, engine), REFUSED)
  }
})

t.test('MASKED_EQ: value is the mask, valueTwo what is left', async (t) => {
  for (const target of [X86, ...ENGINES.map(under)]) {
    const of = (...args: [number, number?]): ReturnType<typeof resolved> =>
      resolved(profileOf([allowed(['clone'], [arg(0, 'MASKED_EQ', ...args)])]), target)
    t.equal(of(6, 2).ask('clone', 3), 'allow')
    t.equal(of(6, 2).ask('clone', 7), 'EPERM')
    t.equal(of(6).ask('clone', 1), 'allow', 'absent is 0')
    const outside = of(6, 3)
    t.equal(outside.ask('clone', 2), 'allow', 'bits outside the mask are masked away')
    t.ok(outside.codes.includes('mask-bits'))
    const unused = resolved(profileOf([allowed(['clone'], [arg(0, 'EQ', 6, 2)])]), target)
    t.equal(unused.ask('clone', 6), 'allow')
    t.ok(unused.codes.includes('unused-value'))
  }
})

t.test('an empty profile', async (t) => {
  for (const runtime of ['runc', 'docker', 'containerd'] as const) {
    const text = '{"linux": {"seccomp": {}}}'
    const bare = '{"syscalls": []}'
    const { ask, codes } = resolved(runtime === 'runc' ? text : bare, under(runtime))
    t.equal(ask('mount'), 'allow', `${runtime} installs no filter`)
    t.ok(codes.includes('no-filter'))
  }
  t.equal(refused('{"syscalls": []}'), INVALID)
  t.equal(refused('{"syscalls": []}', 'crun'), REFUSED)
  t.equal(refused(JSON.stringify({ syscalls: [allowed(['read'])] }), 'runc'), REFUSED)
})

t.test('keys in other letters', async (t) => {
  const text = '{"DefaultAction": "SCMP_ACT_ALLOW", "syscalls": []}'
  t.equal(refused(text), INVALID)
  t.equal(resolved(text, under('runc')).ask('read'), 'allow')
  t.equal(refused(text, 'crun'), REFUSED)
})

t.test('duplicate keys: the last for Go, the first for crun', async (t) => {
  const text = `{"defaultAction": "SCMP_ACT_ERRNO",
 "defaultAction": "SCMP_ACT_ALLOW"}`
  const error = failure(() => resolved(text))
  t.match(error, { code: INVALID, path: '$.defaultAction', line: 2, column: 2 })
  t.equal(resolved(text, under('runc')).ask('read'), 'allow')
  t.equal(resolved(text, under('crun')).ask('read'), 'EPERM')
  const names = `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
{"names": ["read"], "names": ["write"], "action": "SCMP_ACT_ALLOW"}]}`
  t.equal(resolved(names, under('docker')).ask('write'), 'allow')
  t.equal(resolved(names, under('docker')).ask('read'), 'EPERM')
  t.equal(resolved(names, under('crun')).ask('read'), 'allow')
  const merged = `{"defaultAction": "SCMP_ACT_ERRNO",
"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "op": "SCMP_CMP_EQ"}]}],
"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`
  t.equal(refused(merged, 'runc'), UNDETERMINED, 'the second keeps the args of the first')
})

t.test('comments', async (t) => {
  const text = `// mine\n${profileOf([allowed(['read'])])}`
  t.equal(refused(text, 'runc'), REFUSED)
  t.equal(refused(text, 'docker'), REFUSED)
  t.equal(resolved(text, under('crun')).ask('read'), 'allow')
  t.ok(resolved(text).codes.includes('comment'))
})

t.test('architectures', async (t) => {
  const on = (name: string): string => profileOf([allowed(['read'])], { architectures: [name] })
  for (const target of [X86, ...ENGINES.map(under)]) {
    const { ask, codes } = resolved(on('SCMP_ARCH_ARM'), target)
    t.equal(ask('read'), 'allow', 'the native one is always filtered')
    t.ok(codes.includes('native-not-listed'))
  }
  for (const name of ['x86_64', 'SCMP_ARCH_x86_64']) {
    t.equal(refused(on(name)), INVALID)
    t.equal(refused(on(name), 'runc'), REFUSED)
    t.equal(resolved(on(name), under('crun')).ask('read'), 'allow')
  }
  for (const name of ['SCMP_ARCH_NATIVE', 'SCMP_ARCH_VAX']) {
    t.equal(refused(on(name)), INVALID)
    for (const runtime of ['runc', 'crun', 'podman'] as const) {
      t.equal(refused(on(name), runtime), REFUSED)
    }
  }
})

t.test('NOTIFY', async (t) => {
  const entry = (name: string): object => ({ names: [name], action: 'SCMP_ACT_NOTIFY' })
  const listener = { listenerPath: '/run/a.sock' }
  const silent = profileOf([entry('mount')])
  t.equal(refused(silent, 'runc'), REFUSED)
  for (const target of [X86, under('crun')]) {
    t.equal(resolved(silent, target).ask('mount'), 'notify')
    t.ok(resolved(silent, target).codes.includes('notify-without-listener'))
  }
  t.equal(resolved(profileOf([entry('mount')], listener), under('runc')).ask('mount'), 'notify')
  t.equal(refused(profileOf([entry('write')], listener), 'runc'), REFUSED)
  t.equal(resolved(profileOf([entry('write')], listener), under('crun')).ask('write'), 'notify')
  const all = profileOf([], { ...listener, defaultAction: 'SCMP_ACT_NOTIFY' })
  t.equal(refused(all, 'runc'), REFUSED)
  t.equal(resolved(all, under('crun')).ask('write'), 'notify')
})

t.test('without and with conditions, and in either order', async (t) => {
  const one = denied(['socket'], 22, [arg(0, 'EQ', 16)])
  for (const list of [
    [one, allowed(['socket'])],
    [allowed(['socket']), one],
  ]) {
    for (const engine of ENGINES) {
      t.equal(resolved(profileOf(list), under(engine)).ask('socket', 16), 'allow')
    }
  }
  t.match(
    failure(() => resolved(profileOf([one, allowed(['socket'])]))),
    { code: INVALID, message: /socket: .* wins in every runtime/ },
    'a refusal that stands first would be lost',
  )
  const after = resolved(profileOf([allowed(['socket']), one]))
  t.equal(after.ask('socket', 16), 'allow', 'it stands second: lost in any reading')
  t.ok(after.codes.includes('conflict'), 'and that is said')
  const tighter = [denied(['socket'], 22), allowed(['socket'], [arg(0, 'EQ', 2)])]
  const { ask, codes } = resolved(profileOf(tighter))
  t.equal(ask('socket', 2), 'EINVAL', 'what is lost allows')
  t.ok(codes.includes('conflict'))
})

t.test('two without conditions: the first wins', async (t) => {
  const text = profileOf([denied(['socket'], 22), allowed(['socket'])])
  for (const target of [X86, ...ENGINES.map(under)]) {
    const { ask, codes } = resolved(text, target)
    t.equal(ask('socket'), 'EINVAL')
    t.ok(codes.includes('conflict'))
  }
  const widened = profileOf([allowed(['socket']), denied(['socket'], 22)])
  for (const target of [X86, ...ENGINES.map(under)]) {
    const { ask, codes } = resolved(widened, target)
    t.equal(ask('socket'), 'allow')
    t.ok(codes.includes('conflict'))
  }
})

t.test('the same conditions, different actions: no container starts', async (t) => {
  const text = profileOf([
    allowed(['socket'], [arg(0, 'EQ', 2)]),
    denied(['socket'], 22, [arg(0, 'EQ', 2)]),
  ])
  t.equal(refused(text), INVALID)
  for (const engine of ENGINES) t.match(refused(text, engine), REFUSED)
})

t.test('overlapping conditions, different actions', async (t) => {
  const overlapping = profileOf([
    allowed(['socket'], [arg(0, 'GE', 2)]),
    denied(['socket'], 22, [arg(0, 'EQ', 16)]),
  ])
  t.equal(refused(overlapping), INVALID)
  for (const engine of ENGINES) t.equal(refused(overlapping, engine), UNDETERMINED)
  const apart = profileOf([
    denied(['socket'], 22, [arg(0, 'EQ', 16), arg(2, 'EQ', 9)]),
    allowed(['socket'], [arg(2, 'NE', 9)]),
    allowed(['socket'], [arg(0, 'NE', 16)]),
  ])
  for (const target of [X86, ...ENGINES.map(under)]) {
    const { ask } = resolved(apart, target)
    t.equal(ask('socket', 16, 0, 9), 'EINVAL')
    t.equal(ask('socket', 16, 0, 8), 'allow')
    t.equal(ask('socket', 2, 0, 9), 'allow')
  }
})

t.test(
  'calls that i386 has twice: where two rules differ in the first argument alone',
  async (t) => {
    const architectures = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86']
    const entries = (name: string): object[] => [
      allowed([name], [arg(0, 'EQ', 2)]),
      denied([name], 22, [arg(0, 'EQ', 16)]),
    ]
    for (const name of ['socket', 'shmat']) {
      const text = profileOf(entries(name), { architectures })
      for (const engine of ENGINES) t.equal(refused(text, engine), REFUSED, `file exists: ${name}`)
      const { ask, codes } = resolved(text)
      t.equal(ask(name as 'socket', 16), 'EINVAL', 'on x86-64 there is no doubt')
      t.ok(codes.includes('conflict'), 'but no runtime starts it')
    }
    for (const engine of ENGINES) {
      const alone = profileOf(entries('socket'), { architectures: ['SCMP_ARCH_X86_64'] })
      t.equal(resolved(alone, under(engine)).ask('socket', 16), 'EINVAL')
      const other = profileOf(entries('ioctl'), { architectures })
      t.equal(resolved(other, under(engine)).ask('ioctl', 16), 'EINVAL', 'not a call of these')
      const apart = profileOf(
        [
          allowed(['socket'], [arg(0, 'EQ', 2), arg(1, 'EQ', 1)]),
          denied(['socket'], 22, [arg(0, 'EQ', 16), arg(1, 'EQ', 2)]),
        ],
        { architectures },
      )
      t.equal(resolved(apart, under(engine)).ask('socket', 16, 2), 'EINVAL')
    }
  },
)

t.test("runc's ENOSYS stub", async (t) => {
  const text = profileOf([allowed(['read']), denied(['socket'])], {
    defaultAction: 'SCMP_ACT_KILL_PROCESS',
  })
  const runc = resolved(text, under('runc'))
  t.equal(runc.ask('bpf'), 'ENOSYS', 'above socket')
  t.equal(runc.ask('clone3'), 'ENOSYS')
  t.equal(runc.ask('open'), 'kill', 'below it')
  t.equal(resolved(text, under('crun')).ask('bpf'), 'kill')
  t.equal(resolved(text, under('docker')).ask('bpf'), 'ENOSYS')
  for (const number of [400, 5000, 0x3fff_ffff]) {
    t.equal(answer(runc.policy, number), 'ENOSYS', 'without a name, above it')
    t.equal(answer(resolved(text, under('crun')).policy, number), 'kill')
  }
  const newer = profileOf([allowed(['read', 'statx', 'futex_waitv'])])
  t.equal(answer(resolved(newer, under('runc')).policy, 400), 'EPERM', 'without a name, below')
  t.equal(resolved(newer, under('runc')).ask('clone3'), 'EPERM')
  t.equal(answer(resolved(profileOf([allowed(['read'])]), under('runc')).policy, 400), 'EPERM')
  const dropped = profileOf([allowed(['read']), denied(['bpf'])])
  t.equal(resolved(dropped, under('runc')).ask('socket'), 'EPERM', 'dropped rules count too')
  t.equal(resolved(dropped, under('runc')).ask('execveat'), 'ENOSYS')
  for (const defaultAction of ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE']) {
    const { ask } = resolved(profileOf([denied(['read'])], { defaultAction }), under('runc'))
    t.equal(ask('execveat'), defaultAction.slice(9).toLowerCase())
  }
})

t.test('calls that hide their arguments: what the profile says, or ENOSYS by us', async (t) => {
  const text = profileOf([allowed(['read'])])
  const { ask } = resolved(text, under('crun'))
  for (const name of ['clone3', 'openat2', 'io_uring_setup'] as const) {
    t.equal(ask(name), 'EPERM')
    t.equal(resolved(text).ask(name), 'ENOSYS')
  }
})

t.test('whoever is no OCI reader for containerd', async (t) => {
  const text = profileOf([
    allowed(['mount'], null, { includes: { caps: ['CAP_SYS_ADMIN'] }, comment: 'root' }),
  ])
  t.equal(resolved(text, under('docker')).ask('mount'), 'EPERM')
  const { ask, codes } = resolved(text, under('containerd'))
  t.equal(ask('mount'), 'allow', 'the condition is passed over')
  t.ok(codes.includes('ignored-key'), 'and that is said')
})

t.test('Podman: errnos by name count, minKernel does not', async (t) => {
  const entry = { names: ['read'], action: 'SCMP_ACT_ERRNO', errnoRet: 1, errno: 'ENOTTY' }
  t.equal(resolved(profileOf([entry]), under('podman')).ask('read'), 'ENOTTY')
  t.equal(resolved(profileOf([entry]), under('docker')).ask('read'), 'EPERM')
  t.equal(refused(profileOf([entry])), INVALID, 'the two differ')
  t.equal(resolved(profileOf([{ ...entry, errnoRet: null }])).ask('read'), 'ENOTTY')
  t.equal(
    resolved(profileOf([{ ...entry, errno: '38' }]), under('podman')).ask('read'),
    'ENOSYS',
    'digits too',
  )
  const future = profileOf([allowed(['read'], null, { includes: { minKernel: '99.0' } })])
  t.equal(resolved(future, under('podman')).ask('read'), 'allow')
  t.equal(resolved(future, under('docker')).ask('read'), 'EPERM')
  for (const minKernel of ['5.10.1', '0.0', '5']) {
    const wrong = profileOf([allowed(['read'], null, { includes: { minKernel } })])
    t.equal(refused(wrong), INVALID)
    t.equal(refused(wrong, 'docker'), REFUSED)
  }
})

t.test('CRI-O reads as Podman does, and crun runs it', async (t) => {
  const text = profileOf([
    { names: ['read'], action: 'SCMP_ACT_ERRNO', errno: 'ENOTTY' },
    allowed(['write'], null, { includes: { caps: ['CAP_SYS_ADMIN'] } }),
    allowed(['getpid'], null, { includes: { minKernel: '99.0' } }),
  ])
  const { policy, ask } = resolved(text, under('cri-o'))
  t.same(policy, resolved(text, under('podman')).policy)
  t.equal(ask('read'), 'ENOTTY')
  t.equal(ask('write'), 'EPERM')
  t.equal(ask('getpid'), 'allow')
  t.equal(answer(policy, 5000), 'EPERM', 'no stub')
})
