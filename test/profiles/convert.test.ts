/** What is written for each target, and what is said of that which cannot be. */
import { runInThisContext } from 'node:vm'
import t from 'tap'
import { transpileModule, ModuleKind } from 'typescript'
import { comparePolicies, prove } from '../../lib/analysis'
import { PolicyError } from '../../lib/errors'
import * as policies from '../../lib/policy'
import { rulesOf, type Policy } from '../../lib/policy'
import {
  CONVERSION_TARGETS,
  builtInPolicies,
  builtInPolicy,
  convert,
  fromOci,
  readProfile,
  resolveProfile,
  toOci,
  type ConversionTarget,
  type ConvertOptions,
  type Profile,
  type ProfileTarget,
} from '../../lib/profiles'
import { CAPABILITIES } from '../../lib/profiles/vocabulary'
import { webServer } from '../../lib/promises'
import { allowed, answer, arg, denied, profileOf, X86 } from '../helpers/profiles'

const { allow, eq, errno, hasAny, kill, log, ne, noneOf, oneOf, trap } = policies

const write = (
  source: Policy | Profile,
  to: ConversionTarget,
  options: Partial<ConvertOptions> = {},
): string => convert(source, { ...X86, to, ...options }).text ?? ''

const codes = (
  source: Policy | Profile,
  to: ConversionTarget,
  options: Partial<ConvertOptions> = {},
): string[] =>
  convert(source, { ...X86, to, ...options }).losses.map(({ code, path }) => `${code} ${path}`)

const profile = (text: string): Profile => readProfile(text).profile

const refused = (
  source: Policy | Profile,
  to: ConversionTarget,
  options: Partial<ConvertOptions> = {},
): Pick<PolicyError, 'code' | 'path'> | undefined => {
  try {
    write(source, to, options)
    return undefined
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return { code: error.code, path: error.path }
  }
}

t.test('OCI: one form, whatever the order', async (t) => {
  const policy: Policy = {
    default: errno('EPERM'),
    syscalls: {
      write: allow,
      read: allow,
      socket: allow.when({ family: oneOf('AF_INET6', 'AF_INET') }),
      chmod: errno('ENOSYS'),
    },
  }
  const text = `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "defaultErrnoRet": 1,
  "architectures": [
    "SCMP_ARCH_X86_64"
  ],
  "syscalls": [
    {
      "names": [
        "read",
        "write"
      ],
      "action": "SCMP_ACT_ALLOW"
    },
    {
      "names": [
        "chmod",
        "clone3",
        "io_uring_enter",
        "io_uring_register",
        "io_uring_setup",
        "openat2"
      ],
      "action": "SCMP_ACT_ERRNO",
      "errnoRet": 38
    },
    {
      "names": [
        "socket"
      ],
      "action": "SCMP_ACT_ALLOW",
      "args": [
        {
          "index": 0,
          "value": 4294967295,
          "valueTwo": 2,
          "op": "SCMP_CMP_MASKED_EQ"
        }
      ]
    },
    {
      "names": [
        "socket"
      ],
      "action": "SCMP_ACT_ALLOW",
      "args": [
        {
          "index": 0,
          "value": 4294967295,
          "valueTwo": 10,
          "op": "SCMP_CMP_MASKED_EQ"
        }
      ]
    }
  ]
}
`
  t.equal(write(policy, 'oci'), text)
  t.equal(write(policy, 'kubernetes'), text)
  t.equal(toOci(policy, X86), text)
  const { syscalls = {} } = policy
  const reversed = Object.fromEntries(Object.entries(syscalls).reverse())
  t.equal(write({ syscalls: reversed, default: errno(1) }, 'oci'), text)
  t.strictSame(codes(policy, 'oci'), ['foreign-calls $'])
})

t.test('rules tried in order become entries without one', async (t) => {
  const policy: Policy = {
    default: errno('EPERM'),
    syscalls: {
      ioctl: [
        kill.when({ cmd: eq(0x5412) }),
        log.when({ fd: eq(0) }),
        allow.when({ fd: oneOf(1, 2), cmd: ne(0x5413) }),
      ],
    },
  }
  for (const to of ['oci', 'docker', 'podman', 'kubernetes'] as const) {
    const back = fromOci(write(policy, to), X86)
    t.ok(comparePolicies(policy, back, { arch: 'x86_64' }).equal, to)
    t.equal(answer(back, 'ioctl', [0, 0x5412]), 'kill')
    t.equal(answer(back, 'ioctl', [0, 0x1_0000_5412n]), 'kill', 'garbage above an int')
    t.equal(answer(back, 'ioctl', [1, 0x5413]), 'EPERM')
  }
})

