/** Every dialect: how it is told, what is read of it, and what of it is reported. */
import t from 'tap'
import { fromOci, readProfile, resolveProfile, type Dialect } from '../../lib/profiles'
import { normalise } from '../../lib/policy/normalise'
import { allowed, answer, arg, failure, profileOf, resolved, X86 } from '../helpers/profiles'

const codesOf = (text: string, dialect?: Dialect): string[] =>
  readProfile(text, dialect === undefined ? {} : { dialect }).findings.map(({ code }) => code)

t.test('which dialect', async (t) => {
  const spo = 'apiVersion: security-profiles-operator.x-k8s.io/v1beta1\nkind: SeccompProfile\n'
  const texts: [string, Dialect][] = [
    [profileOf([allowed(['read'])]), 'oci'],
    [JSON.stringify({ ociVersion: '1.0', linux: { seccomp: { defaultAction: '' } } }), 'oci'],
    [profileOf([{ name: 'read', action: 'SCMP_ACT_ALLOW' }]), 'moby'],
    [profileOf([allowed(['read'], null, { comment: '' })]), 'moby'],
    [profileOf([], { archMap: [] }), 'moby'],
    [profileOf([allowed(['read'], null, { errno: 'EPERM' })]), 'containers-common'],
    [profileOf([], { defaultErrno: 'ENOSYS' }), 'containers-common'],
    [`${spo}spec:\n  defaultAction: SCMP_ACT_ERRNO\n`, 'spo'],
    [`// app\n${profileOf([allowed(['read'])])}`, 'inspektor-gadget'],
    [
      profileOf([allowed(['a', 'b'], [], { comment: '', includes: {}, excludes: {} })]),
      'oci-seccomp-bpf-hook',
    ],
    ['[Service]\nSystemCallFilter=@system-service\n', 'systemd'],
    ['{"default": {"action": "allow"}}', 'seccomp-ts'],
  ]
  for (const [text, dialect] of texts) t.equal(readProfile(text).dialect, dialect, text)
  const { findings } = readProfile(profileOf([], { archMap: [] }))
  t.match(
    findings.find(({ code }) => code === 'dialect'),
    { severity: 'info', message: 'read as moby: it has $.archMap' },
  )
  t.equal(readProfile(profileOf([]), { dialect: 'containerd' }).dialect, 'containerd')
  t.match(
    failure(() => readProfile('apiVersion: v1\nkind: Pod\n')),
    { code: 'ERR_PROFILE_DIALECT', line: 1 },
  )
  for (const text of ['[]', '1', '"a"', 'null', '{}', '{"a": 1}', 'a: 1']) {
    t.equal(failure(() => readProfile(text)).code, 'ERR_PROFILE_DIALECT', text)
  }
  t.throws(() => readProfile('{}', { dialect: 'mobi' as Dialect }), {
    code: 'ERR_OPTION',
    suggestion: 'moby',
  })
  t.throws(() => readProfile(5 as unknown as string), { code: 'ERR_OPTION' })
})

t.test('everything an entry says, and where', async (t) => {
  const text = `{
  "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
  "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
  "syscalls": [
    {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 97, "comment": "why",
     "args": [{"index": 0, "value": 18446744073709551615, "valueTwo": 0, "op": "SCMP_CMP_EQ"}],
     "includes": {"caps": ["CAP_BPF"], "arches": ["amd64"], "minKernel": "5.8"}, "excludes": {}}
  ]
}`
  const { profile } = readProfile(text, { name: 'mine' })
  t.match(profile, {
    name: 'mine',
    dialect: 'moby',
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrno: 38,
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    entries: [
      {
        place: { path: '$.syscalls[0]', line: 5, column: 5 },
        names: ['socket'],
        errno: 97,
        comment: 'why',
        args: [
          {
            place: { path: '$.syscalls[0].args[0]', line: 6, column: 15 },
            index: 0,
            value: 2n ** 64n - 1n,
            op: 'SCMP_CMP_EQ',
          },
        ],
        includes: { caps: ['CAP_BPF'], arches: ['amd64'], minKernel: '5.8' },
      },
    ],
    faults: [],
  })
  t.equal(resolveProfile(profile, X86).policy.name, 'mine')
})

