/** The words of a system call as levels of a diagram, and an instruction's test of one as a condition. */
import { JEQ, JGE, JGT, WORDS } from './bpf'
import { ALWAYS, NEVER, type Diagram, type Diagrams } from './diagram'

/**
 * Which word's bits come first: architecture, number, then each argument's high word before its low
 * one, at last the instruction pointer. The order a policy is thought in: what it says of one
 * argument stays together, and a comparison of 64 bits is decided from above.
 */
const ORDER = [1, 0, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14, 3, 2]

/** Word → its place in the order. */
const RANK = Array.from({ length: WORDS }, (_, word) => ORDER.indexOf(word))

/** The level of a bit, 0 (least) … 31. */
export const levelOf = (word: number, bit: number): number => 32 * (RANK[word] ?? 0) + 31 - bit

/** The first level that says nothing about architecture and number. */
export const ARGUMENT_LEVEL = 64

/** The word and the bit of a level. */
export const wordAt = (level: number): number => ORDER[level >>> 5] ?? 0
export const bitAt = (level: number): number => 31 - (level & 31)

/** What a conditional jump asks of a word of the call: `(word & mask) operation constant`. */
export interface WordTest {
  /** JEQ, JGT, JGE or JSET. */
  readonly operation: number
  readonly word: number
  readonly mask: number
  readonly constant: number
}

/** Where the test holds the one function, elsewhere the other. */
export function testWord(
  diagrams: Diagrams,
  { operation, word, mask, constant }: WordTest,
  then: Diagram,
  otherwise: Diagram,
): Diagram {
  if (then === otherwise) return then
  const last = levelOf(word, 0)
  if (diagrams.level(then) > last && diagrams.level(otherwise) > last) {
    return stack(diagrams, operation, last, mask, constant, then, otherwise)
  }
  const condition = stack(diagrams, operation, last, mask, constant, ALWAYS, NEVER)
  return diagrams.choose(condition, then, otherwise)
}

/**
 * The test from its last bit up, on functions that do not look at the word. At each bit, `rest` is
 * what the lower bits decide where all upper ones agree with the constant's.
 */
function stack(
  diagrams: Diagrams,
  operation: number,
  last: number,
  mask: number,
  constant: number,
  then: Diagram,
  otherwise: Diagram,
): Diagram {
  let rest = operation === JEQ || operation === JGE ? then : otherwise
  for (let bit = 0; bit < 32; bit++) {
    const seen = ((mask >>> bit) & 1) === 1
    const wanted = ((constant >>> bit) & 1) === 1
    const level = last - bit
    if (operation === JEQ) {
      if (wanted) rest = seen ? diagrams.node(level, otherwise, rest) : otherwise
      else if (seen) rest = diagrams.node(level, rest, otherwise)
    } else if (operation === JGT || operation === JGE) {
      if (wanted) rest = seen ? diagrams.node(level, otherwise, rest) : otherwise
      else if (seen) rest = diagrams.node(level, rest, then)
    } else if (seen && wanted) {
      rest = diagrams.node(level, rest, then) // JSET: any common bit
    }
  }
  return rest
}
