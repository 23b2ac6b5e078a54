/** One call, explained. */
import t from 'tap'
import { allow, errno, hasNone, kill, oneOf, type Policy } from '../../lib/policy'
import { readProfile } from '../../lib/profiles'
import { webServer } from '../../lib/promises'
import { CONTROLS, DANGERS } from '../../lib/knowledge/dangers'
import { NODE_DENIALS } from '../../lib/knowledge/node-denials'
import { IO_URING_CALLS, TWINS } from '../../lib/knowledge/twins'
import { explain } from '../../lib/review/explain'
import { Reach } from '../../lib/review/reach'
import { conditionsOfDanger } from '../../lib/review/dangers'
import { rulesOf } from '../../lib/policy'
import { isSyscallName, type SyscallName } from '../../lib/syscalls'
import { CAPABILITIES } from '../../lib/profiles/vocabulary'
import { allowed, arg, denied, profileOf } from '../helpers/profiles'

const X86 = { arch: 'x86_64', kernel: '6.1' } as const

const SOCKETS = profileOf([
  allowed(['socket'], [arg(0, 'LT', 40)]),
  allowed(['socket'], [arg(0, 'GT', 40)]),
])

t.test('the rule that decides, and where it stands', async (t) => {
  const { verdict, runs, by, place, rules } = explain(
    SOCKETS,
    { syscall: 'socket', args: { family: 2 } },
    X86,
  )
  t.same({ verdict, runs, by }, { verdict: { action: 'allow' }, runs: true, by: 'rule' })
  t.same(place, { path: '$.syscalls[0]', line: 4, column: 3 })
  t.same(
    rules.map(({ when, line }) => [when, line]),
    [
      ['arg0 (family) ≤ 39', 4],
      ['arg0 (family) ≥ 41', 17],
    ],
  )
})

t.test('what gets another answer, and what gets past', async (t) => {
  const { verdict, place, otherwise, bypass, dangers } = explain(
    SOCKETS,
    { syscall: 'socket', args: { domain: 'AF_VSOCK' } },
    X86,
  )
  t.same(verdict, { action: 'errno', errno: 'EPERM' })
  t.equal(place?.path, '$.defaultAction')
  t.same(
    otherwise.map((other) => [other.verdict.action, other.place?.path]),
    [['allow', '$.syscalls[0]']],
  )
  t.equal(bypass?.allowed.args[0], 0x100000028n)
  t.same(
    dangers.map(({ id }) => id),
    ['vsock'],
  )
  t.notMatch(explain(SOCKETS, { syscall: 'socket', args: ['AF_INET'] }, X86).dangers, [
    { id: 'vsock' },
  ])
  t.ok(explain(SOCKETS, 'socket', X86).dangers.length > 3, 'of the name alone, all there are')
})

t.test('calls that do the same', async (t) => {
  const profile = profileOf([allowed(['fchmodat2']), denied(['chmod', 'fchmod', 'fchmodat'], 13)])
  t.same(explain(profile, 'chmod', X86).twins, [
    {
      does: 'change the mode of a file',
      calls: [
        { syscall: 'fchmod', open: 'never' },
        { syscall: 'fchmodat', open: 'never' },
        { syscall: 'fchmodat2', open: 'always' },
      ],
    },
  ])
})

t.test('what Node does without it, as it was measured', async (t) => {
  const node = (policy: Policy, name: SyscallName) => {
    const found = explain(policy, name, X86).node
    return found && `${found.effect}${found.refused ? '' : ' (if)'}`
  }
  const denying: Policy = { default: errno('EPERM'), syscalls: {} }
  t.equal(node(denying, 'futex'), 'aborts')
  t.equal(node(denying, 'exit_group'), 'hangs')
  t.equal(node(denying, 'statx'), 'survives')
  t.equal(node(denying, 'clone3'), 'survives', 'it answers ENOSYS')
  t.equal(
    node({ default: errno('EPERM'), syscalls: { clone3: errno('EPERM') } }, 'clone3'),
    'aborts',
  )
  t.equal(node({ default: kill }, 'statx'), 'aborts', 'SIGSYS, whatever the call')
  t.equal(node(webServer, 'read'), 'aborts (if)')
  t.equal(node(denying, 'bpf'), undefined, 'what was not tried')
})

