/**
 * What rules mean, as diagrams, straight from their definition: the first rule whose conditions all
 * hold decides, else the default. Of an argument only its lower `width` bits count.
 */
import type { Condition, Rule, Rules, SyscallRules } from '../policy'
import { union, type Range } from '../policy/values'
import { argumentWord } from './bpf'
import { ALWAYS, NEVER, type Diagram, type Diagrams } from './diagram'
import { foreignAction } from './evaluate'
import { verdictOf } from './verdict'
import { levelOf } from './words'

/** Numbers (inclusive) of one architecture, and the verdicts on all of them. */
export interface Segment {
  readonly first: number
  readonly last: number
  readonly verdicts: Diagram
  /** What the policy says of this number by name. */
  readonly syscall?: SyscallRules
}

const LAST = 0xffffffff

export class Meaning {
  /** The architectures that have rules of their own, ascending. */
  readonly auditArches: readonly number[]
  private readonly segments = new Map<number, readonly Segment[]>()
  private readonly foreign: readonly Segment[]

  /** @throws RangeError for rules that do not agree on what other architectures get */
  constructor(
    private readonly arches: readonly Rules[],
    private readonly diagrams: Diagrams,
  ) {
    this.auditArches = arches.map(({ auditArch }) => auditArch).sort((a, b) => a - b)
    const verdicts = diagrams.leaf(verdictOf(foreignAction(arches)))
    this.foreign = [{ first: 0, last: LAST, verdicts }]
  }

  /** Every number of an architecture, ascending. */
  of(auditArch: number): readonly Segment[] {
    let known = this.segments.get(auditArch)
    if (known === undefined) {
      const rules = this.arches.find((candidate) => candidate.auditArch === auditArch)
      known = rules === undefined ? this.foreign : segmentsOf(rules, this.diagrams)
      this.segments.set(auditArch, known)
    }
    return known
  }
}

function segmentsOf(rules: Rules, diagrams: Diagrams): Segment[] {
  const { ranges } = rules
  const fallback = diagrams.leaf(verdictOf(rules.defaultAction))
  const segments: Segment[] = []
  let next = 0
  let index = 0
  // Whatever lies between two named numbers: ranges, and the default between those.
  const unnamed = (until: number): void => {
    for (; index < ranges.length; index++) {
      const range = ranges[index]
      if (range === undefined || range.first > until) break
      const first = Math.max(range.first, next)
      const last = Math.min(range.last, until)
      if (first <= last) {
        if (first > next) segments.push({ first: next, last: first - 1, verdicts: fallback })
        segments.push({ first, last, verdicts: diagrams.leaf(verdictOf(range.action)) })
        next = last + 1
      }
      // The rest of it comes after the named number.
      if (range.last > until) break
    }
    if (next <= until) segments.push({ first: next, last: until, verdicts: fallback })
    next = until + 1
  }
  for (const syscall of rules.syscalls) {
    const { number } = syscall
    if (number > next) unnamed(number - 1)
    const verdicts = verdictsOf(diagrams, syscall.rules, fallback)
    segments.push({ first: number, last: number, verdicts, syscall })
    next = number + 1
  }
  unnamed(LAST)
  return segments
}

/** The rules of one system call, tried in order. */
export const verdictsOf = (
  diagrams: Diagrams,
  rules: readonly Rule[],
  fallback: Diagram,
): Diagram =>
  joined(rules).reduceRight(
    (rest, rule) =>
      diagrams.choose(
        conditionsOf(diagrams, rule.conditions),
        diagrams.leaf(verdictOf(rule.action)),
        rest,
      ),
    fallback,
  )

/**
 * A thousand rules for a thousand values of one argument are one rule for a set: neighbours of the
 * same verdict, each with one condition, on the same argument.
 */
function joined(rules: readonly Rule[]): readonly Rule[] {
  if (rules.length < 2) return rules
  const result: Rule[] = []
  let ranges: Range[] = []
  for (const rule of rules) {
    const previous = result.at(-1)
    const condition = onlyRanges(rule)
    const before = previous === undefined ? undefined : onlyRanges(previous)
    if (
      previous?.action === rule.action &&
      condition !== undefined &&
      condition.argument === before?.argument &&
      condition.width === before.width
    ) {
      ranges.push(...condition.set.ranges)
      const set = { kind: 'ranges', ranges } as const
      result[result.length - 1] = { ...rule, conditions: [{ ...condition, set }] }
    } else {
      ranges = [...(condition?.set.ranges ?? [])]
      result.push(rule)
    }
  }
  // What a set of ranges promises: sorted, disjoint.
  return result.map((rule) => {
    const condition = onlyRanges(rule)
    if (condition === undefined || rules.includes(rule)) return rule
    const set = { kind: 'ranges', ranges: union(condition.set.ranges) } as const
    return { ...rule, conditions: [{ ...condition, set }] }
  })
}

