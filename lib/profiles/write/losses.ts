/** What a conversion could not carry over, as it is found. */
import type { ProfileFinding, ProfilePlace } from '../../errors'
import type { SyscallName } from '../../syscalls'

/** Something that what was written does not say, or says otherwise: never more than the source permits. */
export interface ConversionLoss {
  /** Stable, machine-readable: `'unnamed-numbers'`. docs/profiles.md lists them. */
  readonly code: string
  /** `warning`: some call is answered otherwise. `info`: no call with a name is. */
  readonly severity: 'warning' | 'info'
  /** The rule it is about: `$.syscalls.socket`; of a profile, its path there. */
  readonly path: string
  /** Where that stands in the text of a profile, from 1. */
  readonly line?: number
  readonly column?: number
  readonly message: string
}

/** Findings of resolving that say how it was read, and take nothing away. */
const NO_LOSS = new Set(['flags', 'redundant-rule', 'same-as-default', 'kill-thread'])

export class Losses {
  readonly #list: ConversionLoss[] = []
  /** Numbers that have no name are answered otherwise. */
  numbersChanged = false
  readonly #changed = new Set<SyscallName>()

  add(
    severity: ConversionLoss['severity'],
    code: string,
    where: string | ProfilePlace,
    message: string,
  ): void {
    const place = typeof where === 'string' ? { path: where } : where
    const { path, ...position } = { ...place }
    this.#list.push(Object.freeze({ code, severity, path, ...position, message }))
  }

  /** Calls that are answered otherwise than in the source. */
  change(code: string, path: string, names: readonly SyscallName[], message: string): void {
    this.add('warning', code, path, message)
    for (const name of names) this.mark(name)
  }

  /** A call that is answered otherwise, which has been said. */
  mark(name: SyscallName): void {
    this.#changed.add(name)
  }

  isChanged(name: SyscallName): boolean {
    return this.#changed.has(name)
  }

  /** What resolving a profile for a target leaves out. */
  take(findings: readonly ProfileFinding[]): void {
    for (const { code, severity, path, line, column, message } of findings) {
      if (NO_LOSS.has(code)) continue
      const level = severity === 'info' ? 'info' : 'warning'
      this.add(level, code, { path, line, column }, message)
    }
  }

  copy(): Losses {
    const copy = new Losses()
    copy.#list.push(...this.#list)
    return copy
  }

  /** In the order they were found. */
  list(): readonly ConversionLoss[] {
    return Object.freeze([...this.#list])
  }
}
