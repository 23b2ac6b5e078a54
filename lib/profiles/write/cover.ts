/**
 * A condition on the bits of a call as entries of the container world say it: each entry compares a
 * register at most once, all of its comparisons must hold, and which entry is tried first counts for
 * nothing. What comes out depends on the condition alone and not on how it was written, since equal
 * conditions are one diagram.
 */
import { ALWAYS, NEVER, type Diagram, type Diagrams } from '../../analysis/diagram'
import { ARGUMENT_LEVEL } from '../../analysis/words'
import { operatorsOf, type Operand } from './operators'

/** What one register is compared with. */
export interface RegisterCondition extends Operand {
  /** 0 … 5 */
  readonly index: number
}

/** All of these hold; no index is there twice. */
export type Conjunction = readonly RegisterCondition[]

/** Levels of one argument. */
const BITS = 64

/** Above this, whether one part holds whenever another does is not asked for every two of them. */
const MAX_COMPARED = 32

/** Thrown where more entries would be needed than `most`. */
export class TooManyEntries extends Error {}

/** Where any of the conjunctions holds, and nowhere else, the condition does. */
export function coverOf(diagrams: Diagrams, condition: Diagram, most: number): Conjunction[] {
  const known = new Map<Diagram, Conjunction[]>()
  const visit = (part: Diagram): Conjunction[] => {
    if (part === NEVER) return []
    if (part === ALWAYS) return [[]]
    let cover = known.get(part)
    if (cover === undefined) {
      cover = coverFirst(diagrams, part, visit, most)
      known.set(part, cover)
    }
    return cover
  }
  return visit(condition)
}

function coverFirst(
  diagrams: Diagrams,
  condition: Diagram,
  visit: (part: Diagram) => Conjunction[],
  most: number,
): Conjunction[] {
  const index = (diagrams.level(condition) - ARGUMENT_LEVEL) >>> 6
  const parts = partsOf(diagrams, condition, ARGUMENT_LEVEL + BITS * (index + 1))
  // A part that holds whatever this register is, is said without it.
  const common = [...parts.keys()].reduce((all, part) => diagrams.and(all, part))
  const cover = parts.has(common) ? [...visit(common)] : []
  for (const [part, values] of parts) {
    if (part === NEVER || part === common) continue
    const operators = fewest(
      operatorsOf(diagrams, values, index, most),
      parts.size > MAX_COMPARED
        ? undefined
        : operatorsOf(diagrams, alsoWhere(diagrams, parts, part), index, most),
    )
    const rest = visit(part)
    if (operators === undefined || cover.length + operators.length * rest.length > most) {
      throw new TooManyEntries()
    }
    for (const operator of operators) {
      for (const conjunction of rest) cover.push([{ index, ...operator }, ...conjunction])
    }
  }
  return cover
}

type Operands = readonly Operand[] | undefined

const fewest = (one: Operands, other: Operands): Operands =>
  other === undefined || (one !== undefined && one.length <= other.length) ? one : other

/** What is left of a condition when one register is known, each with the values for which it is that. */
function partsOf(diagrams: Diagrams, condition: Diagram, end: number): Map<Diagram, Diagram> {
  const parts = new Map<Diagram, Diagram>()
  const seen = new Set<Diagram>()
  const collect = (node: Diagram): void => {
    if (seen.has(node)) return
    seen.add(node)
    const level = diagrams.level(node)
    if (level >= end) parts.set(node, NEVER)
    else {
      collect(diagrams.low(node, level))
      collect(diagrams.high(node, level))
    }
  }
  collect(condition)
  for (const part of parts.keys()) {
    const values = mapEnds(diagrams, condition, end, (node) => (node === part ? ALWAYS : NEVER))
    parts.set(part, values)
  }
  return parts
}

/** The same decisions down to a level, and there another function in the place of each. */
export function mapEnds(
  diagrams: Diagrams,
  root: Diagram,
  end: number,
  replace: (node: Diagram) => Diagram,
): Diagram {
  const known = new Map<Diagram, Diagram>()
  const visit = (node: Diagram): Diagram => {
    let mapped = known.get(node)
    if (mapped === undefined) {
      const level = diagrams.level(node)
      mapped =
        level >= end
          ? replace(node)
          : diagrams.node(
              level,
              visit(diagrams.low(node, level)),
              visit(diagrams.high(node, level)),
            )
      known.set(node, mapped)
    }
    return mapped
  }
  return visit(root)
}

/** The values for which `part` holds, and perhaps more than it: entries may overlap. */
const alsoWhere = (diagrams: Diagrams, parts: Map<Diagram, Diagram>, part: Diagram): Diagram =>
  [...parts]
    .filter(([other]) => diagrams.and(part, diagrams.not(other)) === NEVER)
    .reduce((all, [, values]) => diagrams.or(all, values), NEVER)
