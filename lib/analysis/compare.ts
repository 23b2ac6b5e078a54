/**
 * Two policies by what they mean: on which calls they differ, how, and a call that shows it.
 *
 * More and less are the kernel's own (seccomp(2)): of several filters, the call gets the least
 * permissive action, in the order kill, killThread, trap, errno, notify, trace, log, allow.
 */
import { AnalysisError } from '../errors'
import { parseTarget, rulesOf, type Policy, type PolicyTarget, type Rules } from '../policy'
import type { SyscallName } from '../syscalls'
import { describeCall, type CallReport } from './call'
import { Diagrams, LEAF, type Diagram, type DiagramLimits } from './diagram'
import { evaluate } from './evaluate'
import { Meaning, type Segment } from './meaning'
import { callOf } from './proof'
import {
  describeVerdict,
  permissiveness,
  runs,
  verdictOf,
  verdictText,
  type Verdict,
} from './verdict'
import { ARCH_WORD, NUMBER_WORD, WORDS } from './bpf'
import { bitAt, wordAt } from './words'

/** What changes for a call: it runs now, it no longer does, or only how it is refused or let through. */
export type ChangeKind = 'allows' | 'denies' | 'changes'

/** One change of verdict of one system call, or of numbers without a name. */
export interface PolicyDifference {
  readonly kind: ChangeKind
  /** Whether b is the more permissive here, by the kernel's order: `a` would no longer be obeyed. */
  readonly widens: boolean
  readonly syscall?: SyscallName
  /** The numbers it is about, inclusive; one, for a system call with a name. */
  readonly numbers: readonly [first: number, last: number]
  readonly from: Verdict
  readonly to: Verdict
  /** A call for which it is so. */
  readonly witness: CallReport
  /** All of that in one line. */
  readonly text: string
}

export interface PolicyComparison {
  /** No call tells them apart. */
  readonly equal: boolean
  /**
   * For no call is b more permissive than a: whoever is under b can do nothing that a would have
   * refused, and installing b on top of a comes to b.
   */
  readonly narrows: boolean
  /** By number. */
  readonly differences: readonly PolicyDifference[]
}

/**
 * What policy b changes against policy a, for one architecture.
 *
 * @throws PolicyError for a mistake in a policy; AnalysisError ERR_UNDECIDED
 */
export function comparePolicies(a: Policy, b: Policy, target?: PolicyTarget): PolicyComparison {
  const here = parseTarget(target)
  return compareRules(rulesOf(a, here), rulesOf(b, here))
}

/** The same for rules: of the architecture of `a`, and of all others. */
export function compareRules(a: Rules, b: Rules, limits?: DiagramLimits): PolicyComparison {
  const diagrams = new Diagrams(limits)
  const meanings = [new Meaning([a], diagrams), new Meaning([b], diagrams)] as const
  const differences: PolicyDifference[] = []
  const arches = [...new Set([a.auditArch, b.auditArch])].map((arch) => ({ arch, foreign: false }))
  for (const { arch, foreign } of [...arches, { arch: otherThan(arches), foreign: true }]) {
    for (const [one, other] of alignedSegments(meanings[0].of(arch), meanings[1].of(arch))) {
      const numbers = [Math.max(one.first, other.first), Math.min(one.last, other.last)] as const
      for (const change of changesBetween(diagrams, one.verdicts, other.verdicts)) {
        change.words[ARCH_WORD] = arch
        change.words[NUMBER_WORD] = numbers[0]
        differences.push(report(change, numbers, foreign, [a, b]))
      }
    }
  }
  return {
    equal: differences.length === 0,
    narrows: differences.every(({ widens }) => !widens),
    differences,
  }
}

/** An architecture that none of these is. */
function otherThan(arches: readonly { readonly arch: number }[]): number {
  let other = 0
  while (arches.some(({ arch }) => arch === other)) other++
  return other
}

/** Every pair of segments that have a number in common. */
function alignedSegments(a: readonly Segment[], b: readonly Segment[]): [Segment, Segment][] {
  const pairs: [Segment, Segment][] = []
  let index = 0
  for (const one of a) {
    for (; index < b.length; index++) {
      const other = b[index]
      if (other === undefined || other.first > one.last) break
      pairs.push([one, other])
      // The next of a may share this one.
      if (other.last > one.last) break
    }
  }
  return pairs
}

interface Change {
  readonly from: number
  readonly to: number
  /** The words of a call for which it is so, but for its architecture and number. */
  readonly words: Uint32Array
}

/** Pairs of nodes that are looked at for one system call. */
const MAX_PAIRS = 1 << 20

/** Every pair of different verdicts that some call gets, once. */
function changesBetween(diagrams: Diagrams, a: Diagram, b: Diagram): Change[] {
  const changes = new Map<string, Change>()
  const seen = new Set<string>()
  const words = new Uint32Array(WORDS)
  const visit = (one: Diagram, other: Diagram): void => {
    if (one === other) return
    const pair = `${one},${other}`
    if (seen.has(pair)) return
    seen.add(pair)
    if (seen.size > MAX_PAIRS) {
      throw new AnalysisError('ERR_UNDECIDED', {
        problem: 'comparing these rules takes more steps than were given',
      })
    }
    const level = Math.min(diagrams.level(one), diagrams.level(other))
    if (level === LEAF) {
      const [from, to] = [diagrams.wordOf(one), diagrams.wordOf(other)]
      changes.set(pair, { from, to, words: words.slice() })
      return
    }
    const word = wordAt(level)
    const bit = 1 << bitAt(level)
    visit(diagrams.low(one, level), diagrams.low(other, level))
    words[word] = (words[word] ?? 0) | bit
    visit(diagrams.high(one, level), diagrams.high(other, level))
    words[word] = (words[word] ?? 0) & ~bit
  }
  visit(a, b)
  return [...changes.values()]
}

function report(
  { from, to, words }: Change,
  numbers: readonly [number, number],
  foreign: boolean,
  [a, b]: readonly [Rules, Rules],
): PolicyDifference {
  const call = callOf(words)
  // The plain reading of both must agree with what the diagrams found.
  if (
    verdictOf(evaluate([a], call).action) !== from ||
    verdictOf(evaluate([b], call).action) !== to
  ) {
    throw new RangeError(`the two readings of the rules differ on call ${call.number}`)
  }
  const witness = describeCall(call)
  const kind = runs(to) === runs(from) ? 'changes' : runs(to) ? 'allows' : 'denies'
  const [first, last] = numbers
  const range = first === last ? '' : `, and on to number ${last}`
  const about = foreign ? `other architectures, such as ${witness.text}` : witness.text + range
  return {
    kind,
    widens: permissiveness(to) > permissiveness(from),
    ...(witness.syscall === undefined || first !== last ? {} : { syscall: witness.syscall }),
    numbers,
    from: describeVerdict(from),
    to: describeVerdict(to),
    witness,
    text: `${about}: ${verdictText(from)} becomes ${verdictText(to)}`,
  }
}
