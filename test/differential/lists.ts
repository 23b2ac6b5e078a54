/** Random lists of rules that mean the same in order, as we read them, and without, as libseccomp does. */
import type { ProfileCondition, ProfileRule, ProfileRules } from '../../bench/profile'
import { syscallNames } from '../../lib/syscalls'
import { ALLOW, EPERM, KILL, LOG, wideAtBorders, type Random } from '../helpers/analysis'

const [TRAP, TRACE, KILL_THREAD] = [0x00030000, 0x7ff00007, 0]
const ACTIONS = [ALLOW, ALLOW, EPERM, 0x00050026, 0x00050ffe, KILL, KILL_THREAD, LOG, TRAP, TRACE]

const OPERATORS = ['eq', 'ne', 'lt', 'le', 'ge', 'gt', 'maskedEq'] as const

/** Those that both know by the same number on every kernel, and a few that they may not both name. */
const NAMES = syscallNames('x86_64')

/** @param most rules of one system call */
export function randomList(random: Random, most: number): ProfileRules {
  const fallback = random.pick(ACTIONS)
  const others = ACTIONS.filter((action) => action !== fallback)
  const names = new Set(Array.from({ length: 1 + random.below(24) }, () => random.pick(NAMES)))
  const rules = [...names].flatMap((name): ProfileRule[] => {
    if (random.oneIn(3)) return [{ name, action: random.pick(others), conditions: [] }]
    return random.oneIn(3)
      ? disjoint(random, name, others, most)
      : alike(random, name, others, most)
  })
  return { default: fallback, rules }
}

/** One action for all rules of a call: then their order says nothing. They overlap and repeat. */
function alike(
  random: Random,
  name: string,
  actions: readonly number[],
  most: number,
): ProfileRule[] {
  const action = random.pick(actions)
  const known: bigint[] = []
  return Array.from({ length: 1 + random.below(most) }, () => ({
    name,
    action,
    conditions: conditionsOn(random, [0, 1, 2, 3, 4, 5], 1 + random.below(3), known),
  }))
}

/** Several actions, told apart by one argument that every rule compares with a value of its own. */
function disjoint(
  random: Random,
  name: string,
  actions: readonly number[],
  most: number,
): ProfileRule[] {
  const index = random.below(6)
  const rest = [0, 1, 2, 3, 4, 5].filter((other) => other !== index)
  const values = new Set(
    Array.from({ length: 1 + random.below(most) }, () => wideAtBorders(random)),
  )
  const known: bigint[] = []
  return [...values].map((each) => ({
    name,
    action: random.pick(actions),
    conditions: [
      { index, op: 'eq' as const, value: each, valueTwo: 0 },
      ...conditionsOn(random, rest, random.below(3), known),
    ],
  }))
}

/** At most one for each argument, as libseccomp takes them. Values come back, to meet each other. */
function conditionsOn(
  random: Random,
  arguments_: readonly number[],
  count: number,
  known: bigint[],
): ProfileCondition[] {
  const chosen = new Set(Array.from({ length: count }, () => random.pick(arguments_)))
  const operand = (): bigint => {
    if (known.length > 0 && random.oneIn(3)) return random.pick(known)
    const fresh = random.oneIn(3) ? random.wide() : wideAtBorders(random)
    known.push(fresh)
    return fresh
  }
  return [...chosen].map((index) => {
    const op = random.pick(OPERATORS)
    const first = operand()
    return { index, op, value: first, valueTwo: op === 'maskedEq' ? first & operand() : 0 }
  })
}
