/** Findings as they are collected, each with the object and the container it is about. */
import type { ProfilePlace } from '../errors'
import { suggest } from '../syscalls'
import { memberPath, type Lines, type Member } from '../profiles/tree'
import { ruleOf, type ManifestRule, type PodSecurityLevel, type Rule } from './rules'
import type { At } from '../profiles/reading'

/** Something in a manifest that is refused, has no effect, or is weaker than it could be. */
export interface ManifestFinding extends ProfilePlace {
  /** Stable, machine-readable. docs/kubernetes.md lists them. */
  readonly rule: ManifestRule
  /**
   * `error`: refused by the API server or the node, without the effect that was meant, or against the
   * baseline level. `warning`: weaker than it could be. `info`: good to know.
   */
  readonly severity: Rule['severity']
  readonly message: string
  /** What to write instead. */
  readonly fix: string
  /** The Pod Security Standard that does not admit it. */
  readonly podSecurity?: PodSecurityLevel
  /** Controls of the CIS Kubernetes Benchmark v1.11. */
  readonly cis: readonly string[]
  /** `Deployment web`, with its namespace where it has one: `Deployment shop/web`. */
  readonly object: string
  readonly container?: string
  /** The document of the text, from 1; `path` begins there. */
  readonly document: number
}

/** What a finding is about. */
export interface Subject {
  readonly object: string
  readonly document: number
  readonly container?: string
}

export type Overrides = Partial<Pick<Rule, 'severity' | 'podSecurity' | 'fix' | 'cis'>>

/** More than anybody reads; of what comes after, only the number is kept. */
const MAX_FINDINGS = 10_000

/** "Write …" compares with everything there is, so a text of nonsense gets only so many. */
const MAX_SUGGESTIONS = 100

export class ManifestFindings {
  readonly #lines: Lines
  readonly #list: ManifestFinding[] = []
  #omitted = 0
  #suggestions = 0
  /** Of all that was reported, listed or not: how many each level does not admit. */
  readonly #levels: Record<PodSecurityLevel, number> = { baseline: 0, restricted: 0 }

  constructor(lines: Lines) {
    this.#lines = lines
  }

  /** About a value: where it begins. */
  report(rule: ManifestRule, subject: Subject, at: At, message: string, more?: Overrides): void {
    this.#add(rule, subject, at.node.offset, at.path, message, more)
  }

  /** About a key. */
  reportKey(
    rule: ManifestRule,
    subject: Subject,
    { member, path }: { member: Member; path: string },
    message: string,
    more?: Overrides,
  ): void {
    this.#add(rule, subject, member.offset, path, message, more)
  }

  #add(
    rule: ManifestRule,
    { object, document, container }: Subject,
    offset: number,
    at: string,
    message: string,
    more: Overrides = {},
  ): void {
    const { severity, cis, fix, podSecurity } = { ...ruleOf(rule), ...more }
    if (podSecurity !== undefined) this.#levels[podSecurity]++
    if (this.#list.length === MAX_FINDINGS) {
      this.#omitted++
      return
    }
    const { path, line, column } = this.#lines.place(offset, at)
    this.#list.push(
      Object.freeze({
        ...{ rule, severity, message, fix, cis, object, document, path, line, column },
        ...(podSecurity === undefined ? {} : { podSecurity }),
        ...(container === undefined ? {} : { container }),
      }),
    )
  }

  /** What was probably meant. */
  suggestion<T extends string>(name: string, candidates: readonly T[]): T | undefined {
    if (this.#suggestions++ >= MAX_SUGGESTIONS) return undefined
    const meant = suggest(name, candidates)
    return candidates.find((candidate) => candidate === meant)
  }

  mark(): Readonly<Record<PodSecurityLevel, number>> {
    return { ...this.#levels }
  }

  /** The strictest level that admits what was reported about since. */
  levelSince(mark: Readonly<Record<PodSecurityLevel, number>>): PodSecurityLevel | 'privileged' {
    if (this.#levels.baseline > mark.baseline) return 'privileged'
    return this.#levels.restricted > mark.restricted ? 'baseline' : 'restricted'
  }

  /** In the order of the text. */
  list(): readonly ManifestFinding[] {
    const sorted = [...this.#list].sort((a, b) => a.line - b.line || a.column - b.column)
    const last = sorted[sorted.length - 1]
    if (this.#omitted > 0 && last !== undefined) {
      const { severity, cis, fix } = ruleOf('more-findings')
      const { object, document, path, line, column } = last
      const message = `${this.#omitted} more findings are not listed`
      const rule = 'more-findings'
      const place = { object, document, path, line, column }
      sorted.push(Object.freeze({ rule, severity, message, fix, cis, ...place }))
    }
    return Object.freeze(sorted)
  }
}

/** Where a member of an object stands. */
export const memberAt = (path: string, member: Member): { member: Member; path: string } => ({
  member,
  path: memberPath(path, member.key),
})
