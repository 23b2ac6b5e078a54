/** Findings as they are collected, of whoever looks: a reader, or the resolution for a target. */
import type { ProfileFinding, ProfilePlace } from '../errors'
import { suggest } from '../syscalls'

/** More than anybody reads; of what comes after, only the number is kept. */
const MAX_FINDINGS = 10_000

const MAX_SUGGESTIONS = 20

/** "Did you mean" compares with everything there is, so a file of nonsense gets only so many. */
export class Suggestions {
  #made = 0

  for(name: string, candidates: readonly string[]): string | undefined {
    return this.#made++ < MAX_SUGGESTIONS ? suggest(name, candidates) : undefined
  }
}

export class Findings {
  readonly #list: ProfileFinding[] = []
  #omitted = 0
  #severe = false
  readonly #suggestions = new Suggestions()

  report(
    severity: ProfileFinding['severity'],
    code: string,
    place: ProfilePlace,
    message: string,
  ): void {
    const { path, line, column } = place
    if (this.#list.length < MAX_FINDINGS) {
      this.#list.push(Object.freeze({ path, line, column, code, severity, message }))
    } else {
      this.#omitted++
      this.#severe ||= severity === 'error'
    }
  }

  /** In the order of the text. */
  list(): readonly ProfileFinding[] {
    const sorted = [...this.#list].sort((a, b) => a.line - b.line || a.column - b.column)
    const last = sorted[sorted.length - 1]
    if (this.#omitted > 0 && last !== undefined) {
      const message = `${this.#omitted} more findings are not listed`
      const severity = this.#severe ? 'error' : 'info'
      sorted.push(Object.freeze({ ...last, code: 'more-findings', severity, message }))
    }
    return Object.freeze(sorted)
  }

  /** `; did you mean 'read'?`, or nothing. */
  suggestion(name: string, candidates: readonly string[]): string {
    const meant = this.#suggestions.for(name, candidates)
    return meant === undefined ? '' : `; did you mean '${meant}'?`
  }
}
