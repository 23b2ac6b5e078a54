/**
 * Decision diagrams: functions from the bits of a system call to a word, each as a node of one
 * shared graph. Nodes are ordered (a node tests a bit of a lower level than its children do) and
 * unique (no two nodes test the same bit with the same children, and none has equal children), so
 * two functions are equal exactly if they are the same node. R. E. Bryant, "Graph-Based Algorithms
 * for Boolean Function Manipulation", IEEE Transactions on Computers C-35(8), 1986.
 *
 * Everything is kept in typed arrays that begin small: a proof usually runs once, in a process that
 * has just started.
 */
import { AnalysisError } from '../errors'

/** A node; for conditions, `NEVER` and `ALWAYS` or a node with these at its ends. */
export type Diagram = number

/** The level of a leaf: below sixteen words of 32 bits. */
export const LEAF = 512

/** The leaves 0 and 1, as conditions: every graph begins with them. */
export const NEVER: Diagram = 0
export const ALWAYS: Diagram = 1

export interface DiagramLimits {
  /** 44 bytes each, and more while the tables grow. */
  readonly nodes: number
  /** Steps of `choose`, which bound the time. */
  readonly steps: number
}

/** Some 60 MB and a few seconds: no policy that fits into 4,096 instructions has needed a tenth of it. */
export const DEFAULT_LIMITS: DiagramLimits = { nodes: 1 << 20, steps: 1 << 23 }

const INITIAL_NODES = 4096

export class Diagrams {
  private levels = new Int32Array(INITIAL_NODES)
  /** Of a leaf: its word. */
  private lows = new Int32Array(INITIAL_NODES)
  private highs = new Int32Array(INITIAL_NODES)
  private count = 0
  /** Open addressing; a node's number plus 1, 0 where free. */
  private slots = new Int32Array(4 * INITIAL_NODES)
  /** What `choose` came to: condition, then, otherwise, result. A newer one replaces an older one. */
  private results = new Int32Array(4 * INITIAL_NODES)
  private steps = 0

  constructor(private readonly limits: DiagramLimits = DEFAULT_LIMITS) {
    this.leaf(0)
    this.leaf(1)
  }

  /** How many nodes there are. */
  get size(): number {
    return this.count
  }

  /** The function that is this word everywhere. */
  leaf(word: number): Diagram {
    return this.unique(LEAF, word | 0, 0)
  }

  /** The word of a leaf. */
  wordOf(leaf: Diagram): number {
    return (this.lows[leaf] ?? 0) >>> 0
  }

  /** The bit that is tested first, or `LEAF`. */
  level(diagram: Diagram): number {
    return this.levels[diagram] ?? LEAF
  }

  /** The function where that bit is 0, for a level not below the diagram's own. */
  low(diagram: Diagram, level: number): Diagram {
    return this.levels[diagram] === level ? (this.lows[diagram] ?? 0) : diagram
  }

  /** The function where that bit is 1. */
  high(diagram: Diagram, level: number): Diagram {
    return this.levels[diagram] === level ? (this.highs[diagram] ?? 0) : diagram
  }

  /** The bit of a level (above all in both diagrams) decides. */
  node(level: number, low: Diagram, high: Diagram): Diagram {
    return low === high ? low : this.unique(level, low, high)
  }

