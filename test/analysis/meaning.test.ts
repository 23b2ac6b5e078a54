/** What rules mean, as diagrams: against reading them one after the other. */
import t from 'tap'
import { Diagrams } from '../../lib/analysis/diagram'
import { evaluate } from '../../lib/analysis/evaluate'
import { wordsOfCall } from '../../lib/analysis/interpreter'
import { Meaning } from '../../lib/analysis/meaning'
import { verdictOf } from '../../lib/analysis/verdict'
import {
  allow,
  between,
  eq,
  errno,
  oneOf,
  rulesOf,
  type Condition,
  type Policy,
  type Rules,
} from '../../lib/policy'
import {
  ALLOW,
  ARM64,
  callsNear,
  EPERM,
  KILL,
  Random,
  randomRules,
  valueAt,
  X64,
} from '../helpers/analysis'

t.test('random rules', async (t) => {
  const random = new Random(10)
  for (let i = 0; i < 600; i++) {
    const rules = [randomRules(random), randomRules(random, { auditArch: ARM64 })]
    const diagrams = new Diagrams()
    const meaning = new Meaning(rules, diagrams)
    for (const call of callsNear(random, rules, 60)) {
      const segment = meaning
        .of(call.arch)
        .find(({ first, last }) => first <= call.number && call.number <= last)
      const expected = verdictOf(evaluate(rules, call).action)
      const actual = valueAt(diagrams, segment?.verdicts ?? -1, wordsOfCall(call))
      if (actual !== expected) return t.fail(`rules ${i}: ${actual}, not ${expected}`)
    }
  }
})

t.test('segments are every number once, in order', async (t) => {
  const random = new Random(11)
  for (let i = 0; i < 100; i++) {
    const meaning = new Meaning([randomRules(random)], new Diagrams())
    for (const arch of [X64, ARM64]) {
      let next = 0
      for (const { first, last } of meaning.of(arch)) {
        if (first !== next || last < first) return t.fail(`${first} … ${last} after ${next}`)
        next = last + 1
      }
      if (next !== 2 ** 32) return t.fail(`ends at ${next}`)
    }
  }
})

/** What arg0 gets, where only that condition allows. */
function verdictFor(condition: Omit<Condition, 'argument'>, arg0: bigint): number {
  const rules: Rules = {
    name: undefined,
    arch: 'x86_64',
    auditArch: X64,
    foreignArchAction: KILL,
    defaultAction: EPERM,
    ranges: [],
    syscalls: [
      {
        name: 'read',
        number: 0,
        rules: [{ action: ALLOW, conditions: [{ argument: 0, ...condition }], path: '' }],
      },
    ],
  }
  const diagrams = new Diagrams()
  const verdicts = new Meaning([rules], diagrams).of(X64)[0]?.verdicts ?? -1
  const call = { arch: X64, number: 0, args: [arg0], instructionPointer: 0n }
  const value = valueAt(diagrams, verdicts, wordsOfCall(call))
  if (value !== evaluate([rules], call).action) throw new Error('the two readings differ')
  return value
}

t.test('borders of ranges and widths, by name', async (t) => {
  const ranges = (...list: [bigint, bigint][]): Condition['set'] => ({
    kind: 'ranges',
    ranges: list,
  })
  const all = 2n ** 64n - 1n
  const allowed = (width: 16 | 32 | 64, set: Condition['set'], value: bigint): boolean =>
    verdictFor({ width, set }, value) === ALLOW
  t.ok(allowed(64, ranges([0n, all]), all), 'everything')
  t.ok(allowed(64, ranges([0n, 0n]), 0n), 'the first value')
  t.notOk(allowed(64, ranges([0n, 0n]), 1n))
  t.ok(allowed(64, ranges([all, all]), all), 'the last value')
  t.notOk(allowed(64, ranges([all, all]), all - 1n))
  t.ok(allowed(64, ranges([5n, 1n << 40n]), 0xffffffffn), 'a range over the halves')
  t.notOk(allowed(64, ranges([5n, 1n << 40n]), (1n << 40n) + 1n))
  t.notOk(allowed(64, ranges([5n, 1n << 40n]), 4n))
  t.ok(allowed(32, ranges([2n, 2n]), 0xdeadbeef_00000002n), 'garbage in the upper half')
  t.notOk(allowed(64, ranges([2n, 2n]), 0xdeadbeef_00000002n), '64 bits see it')
  t.ok(allowed(16, ranges([2n, 2n]), 0xffff0002n), 'garbage above 16 bits')
  t.ok(allowed(32, ranges([0x80000000n, 0xffffffffn]), 0xffffffff_80000000n), 'a negative int')
  t.notOk(allowed(32, ranges([0x80000000n, 0xffffffffn]), 0xffffffff_7fffffffn))
  const masked = (mask: bigint, expected: bigint, negate = false): Condition['set'] => ({
    kind: 'masked',
    mask,
    expected,
    negate,
  })
  t.ok(allowed(32, masked(3n, 1n), 0xffffffff_fffffffdn))
  t.notOk(allowed(32, masked(3n, 1n, true), 0xffffffff_fffffffdn))
  t.notOk(allowed(32, masked(3n, 5n), 5n), 'a bit that is masked away')
  t.notOk(allowed(32, masked(1n << 40n, 1n << 40n), 1n << 40n), 'a bit beyond the width')
  t.ok(allowed(64, masked(1n << 40n, 1n << 40n), 1n << 40n))
})

t.test('many rules for one value each are the rule for their set', async (t) => {
  const random = new Random(15)
  const values = Array.from({ length: 300 }, () => random.next())
  const policy = (rules: Policy['syscalls']): Rules =>
    rulesOf(
      { default: errno('EPERM'), ...(rules && { syscalls: rules }) },
      { arch: 'x86_64', pid: 1 },
    )
  const diagrams = new Diagrams()
  const verdicts = (rules: Rules): number | undefined =>
    new Meaning([rules], diagrams).of(X64).find(({ first }) => first === 16)?.verdicts
  const many = policy({ ioctl: values.map((value) => allow.when({ cmd: eq(value) })) })
  t.equal(verdicts(many), verdicts(policy({ ioctl: allow.when({ cmd: oneOf(...values) }) })))
  const split = values.map((value, index) =>
    index === 150 ? errno('EACCES').when({ fd: between(0, 100) }) : allow.when({ cmd: eq(value) }),
  )
  t.not(verdicts(policy({ ioctl: split })), verdicts(many), 'but not across another verdict')
})
