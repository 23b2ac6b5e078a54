/**
 * What in a policy does not do what it seems to: exact, by what the rules mean.
 *
 * Rules of which one alone covers another are errors of the policy and never get here
 * (lib/policy/normalise.ts).
 */
import {
  parseTarget,
  type Policy,
  type PolicyTarget,
  type Rule,
  type SyscallRules,
} from '../policy'
import { resolve } from '../policy/normalise'
import { parsePolicy } from '../policy/parse'
import { ALWAYS, Diagrams, NEVER, type Diagram, type DiagramLimits } from './diagram'
import { compareRules } from './compare'
import { conditionOf, conditionsOf, verdictsOf } from './meaning'
import { verdictOf } from './verdict'

/** Stable, machine-readable: what a finding is about. */
export type LintRule =
  /** Together, earlier rules hold whenever this one does: it never decides. */
  | 'shadowed-rule'
  /** Its conditions exclude each other: the rule can never hold. */
  | 'impossible-rule'
  /** A later rule without conditions gives the same verdict: this one's conditions restrict nothing. */
  | 'widened-rule'
  /** Without the rule the policy means the same. */
  | 'redundant-rule'
  /** The condition holds for every value the argument can have. */
  | 'constant-condition'
  /** The rule's other conditions hold only where this one does. */
  | 'implied-condition'
  /** The rules say what the default says, and without them the policy means the same. */
  | 'redundant-syscall'

export type LintSeverity = 'error' | 'warning' | 'note'

export interface LintFinding {
  readonly rule: LintRule
  readonly severity: LintSeverity
  /** Where in the policy: `$.syscalls.socket[1].when.family`. */
  readonly path: string
  readonly message: string
}

const SEVERITY: Readonly<Record<LintRule, LintSeverity>> = {
  'shadowed-rule': 'error',
  'impossible-rule': 'error',
  'widened-rule': 'warning',
  'redundant-rule': 'warning',
  'constant-condition': 'warning',
  'implied-condition': 'note',
  'redundant-syscall': 'note',
}

/**
 * The findings, in the order of the policy's system calls by number. For one architecture.
 *
 * @throws PolicyError for a policy that would be refused; AnalysisError ERR_UNDECIDED
 */
export function lint(policy: Policy, target?: PolicyTarget, limits?: DiagramLimits): LintFinding[] {
  const here = parseTarget(target)
  const parsed = parsePolicy(policy)
  const rules = resolve(parsed, here)
  const diagrams = new Diagrams(limits)
  const fallback = diagrams.leaf(verdictOf(rules.defaultAction))
  return rules.syscalls.flatMap((syscall) => {
    const written = parsed.syscalls.get(syscall.name)
    // What the library added.
    if (written === undefined) return []
    const findings = lintSyscall(diagrams, syscall, fallback, (rule, condition) => {
      const names = [...(written[rule]?.conditions.keys() ?? [])]
      return `${written[rule]?.path ?? ''}.when.${names[condition] ?? ''}`
    })
    const verdicts = verdictsOf(diagrams, syscall.rules, fallback)
    if (findings.length > 0 || verdicts !== fallback) return findings
    // Naming a call can also keep the library's own answer away: what counts is the whole.
    const others = new Map([...parsed.syscalls].filter(([name]) => name !== syscall.name))
    if (!compareRules(resolve({ ...parsed, syscalls: others }, here), rules, limits).equal) {
      return []
    }
    const message = `${syscall.name}(2) gets the same without being named`
    return [finding('redundant-syscall', `$.syscalls.${syscall.name}`, message)]
  })
}

const finding = (rule: LintRule, path: string, message: string): LintFinding => ({
  rule,
  severity: SEVERITY[rule],
  path,
  message,
})

function lintSyscall(
  diagrams: Diagrams,
  { name, rules }: SyscallRules,
  fallback: Diagram,
  pathOf: (rule: number, condition: number) => string,
): LintFinding[] {
  const whole = verdictsOf(diagrams, rules, fallback)
  let earlier: Diagram = NEVER
  return rules.flatMap((rule, index) => {
    const holds = conditionsOf(diagrams, rule.conditions)
    const decides = diagrams.choose(earlier, NEVER, holds)
    earlier = diagrams.or(earlier, holds)
    if (holds === NEVER) {
      const message = `the conditions exclude each other: the rule never holds for any ${name}(2)`
      return [finding('impossible-rule', rule.path, message)]
    }
    if (decides === NEVER) {
      const message = `the rules before it hold, together, for every ${name}(2) this one holds for`
      return [finding('shadowed-rule', rule.path, message)]
    }
    const conditions = lintConditions(diagrams, rule, holds, (condition) =>
      pathOf(index, condition),
    )
    const without = verdictsOf(diagrams, rules.toSpliced(index, 1), fallback)
    if (without !== whole || rules.length === 1) return conditions
    return [...conditions, redundant(rules, index)]
  })
}

/** A rule that changes nothing. */
function redundant(rules: readonly Rule[], index: number): LintFinding {
  const rule = rules[index]
  const later = rules.slice(index + 1)
  const wide = later.find(({ conditions }) => conditions.length === 0)
  const path = rule?.path ?? ''
  if (rule !== undefined && rule.conditions.length > 0 && wide?.action === rule.action) {
    const message = `${wide.path} does the same without conditions: these restrict nothing`
    return finding('widened-rule', path, message)
  }
  const message = 'what comes after it gives the same calls the same verdict'
  return finding('redundant-rule', path, message)
}

function lintConditions(
  diagrams: Diagrams,
  { conditions }: Rule,
  holds: Diagram,
  pathOf: (condition: number) => string,
): LintFinding[] {
  return conditions.flatMap((condition, index) => {
    if (conditionOf(diagrams, condition) === ALWAYS) {
      const message = 'holds for every value the argument can have'
      return [finding('constant-condition', pathOf(index), message)]
    }
    if (conditionsOf(diagrams, conditions.toSpliced(index, 1)) !== holds) return []
    const message = "the rule's other conditions hold only where this one does"
    return [finding('implied-condition', pathOf(index), message)]
  })
}
