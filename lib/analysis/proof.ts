/**
 * The proof: for every architecture, number, argument and instruction pointer, the program's verdict
 * is the rules' own; or a call for which it is not.
 *
 * It knows the rules and the bytes and nothing of how the one became the other.
 */
import { AnalysisError } from '../errors'
import type { Rules } from '../policy'
import { ARCH_WORD, argumentWord, JGE, JGT, NUMBER_WORD, POINTER_WORD, WORDS } from './bpf'
import { loadProgram } from './check'
import { Diagrams, LEAF, NEVER, ALWAYS, type Diagram, type DiagramLimits } from './diagram'
import { evaluate, type Decision } from './evaluate'
import { run, type Call } from './interpreter'
import { Meaning, type Segment } from './meaning'
import { explore, type Region } from './symbolic'
import { verdictOf } from './verdict'
import { ARGUMENT_LEVEL, bitAt, testWord, wordAt } from './words'

/** It holds for every call there can be. */
export interface Proved {
  readonly proved: true
  /** How many instructions the program has. */
  readonly instructions: number
  /** Into how many rectangles of architectures and numbers the program divides the calls. */
  readonly regions: number
  /** How many nodes the diagrams took. */
  readonly nodes: number
}

/** It does not hold for this call; the interpreter has run it. */
export interface Refuted {
  readonly proved: false
  readonly call: Call
  /** What the rules say. */
  readonly expected: Decision
  /** What the program returned: a SECCOMP_RET_* value. */
  readonly actual: number
}

/**
 * Proves that a program does what rules say, for the architectures of the rules and all others.
 *
 * @throws AnalysisError ERR_INVALID_PROGRAM for what the kernel would not take, ERR_UNDECIDED for
 * what could be neither proved nor refuted
 */
export function proveRules(
  arches: readonly Rules[],
  bytes: Uint8Array,
  limits?: DiagramLimits,
): Proved | Refuted {
  const program = loadProgram(bytes)
  const diagrams = new Diagrams(limits)
  const meaning = new Meaning(arches, diagrams)
  const regions = explore(program, diagrams)
  let found: Candidate | undefined
  let within: readonly Arches[] = []
  let previous: Region | undefined
  for (const region of regions) {
    // Nearly all regions are of one architecture.
    if (region.firstArch !== previous?.firstArch || region.lastArch !== previous.lastArch) {
      within = archesOf(region, meaning.auditArches)
      previous = region
    }
    const candidate = differenceIn(region, within, meaning, diagrams)
    if (candidate === undefined) continue
    if (found === undefined || candidate.rank < found.rank) found = candidate
    if (found.rank === 0) break
  }
  if (found !== undefined) {
    const expected = evaluate(arches, found.call)
    const actual = run(program, found.call).value
    // The diagrams have found it; the interpreter and the plain reading of the rules confirm it.
    if (verdictOf(expected.action) === verdictOf(actual)) {
      throw new AnalysisError('ERR_UNDECIDED', {
        problem: 'a difference was found that running the program does not confirm',
        hint: 'This is a bug in seccomp-ts: please report it with the policy.',
      })
    }
    return { proved: false, call: found.call, expected, actual }
  }
  return {
    proved: true,
    instructions: program.length,
    regions: regions.length,
    nodes: diagrams.size,
  }
}

interface Candidate {
  readonly call: Call
  /** How much it says: 0 a call the rules name, 1 a number they do not, 2 another architecture. */
  readonly rank: number
}

/** The most telling call of a region on which the two differ. */
function differenceIn(
  region: Region,
  arches: readonly Arches[],
  meaning: Meaning,
  diagrams: Diagrams,
): Candidate | undefined {
  let found: Candidate | undefined
  const { firstNumber, lastNumber, verdicts } = region
  for (const { firstArch, lastArch, known } of arches) {
    const segments = meaning.of(firstArch)
    for (let index = indexOf(segments, firstNumber); index < segments.length; index++) {
      const segment = segments[index]
      if (segment === undefined || segment.first > lastNumber) break
      if (segment.verdicts === verdicts) continue
      const bounds = {
        firstArch,
        lastArch,
        firstNumber: Math.max(segment.first, firstNumber),
        lastNumber: Math.min(segment.last, lastNumber),
      }
      const call = difference(diagrams, { ...bounds, verdicts }, segment.verdicts)
      if (call === undefined) continue
      const rank = !known ? 2 : segment.syscall === undefined ? 1 : 0
      if (found === undefined || rank < found.rank) found = { call, rank }
      if (rank === 0) return found
    }
  }
  return found
}

