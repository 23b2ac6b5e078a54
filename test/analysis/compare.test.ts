/** What one policy allows that another does not: exact, with calls to show it. */
import t from 'tap'
import { comparePolicies, compareRules } from '../../lib/analysis/compare'
import { evaluate } from '../../lib/analysis/evaluate'
import { permissiveness, verdictOf } from '../../lib/analysis/verdict'
import { allow, eq, errno, hasNone, kill, log, oneOf, trap, type Policy } from '../../lib/policy'
import { webServer } from '../../lib/promises'
import { callsNear, Random, randomRules } from '../helpers/analysis'

const target = { arch: 'x86_64', pid: 4242 } as const
const compare = (a: Policy, b: Policy): ReturnType<typeof comparePolicies> =>
  comparePolicies(a, b, target)
const texts = (a: Policy, b: Policy): string[] => compare(a, b).differences.map(({ text }) => text)

const base: Policy = {
  default: errno('EPERM'),
  syscalls: { read: allow, socket: allow.when({ family: oneOf('AF_INET', 'AF_INET6') }) },
}
const withRules = (syscalls: Policy['syscalls'], more: Partial<Policy> = {}): Policy => ({
  ...base,
  ...more,
  syscalls: { ...base.syscalls, ...syscalls },
})

t.test('the same in other words is equal', async (t) => {
  const other = withRules({
    socket: [
      allow.when({ family: eq('AF_INET6'), type: eq(1) }),
      errno('EPERM').when({ family: eq('AF_UNIX') }),
      allow.when({ family: eq('AF_INET') }),
      allow.when({ family: eq(10) }),
    ],
  })
  t.same(compare(base, other), { equal: true, narrows: true, differences: [] })
  t.ok(compare(webServer, JSON.parse(JSON.stringify(webServer)) as Policy).equal)
})

t.test('what is allowed, what is denied, what only changes', async (t) => {
  const wider = withRules({ write: allow, socket: allow.when({ family: eq('AF_INET') }) })
  const { equal, narrows, differences } = compare(base, wider)
  t.notOk(equal)
  t.notOk(narrows)
  t.match(differences, [
    { kind: 'allows', widens: true, syscall: 'write', numbers: [1, 1], to: { action: 'allow' } },
    { kind: 'denies', widens: false, syscall: 'socket', from: { action: 'allow' } },
  ])
  t.equal(differences[1]?.witness.args[0], 10n)

  t.match(compare(base, withRules({ read: log })), {
    narrows: true,
    differences: [{ kind: 'changes', widens: false, syscall: 'read', to: { action: 'log' } }],
  })
  t.match(compare(withRules({ write: kill }), withRules({ write: trap })), {
    narrows: false,
    differences: [{ kind: 'changes', widens: true, syscall: 'write' }],
  })
  t.match(
    compare(base, withRules({ write: errno('EACCES') })),
    { equal: false, narrows: true, differences: [{ kind: 'changes', widens: false }] },
    'of two errnos neither permits more',
  )
})

t.test('numbers without a name', async (t) => {
  const other = { ...base, default: kill }
  const { differences } = compare(base, other)
  t.ok(differences.some(({ numbers }) => numbers[0] !== numbers[1]))
  t.match(texts({ default: allow }, { default: log }), [
    'read(fd: 0, buf: 0, count: 0) on x86_64, and on to number 1073741823: allow becomes log',
  ])
})

t.test('narrowing by conditions is narrowing', async (t) => {
  const narrower = withRules({
    socket: allow.when({ family: eq('AF_INET'), type: hasNone('SOCK_NONBLOCK') }),
  })
  t.ok(compare(base, narrower).narrows)
  t.notOk(compare(narrower, base).narrows)
  const sideways = withRules({ socket: allow.when({ family: oneOf('AF_INET', 'AF_UNIX') }) })
  t.notOk(compare(base, sideways).narrows)
  t.notOk(compare(sideways, base).narrows)
})

t.test('random rules: equal and narrows are what calls show', async (t) => {
  const random = new Random(12)
  const counts = { equal: 0, narrows: 0, wider: 0 }
  for (let i = 0; i < 400; i++) {
    const a = randomRules(random)
    // Mostly alike, so that each outcome happens.
    const fresh = randomRules(random)
    const b = {
      ...a,
      syscalls: a.syscalls.map((s) => (random.oneIn(8) ? { ...s, rules: s.rules.slice(1) } : s)),
    }
    const other = random.oneIn(4) ? fresh : b
    const result = compareRules(a, other)
    counts.equal += Number(result.equal)
    counts.narrows += Number(result.narrows && !result.equal)
    counts.wider += Number(!result.narrows)
    for (const call of callsNear(random, [a, other], 300)) {
      const from = verdictOf(evaluate([a], call).action)
      const to = verdictOf(evaluate([other], call).action)
      if (from !== to && result.equal) return t.fail(`${i}: not equal`)
      if (permissiveness(to) > permissiveness(from) && result.narrows) return t.fail(`${i}: wider`)
    }
    for (const { witness, widens } of result.differences) {
      const from = evaluate([a], witness).action
      const to = evaluate([other], witness).action
      if (verdictOf(from) === verdictOf(to)) return t.fail(`${i}: the witness is none`)
      if (permissiveness(to) > permissiveness(from) !== widens) return t.fail(`${i}: widens`)
    }
  }
  t.ok(Math.min(counts.equal, counts.narrows, counts.wider) > 20, JSON.stringify(counts))
})

t.test('too much is undecided, not equal', async (t) => {
  const rules = (policy: Policy): Parameters<typeof compareRules>[0] => {
    const random = new Random(13)
    return { ...randomRules(random), name: policy.name }
  }
  t.throws(() => compareRules(rules(base), rules(base), { nodes: 50, steps: 50 }), {
    code: 'ERR_UNDECIDED',
  })
})
