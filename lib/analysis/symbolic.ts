/**
 * What a program answers to every call, from its bytes alone.
 *
 * The calls are divided into regions, rectangles of architecture × number, wherever the program
 * itself asks about one of these, until each question has one answer for the whole region. What the
 * rest of the call (arguments, instruction pointer) decides becomes a diagram. Questions about a
 * number's bits that would divide it into very many pieces become part of the diagram as well.
 */
import { AnalysisError } from '../errors'
import {
  ALU,
  AND,
  ARCH_WORD,
  calculate,
  CLASS,
  compareWords,
  DATA_SIZE,
  DIV,
  JA,
  JEQ,
  JGE,
  JMP,
  JSET,
  LD_ABS,
  LD_IMM,
  LD_LEN,
  LD_MEM,
  LDX_IMM,
  LDX_LEN,
  LDX_MEM,
  NEG,
  NUMBER_WORD,
  OPERATION,
  RET_A,
  RET_K,
  RSH,
  ST,
  STX,
  TAX,
  TXA,
  X,
  type Instructions,
} from './bpf'
import type { Diagram, Diagrams } from './diagram'
import {
  calculateVector,
  compareVectors,
  constantOf,
  constantVector,
  wordVector,
  type Vector,
} from './vectors'
import { verdictOf } from './verdict'
import { levelOf, testWord, wordAt, type WordTest } from './words'

/** Calls of these architectures and numbers (inclusive), and the verdicts on all of them. */
export interface Region {
  readonly firstArch: number
  readonly lastArch: number
  readonly firstNumber: number
  readonly lastNumber: number
  readonly verdicts: Diagram
}

/** More than the tests of 4,096 instructions have ever made of one program. */
const MAX_REGIONS = 1 << 17

/** States of the machine in one region. */
const MAX_STATES = 1 << 18

/** Instructions, all paths together: a second or two. */
const MAX_STEPS = 1 << 25

/** Values and memories that are told apart. */
const MAX_INTERNED = 1 << 18

/** What a store and a calculation with unknown bits weigh in steps. */
const STORE_STEPS = 16
const VECTOR_STEPS = 1024

/** The numbers are divided into at most so many pieces for the sake of one mask. */
const MAX_PIECES = 64

/** Bits of a returned word that may depend on the call. */
const MAX_RETURNED_BITS = 12

/** A register or a memory cell. */
type Value = ConstantValue | WordValue | VectorValue

interface ConstantValue {
  readonly kind: 'constant'
  readonly id: number
  readonly value: number
}

/** A word of the call under a mask: what a register holds, nearly always. */
interface WordValue {
  readonly kind: 'word'
  readonly id: number
  readonly word: number
  readonly mask: number
}

interface VectorValue {
  readonly kind: 'vector'
  readonly id: number
  readonly bits: Vector
}

/** Scratch memory. It is never changed: a store makes another. */
interface Memory {
  readonly id: number
  readonly cells: readonly (Value | undefined)[]
}

/** Where the machine is, and what it holds. */
interface State {
  readonly pc: number
  readonly a: Value
  readonly x: Value
  readonly memory: Memory
}

/** Why the machine stopped: it returned, or the next step depends on what the region leaves open. */
type Stop =
  | { readonly kind: 'verdict'; readonly verdicts: Diagram }
  /** `at`: the first value of the second part. */
  | { readonly kind: 'divide'; readonly word: number; readonly at: number }
  | {
      readonly kind: 'branch'
      readonly condition: WordTest | Diagram
      readonly then: number
      readonly otherwise: number
    }

interface Bounds {
  firstArch: number
  lastArch: number
  firstNumber: number
  lastNumber: number
}

/** A state of a region of which what follows is not yet known. */
interface Open {
  readonly state: State
  readonly stop: Stop & { kind: 'branch' }
  then: number
  otherwise: number
}

/**
 * The regions, disjoint, and together every architecture and number there is.
 *
 * @param program one that has passed `check`
 * @throws AnalysisError ERR_UNDECIDED
 */