t.test('values of 64 bits are exact', async (t) => {
  const policy: Policy = {
    default: errno('EPERM'),
    syscalls: {
      lseek: allow.when({ arg1: oneOf(2n ** 64n - 1n, 2n ** 53n + 1n) }),
      mmap: allow.when({ arg5: ne(2n ** 63n) }),
      pread64: allow.when({ arg3: policies.between(2n ** 53n + 1n, 2n ** 53n + 2n) }),
    },
  }
  const text = write(policy, 'oci')
  t.match(text, '"value": 18446744073709551615,\n')
  t.match(text, '"value": 9007199254740993,\n')
  t.match(text, '"value": 9223372036854775808,\n')
  t.match(text, 'SCMP_CMP_NE')
  t.ok(comparePolicies(policy, fromOci(text, X86), { arch: 'x86_64' }).equal)
  // The CRD has no such values: less is allowed, and nothing let through that was denied.
  t.strictSame(
    codes(policy, 'spo', { name: 'x' }).filter((code) => code.startsWith('wide-value')),
    ['lseek', 'mmap'].map((name) => `wide-value $.syscalls.${name}`),
  )
  const denied: Policy = { default: allow, syscalls: { mmap: kill.when({ arg5: eq(2n ** 63n) }) } }
  t.strictSame(refused(denied, 'spo', { name: 'x' }), {
    code: 'ERR_INEXPRESSIBLE',
    path: '$.syscalls.mmap',
  })
})

t.test('the ready policies, for every target', async (t) => {
  for (const { name } of builtInPolicies()) {
    for (const arch of ['x86_64', 'aarch64'] as const) {
      const target = { arch, kernel: '6.1' } as const
      const policy = builtInPolicy(name, target)
      for (const to of ['oci', 'podman', 'spo', 'json'] as const) {
        const text = write(policy, to, { ...target, pid: 1 })
        const dialect = to === 'podman' ? ({ dialect: 'containers-common' } as const) : {}
        const back = resolveProfile(readProfile(text, dialect).profile, target).policy
        const { differences, narrows } = comparePolicies(policy, back, { arch, pid: 1 })
        t.ok(narrows, `${name} ${arch} ${to}`)
        // Of calls with a name nothing is lost, but for one in a format without values of 64 bits.
        const changed = new Set(differences.flatMap(({ syscall }) => syscall ?? []))
        const expected = to === 'spo' && name === 'podman-default' ? ['personality'] : []
        t.strictSame([...changed], expected)
        t.equal(text, write(back, to, { ...target, name: policy.name ?? '', pid: 1 }), 'again')
      }
      const { bytes } = convert(policy, { to: 'bpf', ...target, pid: 1 })
      t.ok(prove(policy, bytes, { arch, pid: 1 }).proved, `${name} ${arch} bpf`)
    }
  }
})

t.test("'SELF' needs a number wherever it is not kept", async (t) => {
  for (const to of CONVERSION_TARGETS) {
    if (to === 'json' || to === 'ts') t.match(write(webServer, to), 'SELF')
    else t.strictSame(refused(webServer, to), { code: 'ERR_OPTION', path: 'options.pid' }, to)
  }
})

