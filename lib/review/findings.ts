/** Findings of lint, as its checks report them. */
import { describeCall, type CallReport } from '../analysis/call'
import type { Call } from '../analysis/interpreter'
import type { ProfilePlace } from '../errors'
import { Suggestions } from '../profiles/findings'
import type { SyscallName } from '../syscalls'
import { LINT_RULES, type LintRule, type LintSeverity } from './rules'
import type { Enforced } from './subject'

export interface LintFinding {
  readonly rule: LintRule
  /** `error` and `warning` ask for a change; a `note` tells what may well be meant. */
  readonly severity: LintSeverity
  /** Where in the policy or the profile: `$.syscalls[3].names[0]`. */
  readonly path: string
  /** From 1, as `column`: of a text. */
  readonly line?: number
  readonly column?: number
  readonly message: string
  /** What to write instead. */
  readonly fix?: string
  /** A call that shows it. */
  readonly call?: CallReport
  /** The calls it is about, where they are several. */
  readonly syscalls?: readonly SyscallName[]
  /** Of `dangerous-call`: which of the dangers that `explain` tells more of. */
  readonly danger?: string
  readonly references?: readonly string[]
}

export interface Details {
  readonly message: string
  readonly fix?: string | undefined
  readonly call?: Call | undefined
  readonly syscalls?: readonly SyscallName[] | undefined
  readonly danger?: string | undefined
  readonly references?: readonly string[] | undefined
  /** Where it is not the rule's own. */
  readonly severity?: LintSeverity | undefined
}

export class LintFindings {
  readonly #list: LintFinding[] = []
  readonly #seen = new Set<string>()
  readonly suggestions = new Suggestions()

  /** Once for each rule, place and message. */
  report(rule: LintRule, where: ProfilePlace | string, details: Details): void {
    const { message, fix, call, syscalls, danger, references, severity } = details
    const place = typeof where === 'string' ? { path: where } : where
    const key = `${rule} ${place.path} ${message}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#list.push(
      Object.freeze({
        rule,
        severity: severity ?? LINT_RULES[rule].severity,
        path: place.path,
        ...('line' in place ? { line: place.line, column: place.column } : {}),
        message,
        ...(fix === undefined ? {} : { fix }),
        ...(call === undefined ? {} : { call: describeCall(call) }),
        ...(syscalls === undefined ? {} : { syscalls }),
        ...(danger === undefined ? {} : { danger }),
        ...(references === undefined ? {} : { references }),
      }),
    )
  }

  /** In the order of the text; what is no text keeps the order of the checks. */
  list(): LintFinding[] {
    return this.#list.sort(
      (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    )
  }
}

/** Where a path of the policy stands in the profile: itself, or the rule it belongs to. */
export function placeOf({ places }: Enforced, path: string): ProfilePlace | string {
  for (let part = path; /[.[]/.test(part); part = part.replace(/(?:\.[^.[]*|\[[^.[]*)$/, '')) {
    const place = places.get(part) ?? places.get(`${part}[0]`)
    if (place !== undefined) return place
  }
  return path
}

/** `read, write and 3 more` */
export function listOf(names: readonly string[], most = 8): string {
  if (names.length <= most) {
    const last = names[names.length - 1] ?? ''
    return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`
  }
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
}
