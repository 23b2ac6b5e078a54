/** "Did you mean …?": the candidate that somebody most likely meant, or none. */

/** Longer than any name: a policy file from elsewhere must not buy time with a huge one. */
const LONGEST = 64

/**
 * How many typing errors (insertion, deletion, substitution, swap of two neighbours) lie between
 * two texts; more than `limit` counts as `limit + 1`. Optimal string alignment distance.
 */
function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    let least = row
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1)
      current.push(cost)
      least = Math.min(least, cost)
    }
    if (least > limit) return limit + 1
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}

/**
 * The candidate closest to the input. Letter case is free (`eperm`), and so is a prefix that was
 * left out (`INET6` for `AF_INET6`); beyond that, one error is allowed for each three characters,
 * three at most: a wild guess helps nobody. Of equally close candidates, the first.
 */
export function suggest(input: string, candidates: readonly string[]): string | undefined {
  if (input === '' || input.length > LONGEST) return undefined
  const wanted = input.toLowerCase()
  let limit = Math.min(3, Math.floor(input.length / 3))
  let best: string | undefined
  let withPrefix: string | undefined
  for (const candidate of candidates) {
    const text = candidate.toLowerCase()
    if (text === wanted) return candidate
    if (withPrefix === undefined && text.endsWith(`_${wanted}`)) withPrefix = candidate
    if (limit === 0) continue
    const errors = distance(wanted, text, limit)
    if (errors <= limit) {
      best = candidate
      limit = errors - 1
    }
  }
  return withPrefix ?? best
}
