/**
 * Words of which every bit is a condition of its own, least bit first: what the ALU makes of parts
 * of the call. Everything here is exact; what takes too much is refused by the diagrams' limits.
 */
import { ADD, AND, JEQ, JGE, JGT, LSH, MUL, NEG, OR, RSH, SUB, XOR } from './bpf'
import { ALWAYS, NEVER, type Diagram, type Diagrams } from './diagram'
import { levelOf } from './words'

export type Vector = readonly Diagram[]

const BITS = Array.from({ length: 32 }, (_, bit) => bit)

export const constantVector = (value: number): Vector =>
  BITS.map((bit) => (((value >>> bit) & 1) === 1 ? ALWAYS : NEVER))

/** A word of the call, under a mask. */
export const wordVector = (diagrams: Diagrams, word: number, mask: number): Vector =>
  BITS.map((bit) =>
    ((mask >>> bit) & 1) === 1 ? diagrams.node(levelOf(word, bit), NEVER, ALWAYS) : NEVER,
  )

/** The one number a vector is everywhere, or undefined. */
export function constantOf(vector: Vector): number | undefined {
  let value = 0
  for (const [bit, condition] of vector.entries()) {
    if (condition > ALWAYS) return undefined
    value |= condition << bit
  }
  return value >>> 0
}

/** An ALU operation, or undefined for the one that is not decided: a division. */
export function calculateVector(
  diagrams: Diagrams,
  operation: number,
  a: Vector,
  b: Vector,
): Vector | undefined {
  const bitwise = (combine: (one: Diagram, other: Diagram) => Diagram): Vector =>
    BITS.map((bit) => combine(at(a, bit), at(b, bit)))
  switch (operation) {
    case AND:
      return bitwise((one, other) => diagrams.and(one, other))
    case OR:
      return bitwise((one, other) => diagrams.or(one, other))
    case XOR:
      return bitwise((one, other) => diagrams.xor(one, other))
    case ADD:
      return sum(diagrams, a, b, NEVER)
    case SUB:
      return sum(diagrams, a, complement(diagrams, b), ALWAYS)
    case NEG:
      return sum(diagrams, constantVector(0), complement(diagrams, a), ALWAYS)
    case MUL:
      return product(diagrams, a, b)
    case LSH:
    case RSH:
      return shifted(diagrams, operation, a, b)
    default:
      return undefined
  }
}

const at = (vector: Vector, bit: number): Diagram => vector[bit] ?? NEVER

const complement = (diagrams: Diagrams, a: Vector): Vector => a.map((bit) => diagrams.not(bit))

function sum(diagrams: Diagrams, a: Vector, b: Vector, carryIn: Diagram): Vector {
  let carry = carryIn
  return BITS.map((bit) => {
    const one = at(a, bit)
    const other = at(b, bit)
    const different = diagrams.xor(one, other)
    const result = diagrams.xor(different, carry)
    carry = diagrams.choose(different, carry, one)
    return result
  })
}

function product(diagrams: Diagrams, a: Vector, b: Vector): Vector {
  let total = constantVector(0)
  for (const bit of BITS) {
    const times = at(b, bit)
    if (times === NEVER) continue
    const addend = moved(LSH, a, bit).map((each) => diagrams.and(times, each))
    total = sum(diagrams, total, addend, NEVER)
  }
  return total
}

const moved = (operation: number, a: Vector, distance: number): Vector =>
  BITS.map((bit) => at(a, operation === LSH ? bit - distance : bit + distance))

/** By the distance modulo 32, as the kernel does: a stage for each of its five bits. */
function shifted(diagrams: Diagrams, operation: number, a: Vector, distance: Vector): Vector {
  let result = a
  for (let stage = 0; stage < 5; stage++) {
    const far = moved(operation, result, 1 << stage)
    const near = result
    result = BITS.map((bit) => diagrams.choose(at(distance, stage), at(far, bit), at(near, bit)))
  }
  return result
}

/** A comparison as a condition. */
export function compareVectors(
  diagrams: Diagrams,
  operation: number,
  a: Vector,
  b: Vector,
): Diagram {
  let result = operation === JEQ || operation === JGE ? ALWAYS : NEVER
  for (const bit of BITS) {
    const one = at(a, bit)
    const other = at(b, bit)
    const different = diagrams.xor(one, other)
    if (operation === JEQ) result = diagrams.choose(different, NEVER, result)
    else if (operation === JGT || operation === JGE) {
      result = diagrams.choose(different, one, result)
    } else result = diagrams.or(result, diagrams.and(one, other)) // JSET
  }
  return result
}
