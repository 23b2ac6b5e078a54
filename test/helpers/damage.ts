/** Texts with something broken in them: the same ones in every run. */

export type Pick = (below: number) => number

/** xorshift32 */
export function random(seed: number): Pick {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function damage(text: string, splices: readonly string[], pick: Pick): string {
  const at = pick(text.length + 1)
  const to = at + pick(20)
  const splice = splices[pick(splices.length)] ?? ''
  switch (pick(7)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + text.slice(to)
    case 2:
      return text.slice(0, at) + splice + text.slice(at)
    case 3:
      return text.slice(0, at) + splice + text.slice(to)
    case 4:
      return text.slice(0, at) + text.slice(at, to).repeat(3) + text.slice(to)
    case 5: {
      // A line somewhere else.
      const lines = text.split('\n')
      const [line = ''] = lines.splice(pick(lines.length), 1)
      lines.splice(pick(lines.length + 1), 0, line)
      return lines.join('\n')
    }
    default:
      return text.slice(0, at) + String.fromCharCode(pick(0x250)) + text.slice(at + 1)
  }
}

/** Each is one of the seeds, damaged up to four times; one in seven as bytes that may not be UTF-8. */
export function* damaged(
  count: number,
  seeds: readonly string[],
  splices: readonly string[],
  pick: Pick,
): Generator<string | Uint8Array> {
  for (let round = 0; round < count; round++) {
    let text = seeds[round % seeds.length] ?? ''
    for (let times = 1 + pick(4); times > 0; times--) text = damage(text, splices, pick)
    yield round % 7 === 0 ? Buffer.from(text, 'latin1') : text
  }
}
