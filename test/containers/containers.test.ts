/**
 * Profiles in the runtimes themselves: what a probe's calls come to in a container of runc, crun and Podman is
 * what `simulate` says of the policy that `resolveProfile` makes for that runtime; and under `bwrap
 * --seccomp`, of the program that `compile` makes.
 *
 * These containers are started by root, as .ci/run does.
 */
import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { compile } from '../../lib/compiler/compile'
import { errno, allow, kill, type Policy } from '../../lib/policy'
import { readProfile, resolveProfile } from '../../lib/profiles'
import { findSyscall, syscallNames, type SyscallName } from '../../lib/syscalls'
import { allowed, arg, denied, profileOf } from '../helpers/profiles'
import { foretold, mistakes, parseResults, PROBE_CALLS, type Results } from './calls'
import { CAPS, contain, NODE, probeIn, probeInBubblewrap, type Engine } from './containers'

t.setTimeout(10 * 60 * 1000)

if (process.arch !== 'x64') {
  t.comment('the probe knows the numbers of x86-64')
  process.exit(0)
}

/** Errnos that none of the probe's calls fails with by itself. */
const [OTHERWISE, BY_RULE, BY_OTHER_RULE] = [77, 78, 79]

/** Calls about which the profiles say something of their own. */
const RULED: readonly SyscallName[] = [
  ...([
    'socket',
    'personality',
    'ioctl',
    'madvise',
    'mount',
    'setns',
    'keyctl',
    'unshare',
  ] as const),
  ...(['ptrace', 'bpf', 'userfaultfd', 'add_key', 'chroot', 'symlink', 'flock'] as const),
]

/**
 * Everything else up to landlock_restrict_self (5.13), which libseccomp 2.5.4 knows: what starts a container
 * and runs the probe is among it. What is later is left to runc's stub.
 */
const REST = syscallNames('x86_64').filter((name) => {
  const number = findSyscall(name, 'x86_64')?.number ?? Infinity
  return number <= 446 && !RULED.includes(name)
})

const killed = (names: readonly SyscallName[], action = 'KILL_PROCESS'): object => ({
  names,
  action: `SCMP_ACT_${action}`,
})

/** Every dialect has these. */
const COMMON: readonly object[] = [
  allowed([...REST, 'no_such_call']),
  allowed(['socket'], [arg(0, 'LT', 38)]),
  denied(['socket'], BY_RULE, [arg(0, 'EQ', 39)]),
  allowed(['socket'], [arg(0, 'GT', 40)]),
  // Twice the same argument: each is enough.
  denied(['personality'], BY_RULE, [arg(0, 'GE', 0xffff_ffff), arg(0, 'LE', 0xffff_ffff)]),
  denied(['ioctl'], BY_RULE, [arg(1, 'MASKED_EQ', 0xffff_ffff, 0x5412)]),
  allowed(['ioctl'], [arg(1, 'EQ', 2)]),
  allowed(['madvise'], [arg(2, 'MASKED_EQ', 3, 0xff02), arg(0, 'EQ', 1)]),
  denied(['mount', 'setns'], BY_RULE),
  allowed(['setns']),
  killed(['keyctl']),
  killed(['unshare'], 'TRAP'),
  killed(['chroot'], 'KILL'),
  { names: ['ptrace'], action: 'SCMP_ACT_LOG' },
  { names: ['bpf'], action: 'SCMP_ACT_TRACE', errnoRet: 5 },
  denied(['flock'], 0),
  denied(['symlink'], 38),
]

const architectures = ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X32']

const oci = (defaultAction: string, entries: readonly object[]): string =>
  profileOf(entries, {
    ...{ defaultAction, architectures },
    ...(defaultAction === 'SCMP_ACT_ERRNO' ? { defaultErrnoRet: OTHERWISE } : {}),
  })

const DENYING = oci('SCMP_ACT_ERRNO', COMMON)
const KILLING = oci('SCMP_ACT_KILL_PROCESS', COMMON)
const ALLOWING = oci(
  'SCMP_ACT_ALLOW',
  COMMON.slice(1).filter((entry) => !JSON.stringify(entry).includes('SCMP_ACT_ALLOW')),
)

