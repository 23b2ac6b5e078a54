/**
 * What an entry asks of the registers, as sets: whether two entries can both hold, whether one covers
 * another, and the comparators of ours that say the same. Container profiles compare whole registers,
 * 64 bits without a sign.
 */
import type { Comparator, Integer } from '../policy'
import {
  between,
  complement,
  contains,
  isEmpty,
  maxOf,
  type Range,
  type ValueSet,
} from '../policy/values'
import type { ProfileArg } from './types'

const MAX = maxOf(64)

/** What all conditions on one register come to: these sets, of which the value is in each. */
export type Registers = ReadonlyMap<number, ValueSet>

type Operand = Pick<ProfileArg, 'op' | 'value' | 'valueTwo'>

function setOf({ op, value, valueTwo }: Operand): ValueSet {
  const ranges = (list: readonly Range[]): ValueSet => ({ kind: 'ranges', ranges: list })
  switch (op) {
    case 'SCMP_CMP_EQ':
      return ranges([[value, value]])
    case 'SCMP_CMP_NE':
      return ranges(complement([[value, value]], 64))
    case 'SCMP_CMP_LT':
      return ranges(between(0n, value - 1n, 64, false))
    case 'SCMP_CMP_LE':
      return ranges([[0n, value]])
    case 'SCMP_CMP_GE':
      return ranges([[value, MAX]])
    case 'SCMP_CMP_GT':
      return ranges(between(value + 1n, MAX, 64, false))
    case 'SCMP_CMP_MASKED_EQ':
      // libseccomp: datum_a is the mask, and of datum_b only what is in it counts.
      if (value === 0n) return ranges([[0n, MAX]])
      return { kind: 'masked', mask: value, expected: valueTwo & value, negate: false }
  }
}

/** Both hold. Undefined where that is no set of ours: a mask and a range. */
function intersect(a: ValueSet, b: ValueSet): ValueSet | undefined {
  if (a.kind === 'ranges' && b.kind === 'ranges') {
    const ranges: Range[] = []
    for (const [first, last] of a.ranges) {
      for (const [start, end] of b.ranges) {
        const from = first > start ? first : start
        const to = last < end ? last : end
        if (from <= to) ranges.push([from, to])
      }
    }
    return { kind: 'ranges', ranges }
  }
  if (a.kind === 'masked' && b.kind === 'masked') {
    if ((a.mask & b.mask & (a.expected ^ b.expected)) !== 0n) return { kind: 'ranges', ranges: [] }
    const mask = a.mask | b.mask
    return { kind: 'masked', mask, expected: a.expected | b.expected, negate: false }
  }
  // Of the two, whichever holds whenever the other does can be left out.
  if (contains(a, b)) return b
  return contains(b, a) ? a : undefined
}

/**
 * All of the conditions together. Undefined where two on one register come to something that no
 * comparator says.
 */
export function registersOf(args: readonly ProfileArg[]): Registers | undefined {
  const registers = new Map<number, ValueSet>()
  for (const arg of args) {
    const set = setOf(arg)
    const earlier = registers.get(arg.index)
    const both = earlier === undefined ? set : intersect(earlier, set)
    if (both === undefined) return undefined
    registers.set(arg.index, both)
  }
  return registers
}

/** No call meets them. */
export const neverHolds = (registers: Registers): boolean => [...registers.values()].some(isEmpty)

/** Some call meets both. */
export function overlap(a: Registers, b: Registers): boolean {
  for (const [index, set] of a) {
    const other = b.get(index)
    if (other === undefined) continue
    const both = intersect(set, other)
    if (both !== undefined && isEmpty(both)) return false
    if (both === undefined && apart(set, other)) return false
  }
  return true
}

/** A mask and ranges: no value is in both. */
function apart(a: ValueSet, b: ValueSet): boolean {
  const [masked, ranges] = a.kind === 'masked' ? [a, b] : [b, a]
  if (masked.kind !== 'masked' || ranges.kind !== 'ranges') return false
  return ranges.ranges.every(([first, last]) => {
    const found = nextMatch(first, masked.mask, masked.expected)
    return found === undefined || found > last
  })
}

/** The least value from `first` on of which the bits in `mask` are those of `expected`. */
function nextMatch(first: bigint, mask: bigint, expected: bigint): bigint | undefined {
  if ((first & mask) === expected) return first
  // It has the upper bits of `first`, a 1 where that has a 0, and below as little as may be.
  for (let bit = 0n; bit < 64n; bit++) {
    const one = 1n << bit
    const upper = MAX ^ (2n * one - 1n)
    const mayBeOne = (mask & one) === 0n || (expected & one) !== 0n
    if ((first & one) !== 0n || !mayBeOne) continue
    if ((first & mask & upper) !== (expected & upper)) continue
    return (first & upper) | one | (expected & (one - 1n))
  }
  return undefined
}

/** `outer` holds for every call for which `inner` does. */
export const covers = (outer: Registers, inner: Registers): boolean =>
  [...outer].every(([index, set]) => {
    const given = inner.get(index)
    return given !== undefined && contains(set, given)
  })

type Conditions = Readonly<Record<string, Comparator<Integer>>>

/** Above this, one entry would come to more rules than a program has room for. */
const MAX_ALTERNATIVES = 64

/**
 * `when` of the rules that together hold where all these do: one, unless what is left of a register
 * is in several pieces. Undefined where there would be too many.
 */
export function conditionsOf(registers: Registers): readonly Conditions[] | undefined {
  let alternatives: Conditions[] = [{}]
  for (const [index, set] of [...registers].sort(([a], [b]) => a - b)) {
    const comparators = comparatorsOf(set)
    if (comparators.length * alternatives.length > MAX_ALTERNATIVES) return undefined
    alternatives = alternatives.flatMap((conditions) =>
      comparators.map((comparator) => ({ ...conditions, [`arg${index}`]: comparator })),
    )
  }
  return alternatives
}

/** JSON has no integers of 64 bits, and a policy is JSON. */
const plain = (value: bigint): Integer =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : `0x${value.toString(16)}`

function comparatorsOf(set: ValueSet): readonly Comparator<Integer>[] {
  if (set.kind === 'masked') {
    return [{ op: 'maskedEq', mask: plain(set.mask), value: plain(set.expected) }]
  }
  const { ranges } = set
  const holes = complement(ranges, 64)
  const points = (list: readonly Range[]): Integer[] | undefined =>
    list.every(([first, last]) => first === last) ? list.map(([first]) => plain(first)) : undefined
  const values = points(ranges)
  const [value] = values ?? []
  if (values !== undefined && value !== undefined) {
    return [values.length === 1 ? { op: 'eq', value } : { op: 'oneOf', values }]
  }
  const missing = points(holes)
  const [hole] = missing ?? []
  if (missing !== undefined && hole !== undefined && ranges.length >= holes.length) {
    return [missing.length === 1 ? { op: 'ne', value: hole } : { op: 'noneOf', values: missing }]
  }
  return ranges.map(([first, last]) => {
    if (first === last) return { op: 'eq', value: plain(first) }
    if (first === 0n) return { op: 'le', value: plain(last) }
    if (last === MAX) return { op: 'ge', value: plain(first) }
    return { op: 'between', min: plain(first), max: plain(last) }
  })
}
