/**
 * A policy of ours in the one form it is written in: calls by name, conditions in the order of the
 * arguments, errnos by name, values ascending. Rules keep their order where it decides something: only
 * those of one action that follow each other are sorted.
 */
import {
  definePolicy,
  type ActionData,
  type Comparator,
  type Policy,
  type RuleFor,
  type Scalar,
} from '../../policy'
import { errnoName, findSyscall, type SyscallName } from '../../syscalls'
import type { JsonValue } from './json-text'

type Bare = Pick<ActionData, 'action' | 'errno' | 'data'>

export interface CanonicalRule {
  readonly action: Bare
  /** Empty for a rule that always holds. */
  readonly when: readonly (readonly [argument: string, comparator: Comparator])[]
}

export interface CanonicalPolicy {
  readonly name: string | undefined
  readonly default: Bare
  readonly baseline: string | undefined
  readonly ceiling: SyscallName | undefined
  readonly syscalls: readonly (readonly [name: SyscallName, rules: readonly CanonicalRule[]])[]
}

/** @throws PolicyError for a mistake in the policy */
export function canonical(policy: Policy, name = policy.name): CanonicalPolicy {
  // A copy of own data: what is written is what was checked.
  const { default: fallback, baseline, ceiling, syscalls = {} } = definePolicy(policy)
  const names = (Object.keys(syscalls) as SyscallName[]).sort()
  return {
    name,
    default: bare(fallback),
    baseline,
    ceiling,
    syscalls: names.flatMap((each) => {
      const rules = rulesFor(each, syscalls[each])
      return rules.length === 0 ? [] : [[each, rules] as const]
    }),
  }
}

function rulesFor(
  name: SyscallName,
  given: RuleFor<SyscallName> | readonly RuleFor<SyscallName>[] | undefined,
): readonly CanonicalRule[] {
  const list = given === undefined ? [] : Array.isArray(given) ? given : [given]
  const rules = (list as RuleFor<SyscallName>[]).map((rule): CanonicalRule => {
    const { when: conditions = {} } = rule as { readonly when?: Record<string, Comparator> }
    return {
      action: bare(rule),
      when: Object.entries(conditions)
        .map(([argument, comparator]) => [argument, ordered(comparator)] as const)
        .sort(([a], [b]) => indexOf(name, a) - indexOf(name, b) || compare(a, b)),
    }
  })
  return sortRuns(rules)
}

function bare({ action, errno, data }: Bare): Bare {
  if (action === 'errno' && errno !== undefined) {
    return { action, errno: typeof errno === 'number' ? (errnoName(errno) ?? errno) : errno }
  }
  return data === undefined ? { action } : { action, data }
}

/** Which register an argument's name stands for. */
function indexOf(name: SyscallName, argument: string): number {
  const raw = /^arg([0-5])$/.exec(argument)
  if (raw !== null) return Number(raw[1])
  const info = findSyscall(name, 'x86_64') ?? findSyscall(name, 'aarch64')
  return info?.args.findIndex((each) => each.name === argument) ?? 0
}

/** Keys in one order, lists without order sorted and without repetitions. */
function ordered(comparator: Comparator): Comparator {
  const width = comparator.width === undefined ? {} : { width: comparator.width }
  switch (comparator.op) {
    case 'between':
      return { op: comparator.op, ...width, min: plain(comparator.min), max: plain(comparator.max) }
    case 'oneOf':
    case 'noneOf':
      return { op: comparator.op, ...width, values: listed(comparator.values) }
    case 'maskedEq': {
      const { mask, value } = comparator
      return { op: comparator.op, ...width, mask: bits(mask), value: bits(value) }
    }
    case 'hasAll':
    case 'hasAny':
    case 'hasNone':
      return { op: comparator.op, ...width, flags: listed(comparator.flags) }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return { op: comparator.op, ...width, value: plain(comparator.value) }
  }
}

const bits = (value: Scalar | readonly Scalar[]): Scalar | readonly Scalar[] =>
  typeof value === 'object' ? listed(value) : plain(value)

/** A number wherever one is exact, and text in hexadecimal above. */
function plain(value: Scalar): Scalar {
  const integer = integerOf(value)
  if (integer === undefined) return value
  const small = Number(integer)
  if (Number.isSafeInteger(small)) return small
  return integer < 0n ? `-0x${(-integer).toString(16)}` : `0x${integer.toString(16)}`
}

/** Undefined for the name of a constant. */
export function integerOf(value: Scalar): bigint | undefined {
  if (typeof value !== 'string') return BigInt(value)
  if (!/^-?(0x[0-9a-fA-F]+|\d+)$/.test(value)) return undefined
  return value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value)
}

const listed = (values: readonly Scalar[]): readonly Scalar[] =>
  [...new Set(values.map(plain))].sort((a, b) => {
    const [one, other] = [integerOf(a), integerOf(b)]
    if (one !== undefined && other !== undefined) return one < other ? -1 : one > other ? 1 : 0
    if (one === undefined && other === undefined) return compare(String(a), String(b))
    return one === undefined ? 1 : -1
  })

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Of neighbours with one action, it says nothing which is tried first. */
function sortRuns(rules: readonly CanonicalRule[]): readonly CanonicalRule[] {
  const runs: CanonicalRule[][] = []
  for (const rule of rules) {
    const run = runs[runs.length - 1]
    const [first] = run ?? []
    if (first !== undefined && JSON.stringify(first.action) === JSON.stringify(rule.action)) {
      run?.push(rule)
    } else runs.push([rule])
  }
  const text = (rule: CanonicalRule): string => JSON.stringify(rule.when)
  return runs.flatMap((run) => run.sort((a, b) => compare(text(a), text(b))))
}

/** As JSON, which is a policy again. */
export function canonicalJson(
  policy: CanonicalPolicy,
): Readonly<Record<string, JsonValue | undefined>> {
  const { name, default: fallback, baseline, ceiling, syscalls } = policy
  const rule = ({ action, when }: CanonicalRule): JsonValue => ({
    ...action,
    when: when.length === 0 ? undefined : (Object.fromEntries(when) as unknown as JsonValue),
  })
  const rulesOf = (rules: readonly CanonicalRule[]): JsonValue => {
    const [only] = rules
    return rules.length === 1 && only !== undefined ? rule(only) : rules.map(rule)
  }
  return {
    name,
    default: { ...fallback },
    baseline,
    ceiling,
    syscalls: Object.fromEntries(syscalls.map(([each, rules]) => [each, rulesOf(rules)])),
  }
}