/** What only Podman reads: conditions, errnos by name, minKernel to no effect. */
const CONDITIONAL = JSON.stringify({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrno: 'ENOTTY',
  defaultErrnoRet: OTHERWISE,
  archMap: [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
  ],
  syscalls: [
    allowed(REST),
    { names: ['mount'], action: 'SCMP_ACT_ERRNO', errno: 'EXDEV' },
    allowed(['chroot'], null, { includes: { caps: ['CAP_SYS_CHROOT'] } }),
    allowed(['bpf'], null, { includes: { caps: ['CAP_SYS_ADMIN'] } }),
    denied(['setns'], BY_RULE, null),
    denied(['ptrace'], BY_RULE, null),
    denied(['keyctl'], BY_OTHER_RULE, null),
    allowed(['userfaultfd'], null, { includes: { minKernel: '99.0' } }),
    allowed(['add_key'], null, { excludes: { caps: ['CAP_KILL'] } }),
    allowed(['flock'], null, { includes: { arches: ['amd64'] } }),
    allowed(['symlink'], null, { includes: { arches: ['arm64'] } }),
    allowed(['socket'], [arg(0, 'EQ', 1)]),
  ],
})

const unfiltered = new Map<Engine, Results>()

/** What the kernel says in a container without a filter. */
function answersOf(engine: Engine): Results {
  let answers = unfiltered.get(engine)
  if (answers === undefined) {
    const { stdout, stderr, status } = probeIn(engine, undefined)
    if (status !== 0) throw new Error(`${engine} ended with ${status}: ${stderr}`)
    answers = parseResults(stdout)
    unfiltered.set(engine, answers)
  }
  return answers
}

const policyFor = (text: string, runtime: Engine): Policy =>
  resolveProfile(readProfile(text).profile, { arch: 'x86_64', caps: CAPS, runtime }).policy

/** The probe in a container with the profile. @param least calls that no longer end as without a filter */
function probed(t: Test, engine: Engine, text: string, least: number): void {
  const { status, stdout, stderr } = probeIn(engine, text)
  if (!t.equal(status, 0, `${engine} runs the probe: ${stderr}`)) return
  const found = parseResults(stdout)
  t.same(mistakes(foretold(policyFor(text, engine), answersOf(engine)), found), [], engine)
  const changed = mistakes(answersOf(engine), found).length
  t.ok(changed >= least, `the profile is in force: ${changed} calls end otherwise than without`)
}

t.ok(PROBE_CALLS.length >= 60, `the probe makes ${PROBE_CALLS.length} calls`)

for (const engine of ['runc', 'crun', 'podman'] as const) {
  t.test(`${engine}: calls end as simulate foretells`, async (t) => {
    for (const [text, least] of [
      [DENYING, 28],
      [KILLING, 28],
      [ALLOWING, 13],
    ] as const) {
      probed(t, engine, text, least)
    }
  })
}

t.test('runc answers ENOSYS where crun gives the default', async (t) => {
  const [runc, crun] = (['runc', 'crun'] as const).map((engine) =>
    foretold(policyFor(KILLING, engine), answersOf(engine)),
  )
  const differing = PROBE_CALLS.filter((_, at) => runc?.[at] !== crun?.[at])
  t.same(
    differing.map(({ syscall }) => syscall),
    ['futex_waitv', 'cachestat', 'mseal', 600, 9999, 0x3fff_ffff],
  )
})

t.test('podman: what only its dialect has', async (t) => {
  probed(t, 'podman', CONDITIONAL, 20)
})

t.test("podman: its own default profile, which is Debian's", async (t) => {
  const file = '/usr/share/containers/seccomp.json'
  t.ok(existsSync(file), `${file} comes with podman`)
  const text = readFileSync(file, 'utf8')
  probed(t, 'podman', text, 3)
  const strict = resolveProfile(readProfile(text).profile, { arch: 'x86_64', caps: CAPS })
  const answers = foretold(strict.policy, answersOf('podman'))
  const differing = PROBE_CALLS.filter(
    (_, at) => answers[at] !== foretold(policyFor(text, 'podman'), answersOf('podman'))[at],
  )
  t.same(differing, [], 'and read strictly, it is the same')
})