t.test('nothing is passed over in silence', async (t) => {
  const cases: [text: string, code: string][] = [
    [profileOf([], { sycalls: [] }), 'unknown-key'],
    [profileOf([allowed(['read'], null, { exclude: {} })]), 'unknown-key'],
    [profileOf([allowed(['read'], null, { includes: { cap: [] } })]), 'unknown-key'],
    [profileOf([], { flags: ['SECCOMP_FILTER_FLAG_TSINC'] }), 'unknown-flag'],
    [profileOf([], { listenerMetadata: 'x' }), 'listener-metadata'],
    [
      profileOf([], { architectures: ['SCMP_ARCH_X86'], archMap: [{ architecture: '' }] }),
      'architectures-and-archmap',
    ],
    [profileOf([allowed(['read'], null, { errno: 'EPREM' })]), 'unknown-errno'],
    [profileOf([allowed(['read', 'read'])]), 'duplicate-name'],
    [profileOf([allowed([])]), 'no-names'],
    [profileOf([allowed('read')]), 'wrong-type'],
    [profileOf([allowed([1])]), 'wrong-type'],
    [profileOf([7]), 'wrong-type'],
    [profileOf({}), 'wrong-type'],
    [profileOf([allowed(['read'], [7])]), 'wrong-type'],
    [
      profileOf([allowed(['read'], null, { includes: { caps: ['SYS_ADMIN'] } })]),
      'unknown-capability',
    ],
    [
      profileOf([allowed(['read'], null, { excludes: { arches: ['x86_64'] } })]),
      'unknown-architecture',
    ],
    [`\ufeff${profileOf([])}`, 'byte-order-mark'],
    ['defaultAction: SCMP_ACT_ALLOW\n', 'yaml'],
  ]
  for (const [text, code] of cases) t.ok(codesOf(text).includes(code), `${code}: ${text}`)
  const plain = profileOf([
    allowed(['read'], null, { name: 'write', includes: {}, errno: 'EPERM' }),
  ])
  for (const dialect of ['oci', 'containerd'] as const) {
    const ignored = codesOf(plain, dialect).filter((code) => code === 'ignored-key')
    t.equal(ignored.length, 3, dialect)
  }
})

t.test('for a target: capabilities, architecture, kernel', async (t) => {
  const text = profileOf([
    allowed(['mount'], null, { includes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } }),
    allowed(['bpf'], null, { excludes: { caps: ['CAP_SYS_ADMIN', 'CAP_BPF'] } }),
    allowed(['open'], null, { includes: { arches: ['amd64', 'x32'] } }),
    allowed(['dup'], null, { excludes: { arches: ['arm64'] } }),
    allowed(['ptrace'], null, { includes: { minKernel: '4.8' } }),
    allowed(['chroot'], null, { excludes: { minKernel: '5.10' } }),
  ])
  const { ask, codes } = resolved(text)
  t.equal(ask('mount'), 'EPERM')
  t.equal(ask('bpf'), 'allow')
  t.equal(ask('open'), 'allow')
  t.equal(ask('ptrace'), 'allow')
  t.equal(ask('chroot'), 'EPERM')
  t.equal(codes.filter((code) => code === 'not-applied').length, 2)
  const one = resolved(text, { ...X86, caps: ['CAP_BPF'] })
  t.equal(one.ask('mount'), 'EPERM', 'all are needed')
  t.equal(one.ask('bpf'), 'EPERM', 'one is enough')
  t.equal(resolved(text, { ...X86, caps: ['CAP_BPF', 'CAP_SYS_ADMIN'] }).ask('mount'), 'allow')
  const arm = resolved(text, { arch: 'aarch64', kernel: '4.7.0-rc1' })
  t.equal(arm.ask('dup'), 'EPERM')
  t.equal(arm.ask('ptrace'), 'EPERM')
  t.equal(arm.ask('chroot'), 'allow')
  t.throws(() => resolved(text, { ...X86, caps: ['CAP_SYS_ADMINN'] }), {
    code: 'ERR_OPTION',
    path: 'target.caps[0]',
    suggestion: 'CAP_SYS_ADMIN',
  })
  t.throws(() => resolved(text, { kernel: 'new' }), { code: 'ERR_OPTION', path: 'target.kernel' })
  t.throws(() => resolved(text, { runtime: 'rnuc' as 'runc' }), {
    code: 'ERR_OPTION',
    suggestion: 'runc',
  })
  t.throws(() => resolved(text, { archs: 1 } as object), { code: 'ERR_UNKNOWN_KEY' })
  const mapped = { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X32'] }
  t.ok(resolved(profileOf([], { archMap: [mapped] })).codes.includes('other-architectures'))
})

