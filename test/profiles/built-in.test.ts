/**
 * The built-in policies: what they are known to answer, for which containers. That they are those of the
 * engines is shown by scripts/profiles/built-in.js, which needs the engines' files.
 */
import t from 'tap'
import { comparePolicies, lint, prove } from '../../lib/analysis'
import { compile } from '../../lib/compiler/compile'
import { builtInPolicies, builtInPolicy, type ProfileTarget } from '../../lib/profiles'
import { CAPABILITIES } from '../../lib/profiles/vocabulary'
import { syscallNames, type SyscallName } from '../../lib/syscalls'
import { answer, X86 } from '../helpers/profiles'

const NAMES = builtInPolicies().map(({ name }) => name)

const ask = (
  name: string,
  call: SyscallName | number,
  args: readonly (number | bigint)[] = [],
  target: ProfileTarget = {},
): unknown => {
  const { arch = 'x86_64' } = target
  return answer(builtInPolicy(name, { ...X86, ...target }), call, args, arch)
}

t.test('each is a policy that is proved, and has nothing in it that does nothing', async (t) => {
  for (const name of NAMES) {
    for (const arch of ['x86_64', 'aarch64'] as const) {
      for (const caps of [[], CAPABILITIES]) {
        const policy = builtInPolicy(name, { arch, caps, kernel: '6.1' })
        t.equal(policy.name, name)
        const target = { arch, pid: 1 }
        t.ok(prove(policy, compile(policy, target), target).proved, `${name} ${arch}`)
        const dead = lint(policy, target).filter(({ severity }) => severity === 'error')
        t.strictSame(dead, [], `${name} ${arch}`)
      }
    }
  }
})

t.test('what Docker answers', async (t) => {
  for (const name of ['docker-default', 'containerd-default']) {
    const verdicts: [SyscallName, readonly (number | bigint)[], unknown, string?][] = [
      ['read', [], 'allow'],
      ['mount', [], 'EPERM'],
      ['mount', [], 'allow', 'CAP_SYS_ADMIN'],
      ['clone', [0x01200011], 'allow'],
      ['clone', [0x10000000], 'EPERM'],
      ['clone', [0x10000000], 'allow', 'CAP_SYS_ADMIN'],
      ['clone3', [], 'ENOSYS'],
      ['clone3', [], 'allow', 'CAP_SYS_ADMIN'],
      ['socket', [2], 'allow'],
      ['socket', [38], 'EPERM'],
      ['socket', [40], 'EPERM'],
      // The hole of the original: the kernel reads 32 bits, the filter 64.
      ['socket', [0x1_0000_0028n], 'allow'],
      ['personality', [0xffffffffn], 'allow'],
      ['personality', [0x40000], 'EPERM'],
      ['io_uring_setup', [], 'ENOSYS'],
      ['bpf', [], 'allow', 'CAP_BPF'],
      ['keyctl', [], 'EPERM'],
      ['userfaultfd', [], 'EPERM'],
    ]
    for (const [call, args, expected, cap] of verdicts) {
      const caps = cap === undefined ? [] : [cap]
      t.equal(ask(name, call, args, { caps }), expected, `${name} ${call} ${args.join()} ${cap}`)
    }
    t.equal(ask(name, 'ptrace', [], { kernel: '4.7' }), 'EPERM')
    t.equal(ask(name, 'ptrace', [], { kernel: '4.8' }), 'allow')
    t.equal(ask(name, 'ptrace', [], { kernel: '4.7', caps: ['CAP_SYS_PTRACE'] }), 'allow')
  }
  t.equal(ask('docker-default', 'lsm_list_modules'), 'EPERM')
  t.equal(ask('containerd-default', 'lsm_list_modules'), 'allow')
})

t.test('what Podman answers', async (t) => {
  t.equal(ask('podman-default', 'mount'), 'allow')
  t.equal(ask('podman-default', 'futex_wait'), 'EPERM')
  t.equal(ask('podman-default', 5000), 'ENOSYS')
  t.equal(ask('podman-default', 'socket', [16, 3, 9]), 'EINVAL')
  t.equal(ask('podman-default', 'socket', [16, 3, 9], { caps: ['CAP_AUDIT_WRITE'] }), 'allow')
  t.equal(ask('podman-default', 'socket', [16, 3, 0]), 'allow')
  // As its file has it: CAP_PERFMON opens it only to those who have CAP_SYS_ADMIN too.
  const perf = (...caps: string[]): unknown =>
    ask('podman-default', 'perf_event_open', [], { caps })
  t.strictSame(
    [perf(), perf('CAP_PERFMON'), perf('CAP_SYS_ADMIN'), perf('CAP_PERFMON', 'CAP_SYS_ADMIN')],
    ['EPERM', 'EPERM', 'ENOSYS', 'allow'],
  )
})

t.test('a capability only opens', async (t) => {
  for (const name of ['docker-default', 'containerd-default', 'podman-default']) {
    const bare = builtInPolicy(name, X86)
    for (const cap of CAPABILITIES) {
      const { narrows } = comparePolicies(builtInPolicy(name, { ...X86, caps: [cap] }), bare, {
        arch: 'x86_64',
      })
      t.ok(narrows, `${name} ${cap}`)
    }
  }
})

t.test('those that are the same everywhere', async (t) => {
  const answers = (name: string): Set<unknown> =>
    new Set(syscallNames('x86_64').map((call) => ask(name, call)))
  t.strictSame([...answers('unconfined')], ['allow'])
  t.strictSame([...answers('audit')], ['log'])
  const strict = syscallNames('x86_64').filter((call) => ask('strict', call) === 'allow')
  t.strictSame([...strict].sort(), ['exit', 'read', 'rt_sigreturn', 'write'])
  t.strictSame(answers('strict'), new Set(['allow', 'kill']))
})