  /** Where the condition holds the one function, elsewhere the other. */
  choose(condition: Diagram, then: Diagram, otherwise: Diagram): Diagram {
    if (condition === ALWAYS) return then
    if (condition === NEVER) return otherwise
    if (then === otherwise) return then
    if (then === ALWAYS && otherwise === NEVER) return condition
    if (++this.steps > this.limits.steps) throw tooMuch('steps')
    const { results, levels, lows, highs } = this
    const mixed =
      Math.imul(condition, 0x9e3779b1) ^
      Math.imul(then, 0x85ebca6b) ^
      Math.imul(otherwise, 0xc2b2ae35)
    const at = 4 * ((mixed ^ (mixed >>> 15)) & (results.length / 4 - 1))
    if (results[at] === condition && results[at + 1] === then && results[at + 2] === otherwise) {
      return results[at + 3] ?? 0
    }
    // Written out, since nearly all the time goes here and calls are dear where nothing is compiled.
    const conditionLevel = levels[condition] ?? LEAF
    const thenLevel = levels[then] ?? LEAF
    const otherwiseLevel = levels[otherwise] ?? LEAF
    let level = conditionLevel < thenLevel ? conditionLevel : thenLevel
    if (otherwiseLevel < level) level = otherwiseLevel
    let condition0 = condition
    let condition1 = condition
    let then0 = then
    let then1 = then
    let otherwise0 = otherwise
    let otherwise1 = otherwise
    if (conditionLevel === level) {
      condition0 = lows[condition] ?? 0
      condition1 = highs[condition] ?? 0
    }
    if (thenLevel === level) {
      then0 = lows[then] ?? 0
      then1 = highs[then] ?? 0
    }
    if (otherwiseLevel === level) {
      otherwise0 = lows[otherwise] ?? 0
      otherwise1 = highs[otherwise] ?? 0
    }
    const low = this.choose(condition0, then0, otherwise0)
    const high = this.choose(condition1, then1, otherwise1)
    const result = low === high ? low : this.unique(level, low, high)
    // The table may have grown meanwhile; what is written into the old one is only lost.
    results[at] = condition
    results[at + 1] = then
    results[at + 2] = otherwise
    results[at + 3] = result
    return result
  }

  and(one: Diagram, other: Diagram): Diagram {
    return this.choose(one, other, NEVER)
  }

  or(one: Diagram, other: Diagram): Diagram {
    return this.choose(one, ALWAYS, other)
  }

  not(condition: Diagram): Diagram {
    return this.choose(condition, NEVER, ALWAYS)
  }

  xor(one: Diagram, other: Diagram): Diagram {
    return this.choose(one, this.not(other), other)
  }

  private unique(level: number, low: number, high: number): Diagram {
    const { slots, levels, lows, highs } = this
    const mask = slots.length - 1
    const mixed =
      Math.imul(level, 0x9e3779b1) ^ Math.imul(low, 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35)
    let slot = (mixed ^ (mixed >>> 15)) & mask
    for (;;) {
      const found = (slots[slot] ?? 0) - 1
      if (found < 0) break
      if (levels[found] === level && lows[found] === low && highs[found] === high) return found
      slot = (slot + 1) & mask
    }
    if (this.count >= this.limits.nodes) throw tooMuch('nodes')
    const added = this.count++
    slots[slot] = added + 1
    levels[added] = level
    lows[added] = low
    highs[added] = high
    if (this.count === levels.length) this.grow()
    return added
  }

  private grow(): void {
    const room = 2 * this.levels.length
    this.levels = enlarged(this.levels, room)
    this.lows = enlarged(this.lows, room)
    this.highs = enlarged(this.highs, room)
    this.results = new Int32Array(4 * room)
    const slots = new Int32Array(4 * room)
    const mask = slots.length - 1
    // As `unique` does it, for nodes that are known to differ.
    for (let node = 0; node < this.count; node++) {
      let slot = hash(this.levels[node] ?? 0, this.lows[node] ?? 0, this.highs[node] ?? 0) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = node + 1
    }
    this.slots = slots
  }
}

function enlarged(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length)
  larger.set(array)
  return larger
}

function hash(one: number, two: number, three: number): number {
  const mixed =
    Math.imul(one, 0x9e3779b1) ^ Math.imul(two, 0x85ebca6b) ^ Math.imul(three, 0xc2b2ae35)
  return mixed ^ (mixed >>> 15)
}

const tooMuch = (what: 'nodes' | 'steps'): AnalysisError =>
  new AnalysisError('ERR_UNDECIDED', {
    problem: `deciding this takes more ${what} than were given`,
    hint: 'The conditions relate several arguments in too many ways.',
  })
