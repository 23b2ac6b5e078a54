/** Random rules, compiled by seccomp-ts and by libseccomp: the programs do the same. */
import t, { type Test } from 'tap'
import type { ProfileRules } from '../../bench/profile'
import type { Call } from '../../lib/analysis/interpreter'
import { proveRules } from '../../lib/analysis/proof'
import { AUDIT_ARCH, findSyscall } from '../../lib/syscalls'
import { argumentsNear, type Random } from '../helpers/analysis'
import {
  boundaryCalls,
  compareOnCalls,
  compileOurs,
  compileTheirs,
  describe,
  describeMismatch,
  findDifference,
  libseccompVersion,
} from './libseccomp'
import { randomList } from './lists'
import { report, seeded, sized, TIMEOUT } from './size'

t.setTimeout(TIMEOUT)

/** Any of the operands, or one next to it, in any of the registers. */
function* mixedCalls(random: Random, list: ProfileRules, count: number): Generator<Call> {
  const values = list.rules.flatMap(({ conditions }) =>
    conditions.flatMap(({ value, valueTwo }) => [BigInt(value), BigInt(valueTwo)]),
  )
  const near = values.flatMap((value) => [value - 1n, value, value + 1n])
  const numbers = list.rules.map(({ name }) => findSyscall(name, 'x86_64')?.number ?? -1)
  for (let i = 0; i < count; i++) {
    const args = argumentsNear(random, near)
    yield { arch: AUDIT_ARCH.x86_64, number: random.pick(numbers), args, instructionPointer: 0n }
  }
}

const sample = <T>(random: Random, list: readonly T[], count: number): readonly T[] =>
  list.length <= count ? list : list.filter(() => random.below(list.length) < count)

/** The rules of one system call, or all. */
const text = (list: ProfileRules, number?: number): string =>
  JSON.stringify(
    number === undefined
      ? list
      : {
          ...list,
          rules: list.rules.filter(({ name }) => findSyscall(name, 'x86_64')?.number === number),
        },
    (_, value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value),
  )

interface Outcome {
  /** What is wrong with ours, and with theirs. */
  readonly ours: string[]
  readonly theirs: string[]
  /** The share of policies of which the programs were proved equal. */
  equal: number
}

/** Compares so many random policies, with at most so many rules for each system call. */
function comparePolicies(t: Test, total: number, most: number): Outcome {
  const random = seeded(t)
  const counts = { policies: 0, rules: 0, 'dead rules': 0, refused: 0, endless: 0, calls: 0 }
  const wrong: Outcome = { ours: [], theirs: [], equal: 0 }
  let different = 0
  while (counts.policies < total && wrong.ours.length === 0) {
    const lists = Array.from({ length: Math.min(total, 500) }, () => randomList(random, most))
    for (const [index, theirs] of compileTheirs(lists).entries()) {
      const list = lists[index] as ProfileRules
      const ours = compileOurs(list)
      counts.policies++
      counts.rules += list.rules.length
      counts['dead rules'] += ours.dead
      if (!proveRules([ours.rules], ours.bytes).proved) wrong.ours.push(`not proved: ${text(list)}`)
      if (theirs.outcome !== 'program') {
        counts[theirs.outcome]++
        continue
      }
      const call = findDifference(ours, theirs)
      const calls = [
        ...(call === undefined ? [] : [call]),
        ...sample(random, [...boundaryCalls(list)], 300),
        ...mixedCalls(random, list, 60),
      ]
      const compared = compareOnCalls(list, ours, theirs, calls)
      counts.calls += compared.calls
      if (call !== undefined || compared.theirs.length > 0) different++
      for (const who of ['ours', 'theirs'] as const) {
        const [first] = compared[who]
        if (first !== undefined)
          wrong[who].push(`${describeMismatch(first)} for ${text(list, first.call.number)}`)
      }
      if (call !== undefined && compared.theirs[0]?.call !== call) {
        wrong.ours.push(`the programs differ on ${describe(call)}, and theirs is right`)
      }
    }
  }
  const equal = counts.policies - counts.refused - counts.endless - different
  wrong.equal = equal / counts.policies
  report(t, {
    libseccomp: libseccompVersion(),
    ...counts,
    'proved equal': equal,
    'policies that ours gets wrong': wrong.ours.length,
    'policies that libseccomp gets wrong': wrong.theirs.length,
  })
  return wrong
}

const skip = process.arch !== 'x64' && 'the harness of libseccomp is for x86-64'

t.test('one rule for each system call: the same, whatever the call', { skip }, async (t) => {
  const { ours, theirs, equal } = comparePolicies(t, sized(150, 5_000), 1)
  t.same(ours.slice(0, 3), [])
  t.same(theirs.slice(0, 3), [])
  t.equal(equal, 1)
})

// libseccomp 2.5.4 compares the wrong word, or comes to no end, for many sets of rules that look at
// one argument in different ways. So the plain reading of the list decides who is right.
t.test('several rules for each: ours do what the list says', { skip }, async (t) => {
  const { ours, theirs, equal } = comparePolicies(t, sized(100, 5_000), 4)
  t.same(ours.slice(0, 3), [])
  t.ok(equal > 0.3, 'and many are the same')
  for (const each of theirs.slice(0, 1)) t.comment(`for example ${each}`)
})