t.test('what is refused does not start', async (t) => {
  const cases: readonly (readonly [string, string, readonly Engine[]])[] = [
    [
      'an index of 6',
      oci('SCMP_ACT_ALLOW', [denied(['mount'], 1, [arg(6, 'EQ', 1)])]),
      ['runc', 'crun'],
    ],
    ['errno 4095', oci('SCMP_ACT_ALLOW', [denied(['mount'], 4095)]), ['runc', 'crun', 'podman']],
    ['an errno on ALLOW', oci('SCMP_ACT_LOG', [{ ...allowed(['read']), errnoRet: 1 }]), ['crun']],
    [
      'two actions for socket, and i386',
      DENYING.replace('SCMP_ARCH_X32', 'SCMP_ARCH_X86'),
      ['runc', 'crun', 'podman'],
    ],
    ['no names', profileOf([{ name: 'mount', action: 'SCMP_ACT_LOG' }]), ['crun']],
    ['VAX', profileOf([], { architectures: ['SCMP_ARCH_VAX'] }), ['runc', 'crun']],
    [
      'one condition, two actions',
      oci('SCMP_ACT_ALLOW', [
        denied(['mount'], 1, [arg(0, 'EQ', 1)]),
        denied(['mount'], 2, [arg(0, 'EQ', 1)]),
      ]),
      ['runc', 'crun', 'podman'],
    ],
  ]
  for (const [what, text, engines] of cases) {
    for (const engine of engines) {
      t.throws(() => policyFor(text, engine), { code: 'ERR_PROFILE_REFUSED' }, `${what}, ${engine}`)
      const { status, stdout } = probeIn(engine, text)
      t.not(status, 0, `${engine} does not start with ${what}`)
      t.equal(stdout, '')
    }
  }
})

t.test('Node runs in a container with a profile that denies by default', async (t) => {
  const source = `
    const fs = require('node:fs')
    fs.promises.readFile('/proc/self/status', 'utf8').then((text) => {
      let refused
      try { fs.symlinkSync('a', '/tmp/b') } catch (error) { refused = error.code }
      console.log(/Seccomp:\\t(\\d)/.exec(text)[1], refused)
    })`
  // Without what Node does not survive.
  const needed: readonly unknown[] = ['madvise', 'ioctl']
  const entries = COMMON.filter(
    (entry) => !needed.includes((entry as { names: unknown[] }).names[0]),
  )
  const text = oci('SCMP_ACT_ERRNO', [...entries, allowed(needed)])
  for (const engine of ['runc', 'crun', 'podman'] as const) {
    const { status, stdout, stderr } = contain(engine, text, [NODE, '-e', source])
    t.equal(stdout.trim(), '2 ENOSYS', `${engine} ${stderr}`)
    t.equal(status, 0)
  }
})

t.test('bubblewrap takes an exported program as it is', async (t) => {
  const { stdout, stderr, status } = probeInBubblewrap(undefined)
  t.equal(status, 0, stderr)
  const without = parseResults(stdout)
  const policies: readonly (readonly [string, Policy, number])[] = [
    [
      'of a profile',
      resolveProfile(readProfile(DENYING).profile, { arch: 'x86_64', runtime: 'runc' }).policy,
      28,
    ],
    [
      'of our own',
      {
        default: allow,
        ceiling: 'statx',
        syscalls: {
          socket: [
            allow.when({ family: { op: 'oneOf', values: ['AF_UNIX', 'AF_INET'] } }),
            errno(77),
          ],
          keyctl: kill,
          openat2: errno(78),
          madvise: errno(79).when({ behavior: { op: 'between', min: 2, max: 4 } }),
        },
      },
      20,
    ],
  ]
  for (const [name, policy, least] of policies) {
    const program = compile(policy, { arch: 'x86_64' })
    const sandboxed = probeInBubblewrap(program.bytes)
    t.equal(sandboxed.status, 0, sandboxed.stderr)
    const found = parseResults(sandboxed.stdout)
    t.same(mistakes(foretold(policy, without), found), [], name)
    t.ok(mistakes(without, found).length >= least, 'and it is in force')
  }
})
