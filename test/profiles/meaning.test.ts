/**
 * A profile in the style of Docker's, for three containers: what it comes to is compiled and proved, and
 * the capabilities open what they should and nothing else.
 */
import t from 'tap'
import { compareRules, prove } from '../../lib/analysis'
import { compile } from '../../lib/compiler/compile'
import { rulesOf } from '../../lib/policy'
import { fromOci, type ProfileTarget } from '../../lib/profiles'
import { CAPABILITIES } from '../../lib/profiles/vocabulary'
import { allowed, answer, arg, profileOf, X86 } from '../helpers/profiles'

const needs = (cap: string): object => ({ includes: { caps: [cap] } })
const without = (cap: string): object => ({ excludes: { caps: [cap] } })

const text = profileOf(
  [
    allowed(['read', 'write', 'close', 'openat', 'execve', 'mmap', 'exit_group', 'socketcall']),
    allowed(['personality'], [arg(0, 'EQ', 0)]),
    allowed(['personality'], [arg(0, 'EQ', 8)]),
    allowed(['personality'], [arg(0, 'EQ', 0)]),
    allowed(['socket'], [arg(0, 'LT', 38)]),
    allowed(['socket'], [arg(0, 'EQ', 39)]),
    allowed(['socket'], [arg(0, 'GT', 40)]),
    allowed(['clone'], [arg(0, 'MASKED_EQ', 2114060288, 0)], without('CAP_SYS_ADMIN')),
    allowed(['clone', 'clone3', 'mount', 'unshare'], null, needs('CAP_SYS_ADMIN')),
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38, ...without('CAP_SYS_ADMIN') },
    allowed(['chroot'], null, needs('CAP_SYS_CHROOT')),
    allowed(['ptrace'], null, { includes: { minKernel: '4.8' } }),
    allowed(['arch_prctl'], null, { includes: { arches: ['amd64', 'x32'] } }),
  ],
  {
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
  },
)

const CONTAINERS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  default: ['CAP_CHOWN', 'CAP_SYS_CHROOT', 'CAP_MKNOD'],
  all: CAPABILITIES,
}

const SYSCALLS = ['read', 'mount', 'chroot', 'clone3', 'ptrace', 'arch_prctl', 'bpf'] as const

t.test('compiled and proved, strictly and for every runtime', async (t) => {
  for (const arch of ['x86_64', 'aarch64'] as const) {
    for (const [name, caps] of Object.entries(CONTAINERS)) {
      for (const runtime of [
        undefined,
        'docker',
        'podman',
        'containerd',
        'runc',
        'crun',
      ] as const) {
        const target: ProfileTarget = { ...X86, arch, caps, ...(runtime && { runtime }) }
        const policy = fromOci(text, target)
        const { proved } = prove(policy, compile(policy, { arch, pid: 1 }), { pid: 1 })
        t.ok(proved, `${arch}, ${name}, ${runtime ?? 'strictly'}`)
      }
    }
  }
})

t.test('what capabilities open', async (t) => {
  const expected: Record<string, unknown[]> = {
    none: ['allow', 'EPERM', 'EPERM', 'ENOSYS', 'allow', 'allow', 'EPERM'],
    default: ['allow', 'EPERM', 'allow', 'ENOSYS', 'allow', 'allow', 'EPERM'],
    all: ['allow', 'allow', 'allow', 'allow', 'allow', 'allow', 'EPERM'],
  }
  for (const [name, caps] of Object.entries(CONTAINERS)) {
    const policy = fromOci(text, { ...X86, caps })
    t.strictSame(
      SYSCALLS.map((syscall) => answer(policy, syscall)),
      expected[name],
      name,
    )
    const clone = answer(policy, 'clone', [0x10000000])
    t.equal(clone, name === 'all' ? 'allow' : 'EPERM', `${name}: clone with a namespace`)
    t.equal(answer(policy, 'clone', [0x01000000]), 'allow', `${name}: clone`)
  }
})

t.test('our reading is that of Docker, but for what hides its arguments', async (t) => {
  for (const [name, caps] of Object.entries(CONTAINERS)) {
    const target = { arch: 'x86_64', pid: 1 } as const
    const rules = (runtime: Pick<ProfileTarget, 'runtime'>): ReturnType<typeof rulesOf> =>
      rulesOf(fromOci(text, { ...X86, caps, ...runtime }), target)
    const { narrows, differences } = compareRules(rules({}), rules({ runtime: 'podman' }))
    t.ok(narrows, name)
    const calls = new Set(differences.map(({ syscall }) => syscall))
    const hidden = ['io_uring_setup', 'io_uring_enter', 'io_uring_register', 'openat2']
    t.strictSame(calls, new Set(hidden), name)
  }
})

t.test('an attacker with garbage above an int', async (t) => {
  // Known of all runtimes, and reproduced: the kernel reads 32 bits of it, the profile 64.
  const policy = fromOci(text, { ...X86, runtime: 'docker' })
  t.equal(answer(policy, 'socket', [40]), 'EPERM')
  t.equal(answer(policy, 'socket', [0x1_0000_0028n]), 'allow')
})
