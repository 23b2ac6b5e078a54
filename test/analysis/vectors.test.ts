/** Arithmetic on words of unknown bits: against arithmetic on words. */
import t from 'tap'
import {
  ADD,
  AND,
  calculate,
  compareWords,
  DIV,
  JEQ,
  JGE,
  JGT,
  JSET,
  LSH,
  MUL,
  NEG,
  OR,
  RSH,
  SUB,
  XOR,
} from '../../lib/analysis/bpf'
import { Diagrams } from '../../lib/analysis/diagram'
import {
  calculateVector,
  compareVectors,
  constantOf,
  constantVector,
  wordVector,
  type Vector,
} from '../../lib/analysis/vectors'
import { Random, valueAt, WORDS_AT_BORDERS } from '../helpers/analysis'

const OPERATIONS = [ADD, SUB, MUL, OR, AND, LSH, RSH, XOR, NEG]

t.test('a word and a constant, and two words', async (t) => {
  const random = new Random(9)
  for (let i = 0; i < 1500; i++) {
    const diagrams = new Diagrams()
    const operation = random.pick(OPERATIONS)
    // Few open bits, so that products stay small.
    const [mask, other] = [0x8000100f, random.oneIn(2) ? 0 : 0x7]
    const constant = random.pick(WORDS_AT_BORDERS)
    const a = wordVector(diagrams, 4, mask)
    const b = other === 0 ? constantVector(constant) : wordVector(diagrams, 6, other)
    const result = calculateVector(diagrams, operation, a, b) as Vector
    const test = random.pick([JEQ, JGT, JGE, JSET])
    const condition = compareVectors(diagrams, test, result, b)
    for (let j = 0; j < 20; j++) {
      const words = new Uint32Array(16).fill(random.next())
      words[4] = random.next()
      const left = (words[4] & mask) >>> 0
      const right = other === 0 ? constant : (words[6] as number) & other
      const expected = calculate(operation, left, right)
      const value = result.reduce(
        (sum, bit, at) => sum + valueAt(diagrams, bit, words) * 2 ** at,
        0,
      )
      if (value !== expected) return t.fail(`${operation}: ${left}, ${right}`)
      const holds = compareWords(test, expected, right)
      if (valueAt(diagrams, condition, words) !== Number(holds)) return t.fail(`test ${test}`)
    }
  }
})

t.test('constants stay constants; divisions are not decided', async (t) => {
  const diagrams = new Diagrams()
  for (const word of WORDS_AT_BORDERS) t.equal(constantOf(constantVector(word)), word)
  t.equal(constantOf(wordVector(diagrams, 4, 1)), undefined)
  t.equal(calculateVector(diagrams, DIV, constantVector(8), wordVector(diagrams, 4, 1)), undefined)
})