t.test('TypeScript that runs, and means the same', async (t) => {
  const odd: Policy = {
    name: "it's \\ odd\n",
    default: errno(4000),
    syscalls: {
      socket: [allow.when({ family: noneOf('AF_UNIX', 38), type: hasAny(1, 2) }), kill],
      lseek: allow.when({ arg1: eq(2n ** 63n), whence: { op: 'eq', value: 1, width: 64 } }),
      openat: trap.when({ flags: policies.maskedEq(['O_CREAT', 'O_TRUNC'], 'O_CREAT') }),
      ptrace: policies.trace(9),
    },
  }
  for (const policy of [odd, webServer, builtInPolicy('docker-default', X86)]) {
    const text = write(policy, 'ts')
    const { outputText } = transpileModule(text, {
      compilerOptions: { module: ModuleKind.CommonJS },
    })
    const module = { exports: {} as { default?: Policy } }
    const load = runInThisContext(`(function (require, exports) {${outputText}\n})`) as (
      require: () => unknown,
      exports: object,
    ) => void
    load(() => policies, module.exports)
    const { default: back } = module.exports
    t.ok(back)
    if (back === undefined) continue
    t.equal(back.name, policy.name)
    t.ok(comparePolicies(policy, back, { pid: 1 }).equal)
    t.equal(write(back, 'ts'), text)
  }
})