export const explore = (program: Instructions, diagrams: Diagrams): Region[] =>
  new Explorer(program, diagrams).explore()

class Explorer {
  private readonly constants = new Map<number, ConstantValue>()
  private readonly others = new Map<string, WordValue | VectorValue>()
  private readonly memories = new Map<string, Memory>()
  private readonly emptyMemory = this.internMemory([])
  private ids = 0

  private readonly returnedBefore = new Map<number, Diagram>()

  /** What follows from a state, where that has nothing to do with the region. */
  private readonly known = new Map<string, Diagram>()

  // The region at hand.
  private firstArch = 0
  private lastArch = 0
  private firstNumber = 0
  private lastNumber = 0
  /** How often it was asked about. */
  private questions = 0

  // The machine.
  private steps = 0
  private pc = 0
  private a: Value
  private x: Value
  private memory: Memory

  constructor(
    private readonly program: Instructions,
    private readonly diagrams: Diagrams,
  ) {
    // bpf_convert_filter (net/core/filter.c) clears both registers.
    this.a = this.constant(0)
    this.x = this.a
    this.memory = this.emptyMemory
  }

  explore(): Region[] {
    const everything = {
      firstArch: 0,
      lastArch: 0xffffffff,
      firstNumber: 0,
      lastNumber: 0xffffffff,
    }
    const waiting: { bounds: Bounds; state: State }[] = [
      { bounds: everything, state: this.state() },
    ]
    const regions: Region[] = []
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (regions.length + waiting.length > MAX_REGIONS) {
        throw this.undecided('the program tells too many numbers and architectures apart')
      }
      const { bounds } = next
      this.firstArch = bounds.firstArch
      this.lastArch = bounds.lastArch
      this.firstNumber = bounds.firstNumber
      this.lastNumber = bounds.lastNumber
      this.enter(next.state)
      const first = this.advance()
      const state = this.state()
      const stop = first.kind === 'branch' ? this.follow(state, first) : first
      if (stop.kind === 'divide') {
        const lower = this.bounds()
        const upper = this.bounds()
        if (stop.word === ARCH_WORD) {
          lower.lastArch = stop.at - 1
          upper.firstArch = stop.at
        } else {
          lower.lastNumber = stop.at - 1
          upper.firstNumber = stop.at
        }
        // The lower part is looked at first: the regions come out in order.
        waiting.push({ bounds: upper, state }, { bounds: lower, state })
      } else {
        regions.push(this.region(stop.verdicts))
      }
    }
    return regions
  }

  private bounds(): Bounds {
    const { firstArch, lastArch, firstNumber, lastNumber } = this
    return { firstArch, lastArch, firstNumber, lastNumber }
  }

  private region(verdicts: Diagram): Region {
    const { firstArch, lastArch, firstNumber, lastNumber } = this
    return { firstArch, lastArch, firstNumber, lastNumber, verdicts }
  }

  private state(): State {
    return { pc: this.pc, a: this.a, x: this.x, memory: this.memory }
  }

  private enter({ pc, a, x, memory }: State): void {
    this.pc = pc
    this.a = a
    this.x = x
    this.memory = memory
  }

  /**
   * From a branch to all verdicts behind it. Jumps go forward only: the states are met in the order
   * of their instructions, and what follows from them is known in the reverse order.
   */
  private follow(
    start: State,
    branch: Stop & { kind: 'branch' },
  ): Stop & { kind: 'verdict' | 'divide' } {
    const key = keyOf(start)
    const known = this.known.get(key)
    if (known !== undefined) return { kind: 'verdict', verdicts: known }
    const before = this.questions

    // A diagram is noted as its complement, below zero; others are indices.
    const open: Open[] = [{ state: start, stop: branch, then: 0, otherwise: 0 }]
    const met = new Map<string, number>()
    const queue = new Map<number, number[]>()
    const successor = (pc: number, from: State): number | (Stop & { kind: 'divide' }) => {
      this.enter({ ...from, pc })
      const stop = this.advance()
      if (stop.kind === 'divide') return stop
      if (stop.kind === 'verdict') return ~stop.verdicts
      const state = this.state()
      const name = keyOf(state)
      let index = met.get(name)
      if (index === undefined) {
        if (open.length >= MAX_STATES) throw this.undecided('the program has too many states')
        index = open.length
        met.set(name, index)
        open.push({ state, stop, then: 0, otherwise: 0 })
        const same = queue.get(state.pc)
        if (same === undefined) queue.set(state.pc, [index])
        else same.push(index)
      }
      return index
    }
    const order = [0]
    queue.set(start.pc, order)
    const reached: number[] = []
    for (let pc = start.pc; pc < this.program.length && queue.size > 0; pc++) {
      const here = queue.get(pc)
      if (here === undefined) continue
      queue.delete(pc)
      for (const index of here) {
        const each = open[index]
        if (each === undefined) continue
        reached.push(index)
        const then = successor(each.stop.then, each.state)
        if (typeof then === 'object') return then
        const otherwise = successor(each.stop.otherwise, each.state)
        if (typeof otherwise === 'object') return otherwise
        each.then = then
        each.otherwise = otherwise
      }
    }

    const results = new Int32Array(open.length)
    const resultOf = (next: number): Diagram => (next < 0 ? ~next : (results[next] ?? 0))
    for (const index of reached.reverse()) {
      const each = open[index]
      if (each === undefined) continue
      const then = resultOf(each.then)
      const otherwise = resultOf(each.otherwise)
      const { condition } = each.stop
      results[index] =
        typeof condition === 'number'
          ? this.diagrams.choose(condition, then, otherwise)
          : testWord(this.diagrams, condition, then, otherwise)
    }
    const verdicts = results[0] ?? 0
    if (this.questions === before) this.known.set(key, verdicts)
    return { kind: 'verdict', verdicts }
  }

  /** Runs until something stops it. At a branch or a division, `pc` is that of the jump. */
  private advance(): Stop {
    const { code, jt, jf, k } = this.program
    for (;;) {
      if (++this.steps > MAX_STEPS) throw this.undecided('the program has too many paths')
      const { pc } = this
      const opcode = code[pc] ?? 0
      const constant = k[pc] ?? 0
      switch (opcode) {
        case RET_K:
          return { kind: 'verdict', verdicts: this.diagrams.leaf(verdictOf(constant)) }
        case RET_A:
          return { kind: 'verdict', verdicts: this.returnedOnce(this.a) }
        case LD_ABS:
          this.a = this.load(constant >>> 2)
          break
        case LD_IMM:
          this.a = this.constant(constant)
          break
        case LD_LEN:
          this.a = this.constant(DATA_SIZE)
          break
        case LD_MEM:
          this.a = this.memory.cells[constant] ?? this.constant(0)
          break
        case LDX_IMM:
          this.x = this.constant(constant)
          break
        case LDX_LEN:
          this.x = this.constant(DATA_SIZE)
          break
        case LDX_MEM:
          this.x = this.memory.cells[constant] ?? this.constant(0)
          break
        case ST:
          this.store(constant, this.a)
          break
        case STX:
          this.store(constant, this.x)
          break
        case TAX:
          this.x = this.a
          break
        case TXA:
          this.a = this.x
          break
        case JA:
          this.pc += constant
          break
        default: {
          const operand = (opcode & X) === 0 ? this.constant(constant) : this.x
          const operation = opcode & OPERATION
          if ((opcode & CLASS) === JMP) {
            const then = jt[pc] ?? 0
            const otherwise = jf[pc] ?? 0
            if (then === otherwise) {
              this.pc += then
              break
            }
            const outcome = this.compare(operation, this.a, operand)
            if (typeof outcome === 'object') {
              return 'at' in outcome
                ? { kind: 'divide', ...outcome }
                : {
                    kind: 'branch',
                    condition: outcome.condition,
                    then: pc + 1 + then,
                    otherwise: pc + 1 + otherwise,
                  }
            }
            this.pc += outcome ? then : otherwise
          } else if (operation === DIV && operand.kind === 'constant' && operand.value === 0) {
            // A zero in X ends the program with 0, SECCOMP_RET_KILL_THREAD: bpf_convert_filter.
            return { kind: 'verdict', verdicts: this.diagrams.leaf(0) }
          } else {
            this.a = this.calculate(opcode, this.a, operand)
          }
        }
      }
      this.pc++
    }
  }

  private load(word: number): Value {
    if (word === NUMBER_WORD || word === ARCH_WORD) {
      this.questions++
      const [first, last] = this.boundsOf(word)
      if (first === last) return this.constant(first)
    }
    return this.word(word, 0xffffffff)
  }

  private boundsOf(word: number): readonly [number, number] {
    return word === ARCH_WORD
      ? [this.firstArch, this.lastArch]
      : [this.firstNumber, this.lastNumber]
  }

  private store(cell: number, value: Value): void {
    this.steps += STORE_STEPS
    const cells = Array.from({ length: 16 }, (_, index) => this.memory.cells[index])
    cells[cell] = value
    this.memory = this.internMemory(cells)
  }

  /** A comparison: its outcome, where to divide the region to have one, or the condition it is. */
  private compare(
    operation: number,
    a: Value,
    operand: Value,
  ):
    | boolean
    | { readonly word: number; readonly at: number }
    | { readonly condition: WordTest | Diagram } {
    if (operand.kind === 'constant') {
      if (a.kind === 'constant') return compareWords(operation, a.value, operand.value)
      if (a.kind === 'word') {
        const test = { operation, word: a.word, mask: a.mask, constant: operand.value }
        return a.word === NUMBER_WORD || a.word === ARCH_WORD
          ? this.askRegion(test)
          : { condition: test }
      }
    }
    const condition = compareVectors(this.diagrams, operation, this.vector(a), this.vector(operand))
    return condition > 1 ? { condition } : condition === 1
  }

  /** A test of the number or the architecture. */
  private askRegion(
    test: WordTest,
  ): boolean | { word: number; at: number } | { condition: WordTest } {
    this.questions++
    const { operation, word, mask, constant } = test
    const [first, last] = this.boundsOf(word)
    if (mask === 0xffffffff && operation !== JSET) {
      const whenFirst = compareWords(operation, first, constant)
      const whenLast = compareWords(operation, last, constant)
      if (operation === JEQ) {
        if (constant < first || constant > last) return false
        if (first === last) return true
        return { word, at: constant === first ? constant + 1 : constant }
      }
      if (whenFirst === whenLast) return whenFirst
      return { word, at: operation === JGE ? constant : constant + 1 }
    }
    // Above the highest bit in which the bounds differ, every value of the region is alike.
    const relevant = operation === JSET ? mask & constant : mask
    const varying = first === last ? 0 : 32 - Math.clz32((first ^ last) >>> 0)
    const open = varying === 32 ? relevant : relevant & ((1 << varying) - 1)
    if (open === 0) return compareWords(operation, (first & mask) >>> 0, constant)
    const least = 31 - Math.clz32(open & -open)
    // Of all numbers, not of those in the region, or each piece would be divided by the next mask.
    const pieces = 2 ** (32 - least)
    if (pieces > MAX_PIECES && last - first >= MAX_PIECES) return { condition: test }
    const highest = varying - 1
    return { word, at: ((last >>> highest) << highest) >>> 0 }
  }

  private calculate(opcode: number, a: Value, operand: Value): Value {
    const operation = opcode & OPERATION
    if (a.kind === 'constant' && (operand.kind === 'constant' || opcode === NEG)) {
      const b = operand.kind === 'constant' ? operand.value : 0
      return this.constant(calculate(operation, a.value, b))
    }
    if (opcode === (ALU | AND) && a.kind === 'word' && operand.kind === 'constant') {
      return this.word(a.word, (a.mask & operand.value) >>> 0)
    }
    if (operation === DIV && operand.kind === 'constant') {
      const exponent = 31 - Math.clz32(operand.value)
      if (operand.value === (1 << exponent) >>> 0) {
        return this.calculate(ALU | RSH, a, this.constant(exponent))
      }
    }
    this.steps += VECTOR_STEPS
    const result = calculateVector(this.diagrams, operation, this.vector(a), this.vector(operand))
    if (result === undefined) throw this.undecided('divides by what is no power of two')
    return this.fromVector(result)
  }

  private vector(value: Value): Vector {
    switch (value.kind) {
      case 'constant':
        return constantVector(value.value)
      case 'word':
        return wordVector(this.diagrams, value.word, value.mask)
      case 'vector':
        return value.bits
    }
  }

  private fromVector(bits: Vector): Value {
    const constant = constantOf(bits)
    if (constant !== undefined) return this.constant(constant)
    const word = this.asWord(bits)
    if (word !== undefined) return word
    const key = bits.join()
    const known = this.others.get(key)
    if (known !== undefined) return known
    this.limit(this.others)
    const made: VectorValue = { kind: 'vector', id: ++this.ids, bits }
    this.others.set(key, made)
    return made
  }

  /** A vector that is a word under a mask after all. */
  private asWord(bits: Vector): Value | undefined {
    const level = Math.min(...bits.map((bit) => this.diagrams.level(bit)))
    const word = wordAt(level)
    let mask = 0
    for (const [bit, condition] of bits.entries()) {
      if (condition === 0) continue
      if (condition !== this.diagrams.node(levelOf(word, bit), 0, 1)) return undefined
      mask |= 1 << bit
    }
    return this.word(word, mask >>> 0)
  }

  private returnedOnce(value: Value): Diagram {
    let known = this.returnedBefore.get(value.id)
    if (known === undefined) {
      known = this.returned(value)
      this.returnedBefore.set(value.id, known)
    }
    return known
  }

  /** A word that is returned: a leaf for each value it can have. */
  private returned(value: Value): Diagram {
    const bits = this.vector(value)
    const open = bits.filter((bit) => bit > 1).length
    if (open > MAX_RETURNED_BITS) {
      throw this.undecided(`returns a word of which ${open} bits depend on the call`)
    }
    this.steps += 1 << open
    const from = (bit: number, word: number): Diagram => {
      if (bit === 32) return this.diagrams.leaf(verdictOf(word >>> 0))
      const condition = bits[bit] ?? 0
      if (condition === 0) return from(bit + 1, word)
      if (condition === 1) return from(bit + 1, word | (1 << bit))
      return this.diagrams.choose(condition, from(bit + 1, word | (1 << bit)), from(bit + 1, word))
    }
    return from(0, 0)
  }

  private constant(value: number): ConstantValue {
    let known = this.constants.get(value)
    if (known === undefined) {
      this.limit(this.constants)
      known = { kind: 'constant', id: ++this.ids, value }
      this.constants.set(value, known)
    }
    return known
  }

  private word(word: number, mask: number): Value {
    if (mask === 0) return this.constant(0)
    const key = `${word}&${mask}`
    const known = this.others.get(key)
    if (known !== undefined) return known
    this.limit(this.others)
    const made: WordValue = { kind: 'word', id: ++this.ids, word, mask }
    this.others.set(key, made)
    return made
  }

  private internMemory(cells: readonly (Value | undefined)[]): Memory {
    const key = cells.map((cell) => cell?.id ?? '').join()
    let known = this.memories.get(key)
    if (known === undefined) {
      this.limit(this.memories)
      known = { id: this.memories.size, cells }
      this.memories.set(key, known)
    }
    return known
  }

  private limit(interned: ReadonlyMap<unknown, unknown>): void {
    if (interned.size >= MAX_INTERNED) throw this.undecided('the program computes too many values')
  }

  private undecided(problem: string): AnalysisError {
    return new AnalysisError('ERR_UNDECIDED', { problem, instruction: this.pc })
  }
}

const keyOf = ({ pc, a, x, memory }: State): string => `${pc},${a.id},${x.id},${memory.id}`
