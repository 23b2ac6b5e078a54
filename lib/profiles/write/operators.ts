/**
 * A set of values of one register as comparisons of libseccomp's, of which any must hold. They compare
 * 64 bits without a sign; where only the lower bits count, as of an `int`, that is a mask.
 */
import { ALWAYS, NEVER, type Diagram, type Diagrams } from '../../analysis/diagram'
import { ARGUMENT_LEVEL } from '../../analysis/words'
import { complement, maxOf, type Range } from '../../policy/values'
import type { ProfileArg } from '../types'

export type Operand = Pick<ProfileArg, 'op' | 'value' | 'valueTwo'>

/** So many values are listed one by one, though fewer masks might say it: people read them. */
const LISTED = 16

/** Ranges of a set that are looked at before masks are taken instead. */
const MAX_RANGES = 64
const MAX_STEPS = 8192

const masked = (mask: bigint, expected: bigint): Operand => ({
  op: 'SCMP_CMP_MASKED_EQ',
  value: mask,
  valueTwo: expected,
})

const compared = (op: ProfileArg['op'], value: bigint): Operand => ({ op, value, valueTwo: 0n })

/** @param set not every value; undefined where more would be needed than `most` */
export function operatorsOf(
  diagrams: Diagrams,
  set: Diagram,
  index: number,
  most: number,
): readonly Operand[] | undefined {
  const lastLevel = ARGUMENT_LEVEL + 64 * index + 63
  // Nothing above the highest bit that is looked at counts.
  const width = lastLevel - diagrams.level(set) + 1
  const ranges = rangesOf(diagrams, set, lastLevel, width)
  const listed = ranges === undefined ? undefined : valuesOf(ranges)
  if (listed !== undefined && width < 64) {
    return listed.map((value) => masked(maxOf(width), value))
  }
  const masks = masksOf(diagrams, set, lastLevel, most)
  if (ranges === undefined || width < 64) return masks
  const comparisons = comparisonsOf(ranges)
  const short = comparisons.length <= LISTED
  return short || masks === undefined || comparisons.length <= masks.length ? comparisons : masks
}

/** The values, if they are few. */
function valuesOf(ranges: readonly Range[]): readonly bigint[] | undefined {
  const count = ranges.reduce((sum, [first, last]) => sum + last - first + 1n, 0n)
  if (count > BigInt(LISTED)) return undefined
  return ranges.flatMap(([first, last]) =>
    Array.from({ length: Number(last - first) + 1 }, (_, offset) => first + BigInt(offset)),
  )
}

/** Of words of so many bits, ascending. Undefined where a mask says it better. */
function rangesOf(
  diagrams: Diagrams,
  set: Diagram,
  lastLevel: number,
  width: number,
): readonly Range[] | undefined {
  const ranges: [bigint, bigint][] = []
  let steps = 0
  const visit = (node: Diagram, bit: number, first: bigint): boolean => {
    if (++steps > MAX_STEPS) return false
    if (node === NEVER) return true
    if (node === ALWAYS) {
      const last = first + maxOf(bit + 1)
      const previous = ranges[ranges.length - 1]
      if (previous !== undefined && previous[1] + 1n === first) previous[1] = last
      else ranges.push([first, last])
      return ranges.length <= MAX_RANGES
    }
    const level = lastLevel - bit
    return (
      visit(diagrams.low(node, level), bit - 1, first) &&
      visit(diagrams.high(node, level), bit - 1, first + (1n << BigInt(bit)))
    )
  }
  return visit(set, width - 1, 0n) ? ranges : undefined
}

/** One for every way through the diagram: disjoint. */
function masksOf(
  diagrams: Diagrams,
  set: Diagram,
  lastLevel: number,
  most: number,
): readonly Operand[] | undefined {
  const masks: Operand[] = []
  const visit = (node: Diagram, mask: bigint, expected: bigint): boolean => {
    if (node === NEVER) return true
    if (node === ALWAYS) return masks.push(masked(mask, expected)) <= most
    const level = diagrams.level(node)
    const bit = 1n << BigInt(lastLevel - level)
    return (
      visit(diagrams.low(node, level), mask | bit, expected) &&
      visit(diagrams.high(node, level), mask | bit, expected | bit)
    )
  }
  return visit(set, 0n, 0n) ? masks : undefined
}

/** Ranges of whole registers. One that ends on neither side takes masks: no entry compares twice. */
function comparisonsOf(ranges: readonly Range[]): readonly Operand[] {
  const [hole, ...others] = complement(ranges, 64)
  if (hole !== undefined && others.length === 0 && hole[0] === hole[1]) {
    return [compared('SCMP_CMP_NE', hole[0])]
  }
  return ranges.flatMap(([first, last]) => {
    if (first === last) return [compared('SCMP_CMP_EQ', first)]
    if (first === 0n) return [compared('SCMP_CMP_LE', last)]
    if (last === maxOf(64)) return [compared('SCMP_CMP_GE', first)]
    return blocksOf(first, last)
  })
}

/** The largest runs of 2^n values that begin at a multiple of 2^n. */
function blocksOf(first: bigint, last: bigint): Operand[] {
  const blocks: Operand[] = []
  for (let start = first; start <= last;) {
    let size = 1n
    while ((start & (2n * size - 1n)) === 0n && start + 2n * size - 1n <= last) size *= 2n
    const mask = maxOf(64) ^ (size - 1n)
    blocks.push(size === 1n ? compared('SCMP_CMP_EQ', start) : masked(mask, start))
    start += size
  }
  return blocks
}