const conditional = profileOf(
  [
    allowed(['write', 'read', 'read']),
    allowed(['ptrace'], null, { includes: { minKernel: '4.8' } }),
    allowed(['mount', 'clone'], null, { includes: { caps: ['CAP_SYS_ADMIN'] }, comment: 'why' }),
    allowed(['clone'], [arg(0, 'MASKED_EQ', 0x7e020000, 0)], {
      excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390x', 's390'] },
    }),
    { name: 'chmod', action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  ],
  {
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
  },
)

const CONTAINERS: readonly ProfileTarget[] = [
  { arch: 'x86_64', kernel: '4.4' },
  { arch: 'x86_64', kernel: '6.1' },
  { arch: 'aarch64', kernel: '6.1' },
  { arch: 'x86_64', kernel: '6.1', caps: ['CAP_SYS_ADMIN'] },
  { arch: 'aarch64', kernel: '6.1', caps: CAPABILITIES },
]

t.test('Docker and Podman keep what depends on the container', async (t) => {
  const source = profile(conditional)
  const docker = write(source, 'docker')
  t.match(docker, '"minKernel": "4.8"')
  t.match(docker, '"comment": "why"')
  t.strictSame(codes(source, 'docker'), [])
  t.equal(write(profile(docker), 'docker'), docker, 'again')
  for (const target of CONTAINERS) {
    const [one, other] = [conditional, docker].map((text) => fromOci(text, target))
    if (one === undefined || other === undefined) throw new Error('two texts')
    t.ok(
      comparePolicies(one, other, { arch: target.arch ?? 'x86_64' }).equal,
      JSON.stringify(target),
    )
  }

  const podman = write(source, 'podman')
  t.match(podman, '"errnoRet": 38,\n      "errno": "ENOSYS"')
  t.match(podman, '"defaultErrno": "EPERM"')
  t.notMatch(podman, 'minKernel')
  t.strictSame(codes(source, 'podman'), ['min-kernel $.syscalls[1].includes'])
  t.match(write(source, 'podman', { kernel: '4.8' }), '"ptrace"')
  t.notMatch(write(source, 'podman', { kernel: '4.4' }), '"ptrace"', 'left out')

  const flat = write(source, 'kubernetes', { caps: ['CAP_SYS_ADMIN'] })
  t.match(flat, '"mount"')
  t.notMatch(write(source, 'kubernetes'), '"mount"')
  for (const key of ['includes', 'excludes', 'archMap', 'comment', 'minKernel']) {
    t.notMatch(flat, key)
  }
  t.match(codes(source, 'kubernetes'), [
    'not-applied $.syscalls[2]',
    'other-architectures $.archMap[0]',
    'foreign-calls $',
  ])
})

t.test('two conditions on one argument are not written where engines take either', async (t) => {
  const both = profileOf([allowed(['read'], [arg(2, 'GE', 2), arg(2, 'LE', 5)], { comment: 'x' })])
  const text = write(profile(both), 'docker')
  for (const runtime of ['docker', 'podman'] as const) {
    const policy = fromOci(text, { ...X86, runtime })
    t.strictSame(
      [1, 2, 5, 6].map((value) => answer(policy, 'read', [0, 0, value])),
      ['EPERM', 'allow', 'allow', 'EPERM'],
      runtime,
    )
  }
  t.strictSame(codes(profile(both), 'docker'), ['repeated-argument $.syscalls[0]'])
})

t.test('an order that counts is kept', async (t) => {
  const twice = profileOf([
    denied(['perf_event_open'], 1),
    allowed(['perf_event_open'], null, { includes: { caps: ['CAP_PERFMON'] } }),
  ])
  t.strictSame(codes(profile(twice), 'docker'), ['order $'])
  const text = write(profile(twice), 'docker')
  const caps = ['CAP_PERFMON']
  const ask = (from: string): unknown =>
    answer(fromOci(from, { ...X86, caps, runtime: 'docker' }), 'perf_event_open')
  t.equal(ask(text), ask(twice))
})

t.test('as a runtime would enforce it', async (t) => {
  const either = profileOf([allowed(['read'], [arg(2, 'GE', 2), arg(2, 'LE', 5)])])
  const text = write(profile(either), 'docker', { runtime: 'docker' })
  t.equal(answer(fromOci(text, X86), 'read', [0, 0, 6]), 'allow')
  t.notMatch(text, 'GE')
  t.strictSame(refused({ default: allow }, 'oci', { runtime: 'docker' }), {
    code: 'ERR_OPTION',
    path: 'options.runtime',
  })
})

t.test('SeccompProfile', async (t) => {
  const policy: Policy = {
    name: 'My App!',
    default: errno('ENOSYS'),
    syscalls: { read: allow, chmod: errno('EPERM'), fsync: errno(0) },
  }
  const text = write(policy, 'spo')
  t.match(
    text,
    /^apiVersion: security-profiles-operator\.x-k8s\.io\/v1beta1\nkind: SeccompProfile\n/,
  )
  t.match(text, 'metadata:\n  name: my-app\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n')
  const { profile: read, findings } = readProfile(text)
  t.strictSame(
    findings.filter(({ severity }) => severity !== 'info'),
    [],
  )
  const back = resolveProfile(read, X86).policy
  t.strictSame(
    (['read', 'chmod', 'fsync', 'mount'] as const).map((name) => answer(back, name)),
    ['allow', 'EPERM', 'EPERM', 'ENOSYS'],
    'the default has no errno there, so it is said by name',
  )
  t.equal(answer(back, 5000), 'EPERM')
  t.strictSame(codes(policy, 'spo'), [
    'name $.name',
    'foreign-calls $',
    'unnamed-numbers $.default',
    'errno-zero $.syscalls.fsync',
  ])
  t.strictSame(refused({ default: allow }, 'spo'), { code: 'ERR_OPTION', path: 'options.name' })
  t.strictSame(refused({ default: allow }, 'spo', { name: '!!' }), {
    code: 'ERR_OPTION',
    path: 'options.name',
  })
  const listening = profileOf(
    [{ ...denied(['read']), action: 'SCMP_ACT_NOTIFY', errnoRet: undefined }],
    {
      listenerPath: '/run/other.sock',
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
    },
  )
  t.strictSame(refused(profile(listening), 'spo', { name: 'x' }), {
    code: 'ERR_INEXPRESSIBLE',
    path: '$.listenerPath',
  })
  const kept = write(profile(listening), 'oci')
  t.match(kept, '"listenerPath": "/run/other.sock"')
  t.match(kept, '"flags": [\n    "SECCOMP_FILTER_FLAG_LOG"\n  ]')
  t.match(codes(profile(listening), 'json'), ['flags $', 'listener $'])
})

t.test('systemd: what is allowed', async (t) => {
  const policy: Policy = {
    default: errno('EPERM'),
    syscalls: {
      execve: allow,
      read: allow,
      chmod: errno('ENOENT'),
      mount: kill,
      socket: allow.when({ family: eq('AF_INET') }),
      ptrace: trap,
      mseal: allow,
    },
  }
  const text = write(policy, 'systemd')
  t.match(
    text,
    /^\[Service\]\nSystemCallArchitectures=native\nSystemCallErrorNumber=EPERM\nSystemCallFilter=@default\n/,
  )
  for (const line of ['read', 'chmod:ENOENT', 'mount:kill', 'ptrace:kill', '~exit_group']) {
    t.match(text, `SystemCallFilter=${line}\n`)
  }
  t.notMatch(text, 'socket')
  t.notMatch(text, '~execve')
  const back = fromOci(text, X86)
  t.equal(answer(back, 'socket', [2]), 'EPERM')
  t.equal(answer(back, 'exit_group'), 'EPERM', 'which is in @default')
  t.strictSame(codes(policy, 'systemd'), [
    'action $.syscalls.ptrace',
    'conditions $.syscalls.socket',
    'unknown-to-systemd $.syscalls',
  ])
  t.ok(comparePolicies(policy, back, { arch: 'x86_64' }).narrows)
  t.match(codes({ default: kill }, 'systemd'), ['execve $.syscalls.execve'])
})

t.test('systemd: what is denied', async (t) => {
  const policy: Policy = {
    default: allow,
    syscalls: { mount: errno('EPERM'), reboot: kill, chmod: errno(1).when({ arg1: eq(0o4755) }) },
  }
  const text = write(policy, 'systemd')
  t.match(text, 'SystemCallFilter=~mount:EPERM\n')
  t.match(text, 'SystemCallFilter=~reboot:kill\n')
  t.match(text, 'SystemCallFilter=~chmod:EPERM\n')
  t.match(codes(policy, 'systemd'), ['conditions $.syscalls.chmod'])

  // What would be let through in silence is refused.
  const inexpressible = (source: Policy): unknown => refused(source, 'systemd')
  const path = (where: string): object => ({ code: 'ERR_INEXPRESSIBLE', path: where })
  t.strictSame(inexpressible({ default: allow }), path('$'))
  t.strictSame(inexpressible({ default: log }), path('$.default'))
  t.strictSame(
    inexpressible({ default: allow, syscalls: { chmod: log } }),
    path('$.syscalls.chmod'),
  )
  t.strictSame(
    inexpressible({ default: allow, syscalls: { mseal: errno('EPERM') } }),
    path('$.syscalls.mseal'),
    'systemd 252 would pass over a name it does not know',
  )
})

t.test('a ceiling under a default that is more than ENOSYS has no other form', async (t) => {
  for (const fallback of [allow, log, policies.trace(1)]) {
    const source: Policy = { default: fallback, ceiling: 'execve', syscalls: { mkdir: errno(1) } }
    for (const to of ['oci', 'docker', 'podman', 'kubernetes'] as const) {
      t.strictSame(refused(source, to), { code: 'ERR_INEXPRESSIBLE', path: '$.ceiling' }, to)
    }
  }
})

t.test('conditions that come to too much are refused', async (t) => {
  const wide = (seed: number): Policy['syscalls'] => ({
    ioctl: allow.when({
      arg0: noneOf(...Array.from({ length: 40 }, (_, at) => BigInt(at * at * 7919 + seed))),
      arg1: noneOf(...Array.from({ length: 40 }, (_, at) => BigInt(at * at * 104729 + seed))),
    }),
  })
  t.strictSame(refused({ default: errno(1), syscalls: wide(1) ?? {} }, 'oci'), {
    code: 'ERR_INEXPRESSIBLE',
    path: '$.syscalls.ioctl',
  })
})

t.test('mistakes in the options', async (t) => {
  const bad =
    (options: object): (() => unknown) =>
    () =>
      convert({ default: allow }, options as ConvertOptions)
  t.throws(bad({}), { code: 'ERR_OPTION', path: 'options.to' })
  t.throws(bad({ to: 'dokcer' }), { code: 'ERR_OPTION', suggestion: 'docker' })
  t.throws(bad({ to: 'toString' }), { code: 'ERR_OPTION' })
  t.throws(bad({ to: 'oci', nmae: 'x' }), { code: 'ERR_UNKNOWN_KEY', suggestion: 'name' })
  t.throws(bad({ to: 'oci', name: 5 }), { code: 'ERR_OPTION', path: 'options.name' })
  t.throws(bad({ to: 'oci', pid: -1 }), { code: 'ERR_OPTION' })
  t.throws(bad({ to: 'oci', caps: ['CAP_X'] }), { code: 'ERR_OPTION' })
  t.throws(() => convert(null as unknown as Policy, { to: 'oci' }), { code: 'ERR_POLICY_SHAPE' })
  t.throws(() => convert(profile(profileOf([], { sycalls: [] })), { to: 'oci' }), {
    code: 'ERR_PROFILE_INVALID',
  })
  t.ok(rulesOf({ default: allow }, { arch: 'x86_64', pid: 1 }))
})
