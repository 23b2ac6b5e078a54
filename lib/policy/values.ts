/**
 * Sets of unsigned words: what a comparator means once its argument's C type is known.
 *
 * Everything an ordering comparator can say is a union of ranges; signedness disappears here, since
 * `fd < 0` is the range of words whose sign bit is set. What masks say is kept as mask and value.
 */

/** First and last, inclusive. */
export type Range = readonly [first: bigint, last: bigint]

export type ValueSet =
  /** Sorted, disjoint, not adjacent. */
  | { readonly kind: 'ranges'; readonly ranges: readonly Range[] }
  /** ((value & mask) == expected) != negate; expected has no bit outside mask. */
  | {
      readonly kind: 'masked'
      readonly mask: bigint
      readonly expected: bigint
      readonly negate: boolean
    }

export const maxOf = (width: number): bigint => (1n << BigInt(width)) - 1n

/** Sorts, and merges what overlaps or touches. */
export function union(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))
  const merged: [bigint, bigint][] = []
  for (const [first, last] of sorted) {
    const previous = merged[merged.length - 1]
    if (previous !== undefined && first <= previous[1] + 1n) {
      if (last > previous[1]) previous[1] = last
    } else {
      merged.push([first, last])
    }
  }
  return merged
}

export function complement(ranges: readonly Range[], width: number): Range[] {
  const rest: Range[] = []
  let next = 0n
  for (const [first, last] of union(ranges)) {
    if (first > next) rest.push([next, first - 1n])
    next = last + 1n
  }
  if (next <= maxOf(width)) rest.push([next, maxOf(width)])
  return rest
}

/** The words whose signed (or unsigned) value lies in [min, max]. */
export function between(min: bigint, max: bigint, width: number, signed: boolean): Range[] {
  if (min > max) return []
  if (!signed) return [[min, max]]
  const wrap = 1n << BigInt(width)
  const ranges: Range[] = []
  if (min < 0n) ranges.push([min + wrap, (max < 0n ? max : -1n) + wrap])
  if (max >= 0n) ranges.push([min < 0n ? 0n : min, max])
  return union(ranges)
}

/** No value at all is in the set: a rule that asks for it can never hold. */
export const isEmpty = (set: ValueSet): boolean =>
  set.kind === 'ranges' ? set.ranges.length === 0 : set.negate && set.mask === 0n

/** True when every value of `inner` is in `outer`. May answer false where it is in fact so. */
export function contains(outer: ValueSet, inner: ValueSet): boolean {
  if (outer.kind === 'ranges' && inner.kind === 'ranges') {
    // Both are sorted and disjoint.
    let at = 0
    return inner.ranges.every(([first, last]) => {
      while ((outer.ranges[at]?.[1] ?? first) < first) at++
      const range = outer.ranges[at]
      return range !== undefined && range[0] <= first && last <= range[1]
    })
  }
  if (outer.kind === 'masked' && inner.kind === 'masked') {
    if (outer.negate !== inner.negate) return false
    const [small, large] = outer.negate ? [inner, outer] : [outer, inner]
    // Fewer bits asked for, and those alike: x & large == e implies x & small == e & small.
    return (
      (small.mask & large.mask) === small.mask && (large.expected & small.mask) === small.expected
    )
  }
  if (outer.kind === 'masked' && inner.kind === 'ranges') {
    return inner.ranges.every(
      ([first, last]) =>
        first === last && ((first & outer.mask) === outer.expected) !== outer.negate,
    )
  }
  return false
}
