/**
 * Rules, tried in order, as entries whose order says nothing: for each call, who gets which verdict
 * under which conditions. Only calls that a reader of the entries could not have from the default are
 * there.
 */
import { ALWAYS, Diagrams, LEAF, NEVER, type Diagram } from '../../analysis/diagram'
import { verdictsOf } from '../../analysis/meaning'
import { verdictOf } from '../../analysis/verdict'
import { PolicyError } from '../../errors'
import type { Rules, SyscallRules } from '../../policy'
import { findSyscall, syscallNames, type SyscallName } from '../../syscalls'
import { coverOf, mapEnds, TooManyEntries, type Conjunction } from './cover'

export interface FlatEntry {
  readonly name: SyscallName
  /** A SECCOMP_RET_* value with its data. */
  readonly verdict: number
  readonly conditions: Conjunction
}

/** Of one call: a few of these, and no program of 4,096 instructions has room for them. */
const MAX_ENTRIES = 512

export interface FlattenOptions {
  /** What the written profile says of calls that have no entry: the rules' default, where it can. */
  readonly fallback: number
  /** Calls that get an entry though it says the same as the default. */
  readonly explicit: ReadonlySet<SyscallName>
  /** What stands for a verdict that cannot be written. */
  readonly translate?: (verdict: number) => number
}

/** @throws PolicyError ERR_INEXPRESSIBLE where a call's conditions come to too many entries */
export function flatten(
  rules: Rules,
  { fallback, explicit, translate = (verdict) => verdict }: FlattenOptions,
): FlatEntry[] {
  const diagrams = new Diagrams()
  return [...verdicts(rules, diagrams)].flatMap(([name, own]) => {
    const verdict = mapEnds(diagrams, own, LEAF, (leaf) =>
      diagrams.leaf(translate(diagrams.wordOf(leaf))),
    )
    if (diagrams.level(verdict) === LEAF) {
      const word = diagrams.wordOf(verdict)
      if (word === fallback && !explicit.has(name)) return []
      return [{ name, verdict: word, conditions: [] }]
    }
    const leaves = [...leavesOf(diagrams, verdict)].filter(
      (leaf) => diagrams.wordOf(leaf) !== fallback,
    )
    if (leaves.length > MAX_ENTRIES) throw tooMany(name)
    const entries = leaves.flatMap((leaf) => {
      const condition = mapEnds(diagrams, verdict, LEAF, (each) => (each === leaf ? ALWAYS : NEVER))
      const cover = conjunctionsOf(diagrams, condition, name)
      return cover.map((conditions) => ({ name, verdict: diagrams.wordOf(leaf), conditions }))
    })
    if (entries.length > MAX_ENTRIES) throw tooMany(name)
    return entries
  })
}

/** Every call there is a name for, by name: what the rules say of it. */
export function* verdicts(
  rules: Rules,
  diagrams: Diagrams,
): Iterable<readonly [SyscallName, Diagram]> {
  const fallback = diagrams.leaf(verdictOf(rules.defaultAction))
  const named = new Map<number, SyscallRules>(rules.syscalls.map((each) => [each.number, each]))
  for (const name of [...syscallNames(rules.arch)].sort()) {
    const number = findSyscall(name, rules.arch)?.number ?? -1
    const own = named.get(number)
    const range = rules.ranges.find(({ first, last }) => first <= number && number <= last)
    if (own !== undefined) yield [name, verdictsOf(diagrams, own.rules, fallback)]
    else yield [name, range === undefined ? fallback : diagrams.leaf(verdictOf(range.action))]
  }
}

/** Every verdict that some call gets. */
export function leavesOf(diagrams: Diagrams, root: Diagram): ReadonlySet<Diagram> {
  const leaves = new Set<Diagram>()
  const seen = new Set<Diagram>()
  const visit = (node: Diagram): void => {
    if (seen.has(node)) return
    seen.add(node)
    const level = diagrams.level(node)
    if (level === LEAF) leaves.add(node)
    else {
      visit(diagrams.low(node, level))
      visit(diagrams.high(node, level))
    }
  }
  visit(root)
  return leaves
}

function conjunctionsOf(
  diagrams: Diagrams,
  condition: Diagram,
  name: SyscallName,
): readonly Conjunction[] {
  try {
    return coverOf(diagrams, condition, MAX_ENTRIES)
  } catch (cause) {
    throw cause instanceof TooManyEntries ? tooMany(name) : cause
  }
}

const tooMany = (name: SyscallName): PolicyError =>
  new PolicyError('ERR_INEXPRESSIBLE', {
    path: `$.syscalls.${name}`,
    problem: `its conditions come to more than ${MAX_ENTRIES} entries that compare a register once`,
    hint: 'Ask for less of it: single values, or masks.',
  })