/** The condition of a rule that has one, on ranges. */
function onlyRanges({
  conditions,
}: Rule): (Condition & { set: { kind: 'ranges'; ranges: readonly Range[] } }) | undefined {
  const [condition] = conditions
  if (conditions.length !== 1 || condition?.set.kind !== 'ranges') return undefined
  return { ...condition, set: condition.set }
}

/** All of them hold. */
export function conditionsOf(diagrams: Diagrams, conditions: readonly Condition[]): Diagram {
  const [only] = conditions
  if (only === undefined) return ALWAYS
  if (conditions.length === 1) return conditionOf(diagrams, only)
  // From the last argument up: each is then put on top of what is there.
  const ordered = [...conditions].sort((one, other) => other.argument - one.argument)
  return ordered.reduce(
    (rest: Diagram, condition) => diagrams.and(conditionOf(diagrams, condition), rest),
    ALWAYS,
  )
}

/** One argument is in its set. */
export function conditionOf(diagrams: Diagrams, { argument, width, set }: Condition): Diagram {
  if (set.kind === 'masked') return masked(diagrams, argument, width, set)
  // Where membership begins and where it ends, alternately; what lies beyond the width is never seen.
  const edges: Edge[] = []
  for (const [first, last] of set.ranges) {
    addEdge(edges, edgeAt(first), width)
    const { low, high } = edgeAt(last)
    addEdge(edges, low === 0xffffffff ? { low: 0, high: high + 1 } : { low: low + 1, high }, width)
  }
  const atZero = edges[0]?.low === 0 && edges[0].high === 0 ? 1 : 0
  return between(diagrams, argument, width - 1, edges, atZero, edges.length, atZero)
}

/** A value of 64 bits as two words: `high` is 2^32 for the one beyond them. */
interface Edge {
  readonly low: number
  readonly high: number
}

/** BigInts are slow; this splits one without arithmetic. Every architecture here is little-endian. */
const wide = new BigUint64Array(1)
const halves = new Uint32Array(wide.buffer)

function edgeAt(value: bigint): Edge {
  wide[0] = value
  return { low: halves[0] ?? 0, high: halves[1] ?? 0 }
}

function addEdge(edges: Edge[], edge: Edge, width: number): void {
  const within =
    width > 32 ? edge.high < 2 ** (width - 32) : edge.high === 0 && edge.low < 2 ** width
  if (within) edges.push(edge)
}

/** The level of bit 0 … 63 of an argument. */
export const argumentLevel = (argument: number, bit: number): number =>
  levelOf(argumentWord(argument) + (bit >>> 5), bit & 31)

/**
 * The values that agree in all bits above `bit`. `edges[from … to - 1]` are the edges among them, but
 * for one at the very first of these values; `passed` edges lie at or before that one, so that an odd
 * count means the first value is in the set.
 */
function between(
  diagrams: Diagrams,
  argument: number,
  bit: number,
  edges: readonly Edge[],
  from: number,
  to: number,
  passed: number,
): Diagram {
  if (bit < 0 || from === to) {
    return passed % 2 === 1 ? ALWAYS : NEVER
  }
  let middle = from
  for (let end = to; middle < end;) {
    const half = (middle + end) >>> 1
    if (isSet(edges[half], bit)) end = half
    else middle = half + 1
  }
  // An edge at the first value of the upper half has been passed there.
  const atMiddle = middle < to && isClearBelow(edges[middle], bit) ? 1 : 0
  return diagrams.node(
    argumentLevel(argument, bit),
    between(diagrams, argument, bit - 1, edges, from, middle, passed),
    between(
      diagrams,
      argument,
      bit - 1,
      edges,
      middle + atMiddle,
      to,
      passed + (middle - from) + atMiddle,
    ),
  )
}

function isSet(edge: Edge | undefined, bit: number): boolean {
  const word = bit < 32 ? edge?.low : edge?.high
  return (((word ?? 0) >>> (bit & 31)) & 1) === 1
}

/** No bit below this one is set. */
function isClearBelow(edge: Edge | undefined, bit: number): boolean {
  const { low = 0, high = 0 } = edge ?? {}
  const lower = 2 ** (bit & 31) - 1
  return bit < 32 ? (low & lower) === 0 : low === 0 && (high & lower) === 0
}

function masked(
  diagrams: Diagrams,
  argument: number,
  width: number,
  set: Condition['set'] & { kind: 'masked' },
): Diagram {
  const [wanted, other] = set.negate ? [NEVER, ALWAYS] : [ALWAYS, NEVER]
  const mask = edgeAt(set.mask)
  const expected = edgeAt(set.expected)
  let rest: Diagram = wanted
  for (let bit = 0; bit < 64; bit++) {
    const one = isSet(expected, bit)
    if (bit >= width || !isSet(mask, bit)) {
      // A bit that is never seen, and is 0 in what is left.
      if (one) return other
      continue
    }
    const level = argumentLevel(argument, bit)
    rest = one ? diagrams.node(level, other, rest) : diagrams.node(level, rest, other)
  }
  return rest
}
