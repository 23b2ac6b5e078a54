/** A jump's comparison as a condition: against the comparison itself, at the borders. */
import t from 'tap'
import { compareWords, JEQ, JGE, JGT, JSET } from '../../lib/analysis/bpf'
import { ALWAYS, Diagrams, LEAF, NEVER } from '../../lib/analysis/diagram'
import { bitAt, levelOf, testWord, wordAt } from '../../lib/analysis/words'
import { Random, valueAt, WORDS_AT_BORDERS } from '../helpers/analysis'

t.test('every bit of every word has a level of its own', async (t) => {
  const levels = new Set<number>()
  for (let word = 0; word < 16; word++) {
    for (let bit = 0; bit < 32; bit++) {
      const level = levelOf(word, bit)
      levels.add(level)
      if (wordAt(level) !== word || bitAt(level) !== bit) return t.fail(`level ${level}`)
    }
  }
  t.equal(levels.size, LEAF)
  t.ok(Math.max(...levels) < LEAF)
})

t.test('comparisons', async (t) => {
  const random = new Random(8)
  for (let i = 0; i < 4000; i++) {
    const diagrams = new Diagrams()
    const operation = random.pick([JEQ, JGT, JGE, JSET])
    const mask = random.oneIn(2) ? 0xffffffff : random.pick(WORDS_AT_BORDERS)
    const constant = random.pick(WORDS_AT_BORDERS)
    const word = random.below(16)
    const test = { operation, word, mask, constant }
    // On top of functions that look at the same word, and at others.
    const other = { ...test, word: random.oneIn(2) ? word : random.below(16), constant: 5 }
    const below = testWord(diagrams, other, ALWAYS, NEVER)
    const condition = testWord(diagrams, test, below, diagrams.not(below))
    for (let j = 0; j < 20; j++) {
      const words = new Uint32Array(16)
      const pick = (): number =>
        random.pick([...WORDS_AT_BORDERS, constant - 1, constant + 1, ~mask])
      words[word] = pick()
      if (other.word !== word) words[other.word] = pick()
      const holds = compareWords(operation, (words[word] & mask) >>> 0, constant)
      const under = compareWords(operation, ((words[other.word] as number) & mask) >>> 0, 5)
      if (valueAt(diagrams, condition, words) !== Number(holds === under)) {
        return t.fail(`${operation} ${constant} under ${mask}, on ${String(words[word])}`)
      }
    }
  }
})