t.test('a dangerous call: what it takes, and what else would stop it', async (t) => {
  const [danger] = explain(
    profileOf([allowed(['open_by_handle_at'])]),
    'open_by_handle_at',
    X86,
  ).dangers
  t.match(danger, { id: 'file-handles', open: true, capabilities: ['CAP_DAC_READ_SEARCH'] })
  t.same(
    danger?.controls.map(({ control }) => control),
    CONTROLS,
  )
  t.match(danger?.controls[0], { control: 'capabilities', effect: 'stops' })
  t.equal(explain({ default: kill }, 'open_by_handle_at', X86).dangers[0]?.open, false)
})

t.test('policies of this package, in their own words', async (t) => {
  const policy: Policy = {
    default: errno('EPERM'),
    syscalls: { mmap: allow.when({ prot: hasNone('PROT_EXEC'), flags: oneOf(1, 2) }) },
  }
  const { rules, place } = explain(policy, { syscall: 'mmap', args: { flags: 1 } }, X86)
  t.equal(rules[0]?.when, 'prot has none of PROT_EXEC and flags is one of 1, 2')
  t.same(place, { path: '$.syscalls.mmap' })
  const text = JSON.stringify(policy, null, 1)
  t.equal(explain(text, 'mmap', X86).rules[0]?.line, 7)
})

t.test('numbers without a name, other architectures, and profiles that were read', async (t) => {
  t.match(explain({ default: kill }, { syscall: 9999 }, X86), {
    by: 'default',
    verdict: { action: 'kill' },
    twins: [],
    dangers: [],
  })
  t.match(explain(webServer, { syscall: 'read', arch: 'aarch64' }, X86), {
    by: 'architecture',
    verdict: { action: 'kill' },
    node: undefined,
  })
  t.match(explain(readProfile(SOCKETS).profile, 'read', X86), { by: 'default' })
})

t.test('mistakes', async (t) => {
  t.throws(() => explain(webServer, 'raed' as SyscallName, X86), { code: 'ERR_UNKNOWN_SYSCALL' })
  t.throws(() => explain(webServer, { syscall: 'socket', args: { famly: 1 } }, X86), {
    code: 'ERR_UNKNOWN_ARGUMENT',
  })
  const conflicting = profileOf([
    denied(['lseek'], 5, [arg(2, 'EQ', 1)]),
    allowed(['lseek'], [arg(2, 'LE', 3)]),
  ])
  t.throws(() => explain(conflicting, 'read', X86), { code: 'ERR_PROFILE_INVALID' })
  t.throws(() => explain(conflicting, 'read', { ...X86, runtime: 'runc' }), {
    code: 'ERR_PROFILE_UNDETERMINED',
  })
})

t.test('the catalogue is whole', async (t) => {
  for (const arch of ['x86_64', 'aarch64'] as const) {
    const reach = new Reach(rulesOf({ default: allow }, { arch, pid: 1 }))
    for (const danger of DANGERS) {
      for (const name of Object.keys(danger.calls) as SyscallName[]) {
        t.ok(isSyscallName(name), `${danger.id} ${name}`)
        if (reach.info(name) === undefined) continue
        const alternatives = conditionsOfDanger(reach, danger, name)
        t.ok(alternatives.length > 0, `${danger.id} ${name}`)
        for (const conditions of alternatives) t.ok(reach.witness(name, conditions))
      }
      t.ok(danger.references.length > 0, danger.id)
      t.match(danger.attack, /^[a-z].*\.$/s, 'ends a sentence that begins with "an attacker"')
      t.same(
        danger.capabilities.filter((cap) => !CAPABILITIES.includes(cap)),
        [],
        danger.id,
      )
      t.same(Object.keys(danger.controls).sort(), [...CONTROLS].sort(), danger.id)
    }
  }
  const ids = DANGERS.map(({ id }) => id)
  t.same(ids, [...new Set(ids)])
  for (const { does, syscalls, uncommon } of TWINS) {
    t.ok(syscalls.length > 1 && uncommon.every((name) => syscalls.includes(name)), does)
    t.ok(uncommon.length < syscalls.length, does)
  }
  const named = [...TWINS, ...NODE_DENIALS].flatMap(({ syscalls }) => syscalls)
  t.same(
    [...named, ...IO_URING_CALLS].filter((name) => !isSyscallName(name)),
    [],
  )
})