t.test('registers are compared whole, as runtimes do', async (t) => {
  const { policy } = resolved(profileOf([allowed(['socket'], [arg(0, 'LT', 38)])]))
  t.equal(answer(policy, 'socket', [2]), 'allow')
  t.equal(answer(policy, 'socket', [0x1_0000_0002n]), 'EPERM')
})

const SPO = `# of the operator
apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SeccompProfile
metadata:
  name: web
spec:
  defaultAction: SCMP_ACT_ERRNO
  syscalls:
  - action: SCMP_ACT_ALLOW
    names: &names [read, write]
  - action: SCMP_ACT_ERRNO
    errnoRet: 38
    names: [bpf]
    args:
    - {index: 0, value: 9223372036854775807, op: SCMP_CMP_EQ}
`

t.test('SeccompProfile', async (t) => {
  const { profile, findings } = readProfile(SPO)
  t.equal(profile.name, 'web')
  t.equal(profile.entries[1]?.args[0]?.value, 2n ** 63n - 1n)
  t.match(findings, [
    { code: 'comment', severity: 'info', line: 1, column: 1 },
    { code: 'dialect', line: 2 },
  ])
  const { ask } = resolved(SPO)
  t.equal(ask('read'), 'allow')
  const replaced = (from: string, to: string): string => SPO.replace(from, to)
  t.ok(codesOf(replaced('errnoRet: 38', 'errnoRet: 0')).includes('errno-dropped'))
  const dropped = resolved(replaced('errnoRet: 38', 'errnoRet: 0').replace(/ {4}args[^]*/, ''), {
    ...X86,
    runtime: 'crun',
  })
  t.equal(dropped.ask('bpf'), 'EPERM')
  t.ok(codesOf(replaced('9223372036854775807', '9223372036854775808')).includes('number-range'))
  t.ok(codesOf(replaced('spec:', 'spec:\n  baseProfileName: runc')).includes('base-profile'))
  t.ok(codesOf(replaced('spec:', 'spec:\n  defaultErrnoRet: 38')).includes('ignored-key'))
  t.ok(codesOf(replaced('[read, write]', '[read, read]')).includes('duplicate-name'))
  const twice = replaced('kind: SeccompProfile', 'kind: SeccompProfile\nkind: SeccompProfile')
  t.ok(codesOf(twice).includes('duplicate-key'))
  t.ok(codesOf(replaced('names: [bpf]', 'names: *names')).length > 0, 'aliases are followed')
  t.equal(readProfile(JSON.stringify({ ...JSON_SPO })).dialect, 'spo')
})

const JSON_SPO = {
  apiVersion: 'security-profiles-operator.x-k8s.io/v1',
  kind: 'SeccompProfile',
  spec: { defaultAction: 'SCMP_ACT_ALLOW' },
}

t.test('several documents', async (t) => {
  const pod = 'apiVersion: v1\nkind: Pod\n'
  const one = readProfile(`${pod}---\n${SPO}`)
  t.equal(one.profile.name, 'web')
  t.ok(one.findings.some(({ code }) => code === 'other-document'))
  const two = `${SPO}---\n${SPO.replace('name: web', 'name: db').replace('ERRNO', 'LOG')}`
  t.match(
    failure(() => readProfile(two)),
    { code: 'ERR_PROFILE_DIALECT', line: 18 },
  )
  t.equal(readProfile(two, { document: 'db' }).profile.defaultAction, 'SCMP_ACT_LOG')
  t.match(
    failure(() => readProfile('{"defaultAction": "SCMP_ACT_ALLOW"}\n{}')),
    { code: 'ERR_PROFILE_SYNTAX', line: 2, column: 1 },
  )
})

t.test('what is not JSON or YAML, and where', async (t) => {
  const cases: [text: string, line: number, column: number][] = [
    ['', 1, 1],
    ['{', 1, 2],
    ['{"a": 1,\n}', 2, 1],
    ['{"a": 01}', 1, 8],
    ['{"a": [1,]}', 1, 10],
    ['{a: 1}', 1, 2],
    ['{"a" 1}', 1, 6],
    ['{"a": "x\n"}', 1, 7],
    ['{"a": "\\x"}', 1, 7],
    ['{"a": /* no', 1, 7],
    ['{"a": NaN}', 1, 7],
    ['a: b: c', 1, 4],
    ['a: 0o17', 1, 4],
    ['a: *b', 1, 4],
    ['a: &b [*b]', 1, 8],
    ['a: &b {c: 1}\nd: {<<: *b}', 2, 5],
  ]
  for (const [text, line, column] of cases) {
    t.match(
      failure(() => readProfile(text)),
      { code: 'ERR_PROFILE_SYNTAX', line, column },
      JSON.stringify(text),
    )
  }
  t.match(
    failure(() => readProfile(Uint8Array.of(0x7b, 0xff))),
    { code: 'ERR_PROFILE_SYNTAX' },
  )
})