interface Arches {
  readonly firstArch: number
  readonly lastArch: number
  /** One with rules of its own. */
  readonly known: boolean
}

/** The architectures of a region: those with rules one by one, and what lies between. */
function archesOf({ firstArch, lastArch }: Region, known: readonly number[]): Arches[] {
  const arches: Arches[] = []
  let next = firstArch
  for (const arch of known) {
    if (arch < next || arch > lastArch) continue
    if (arch > next) arches.push({ firstArch: next, lastArch: arch - 1, known: false })
    arches.push({ firstArch: arch, lastArch: arch, known: true })
    next = arch + 1
  }
  if (next <= lastArch) arches.push({ firstArch: next, lastArch, known: false })
  return arches
}

/** Where the segment of a number stands. */
function indexOf(segments: readonly Segment[], number: number): number {
  let index = 0
  for (let end = segments.length; index < end;) {
    const half = (index + end) >>> 1
    if ((segments[half]?.last ?? 0) < number) index = half + 1
    else end = half
  }
  return index
}

/** A call of the region on which its verdicts are not these. */
export function difference(
  diagrams: Diagrams,
  region: Region,
  expected: Diagram,
): Call | undefined {
  const { firstArch, lastArch, firstNumber, lastNumber } = region
  let { verdicts } = region
  if (verdicts === expected) return undefined
  const words = new Uint32Array(WORDS)
  words[ARCH_WORD] = firstArch
  words[NUMBER_WORD] = firstNumber
  // Bits of the number that became part of a diagram: only those within the region count.
  if (isAboutNumbers(diagrams, verdicts) || isAboutNumbers(diagrams, expected)) {
    verdicts = within(diagrams, ARCH_WORD, firstArch, lastArch, verdicts, expected)
    verdicts = within(diagrams, NUMBER_WORD, firstNumber, lastNumber, verdicts, expected)
    if (verdicts === expected) return undefined
    words[ARCH_WORD] = 0
    words[NUMBER_WORD] = 0
  }
  // Two different diagrams: at every bit, at least one of its values leads to two different ones.
  let one = verdicts
  let other = expected
  for (;;) {
    const level = Math.min(diagrams.level(one), diagrams.level(other))
    if (level === LEAF) break
    const value = diagrams.low(one, level) === diagrams.low(other, level) ? 1 : 0
    if (value === 1) {
      const word = wordAt(level)
      words[word] = (words[word] ?? 0) | (1 << bitAt(level))
      one = diagrams.high(one, level)
      other = diagrams.high(other, level)
    } else {
      one = diagrams.low(one, level)
      other = diagrams.low(other, level)
    }
  }
  return callOf(words)
}

const isAboutNumbers = (diagrams: Diagrams, diagram: Diagram): boolean =>
  diagrams.level(diagram) < ARGUMENT_LEVEL

/** The one function where the word lies in the range, the other elsewhere. */
function within(
  diagrams: Diagrams,
  word: number,
  first: number,
  last: number,
  then: Diagram,
  otherwise: Diagram,
): Diagram {
  const mask = 0xffffffff
  const from = testWord(diagrams, { operation: JGE, word, mask, constant: first }, ALWAYS, NEVER)
  const above = testWord(diagrams, { operation: JGT, word, mask, constant: last }, ALWAYS, NEVER)
  return diagrams.choose(diagrams.choose(above, NEVER, from), then, otherwise)
}

export function callOf(words: Uint32Array): Call {
  const wide = (word: number): bigint =>
    (BigInt(words[word + 1] ?? 0) << 32n) | BigInt(words[word] ?? 0)
  return {
    arch: words[ARCH_WORD] ?? 0,
    number: words[NUMBER_WORD] ?? 0,
    args: [0, 1, 2, 3, 4, 5].map((argument) => wide(argumentWord(argument))),
    instructionPointer: wide(POINTER_WORD),
  }
}