t.test('systemd', async (t) => {
  const list = resolved(`[Service]
ExecStart=/bin/true
SystemCallFilter=@basic-io socket:EAFNOSUPPORT ptrace:kill
SystemCallFilter=~pread64 \\
  preadv
SystemCallErrorNumber=EACCES
SystemCallArchitectures=native
`)
  t.equal(list.ask('read'), 'allow')
  t.equal(list.ask('execve'), 'allow', '@default is in every list of what is allowed')
  t.equal(list.ask('socket'), 'EAFNOSUPPORT')
  t.equal(list.ask('ptrace'), 'kill')
  t.equal(list.ask('pread64'), 'EACCES')
  t.equal(list.ask('preadv'), 'EACCES')
  t.equal(list.ask('mount'), 'EACCES')
  const denies = resolved('SystemCallFilter=~@mount\nSystemCallFilter=~reboot:EPERM\n')
  t.equal(denies.ask('read'), 'allow')
  t.equal(denies.ask('mount'), 'kill', 'where no errno is set')
  t.equal(denies.ask('reboot'), 'EPERM')
  const again = resolved('SystemCallFilter=read\nSystemCallFilter=\nSystemCallFilter=write\n')
  t.equal(again.ask('read'), 'kill', 'an empty assignment begins anew')
  t.equal(readProfile('@basic-io ~x', { dialect: 'systemd' }).dialect, 'systemd')
  const { findings } = readProfile('SystemCallFilter=@basic-io\n  SystemCallFilter=@basicio\n')
  t.match(findings, [
    { code: 'unknown-group', severity: 'error', line: 2, column: 20, message: /'@basic-io'/ },
  ])
  t.ok(codesOf('SystemCallFilter=read\nSystemCallLog=write').includes('ignored-key'))
  t.ok(codesOf('SystemCallFilter=read:ENOPE').includes('unknown-errno'))
  t.throws(() => resolved('SystemCallFilter=read', { ...X86, runtime: 'runc' }), {
    code: 'ERR_OPTION',
  })
})

t.test('our own', async (t) => {
  const text = `{"name": "own", "default": {"action": "errno", "errno": "EPERM"},
 "syscalls": {"lseek": {"action": "allow", "when": {"arg1": {"op": "eq", "value": 9007199254740993}}},
  "socket": {"action": "allow", "when": {"familly": {"op": "eq", "value": "AF_INET"}}}}}`
  t.match(
    failure(() => readProfile(text)),
    {
      code: 'ERR_PROFILE_INVALID',
      line: 3,
      path: '$.syscalls.socket.when.familly',
      message: /Did you mean 'family'/,
    },
  )
  const { policy } = resolved(text.replace('familly', 'family'))
  t.equal(answer(policy, 'lseek', [0, 9007199254740993n]), 'allow')
  t.equal(answer(policy, 'lseek', [0, 9007199254740992n]), 'EPERM')
  t.equal(answer(policy, 'socket', [2]), 'allow')
  const twice = '{"default": {"action": "log"}, "default": {"action": "allow"}}'
  t.match(
    failure(() => resolved(twice)),
    { code: 'ERR_PROFILE_INVALID', column: 32 },
  )
})

t.test('fromOci', async (t) => {
  const text = profileOf([allowed(['read'])])
  for (const input of [text, Buffer.from(text), JSON.parse(text) as object]) {
    const policy = fromOci(input, X86)
    t.equal(answer(policy, 'read'), 'allow')
    t.doesNotThrow(() => normalise(JSON.parse(JSON.stringify(policy)), { arch: 'x86_64', pid: 1 }))
  }
  const inexact = { defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 2 ** 53 }
  t.throws(() => fromOci(inexact), { code: 'ERR_OPTION', message: /not an exact integer/ })
  t.throws(() => fromOci(7 as unknown as string), { code: 'ERR_OPTION' })
  const cyclic: Record<string, unknown> = {}
  cyclic['a'] = cyclic
  t.throws(() => fromOci(cyclic), { code: 'ERR_OPTION' })
})
