import type { Call } from '../../analysis/interpreter'
import { evaluate } from '../../analysis/evaluate'
import { runs, verdictOf, verdictText } from '../../analysis/verdict'
import type { ProfilePlace } from '../../errors'
import { placeOf, type LintFindings } from '../findings'
import type { Reach } from '../reach'
import type { Enforced, Subject } from '../subject'
import type { SyscallName } from '../../syscalls'

/** What a check is given. */
export interface Context {
  readonly subject: Subject
  readonly enforced: Enforced
  readonly reach: Reach
  readonly findings: LintFindings
}

/** Where the policy says what happens to a call. */
export function placeOfCall({ enforced, reach }: Context, call: Call): ProfilePlace | string {
  const { by, rule } = evaluate([reach.rules], call)
  const place = placeOf(enforced, by === 'rule' ? (rule?.path ?? '') : '$.default')
  // What the library or a runtime adds stands nowhere; it is about what nothing names.
  return typeof place !== 'string' || enforced.places.size === 0
    ? place
    : placeOf(enforced, '$.default')
}

/** What happens to a call: `errno(EPERM)`. */
export const answerTo = ({ reach }: Context, call: Call): string =>
  verdictText(verdictOf(evaluate([reach.rules], call).action))

/** A call of that name without arguments. */
export const plainCall = ({ reach }: Context, name: SyscallName): Call => ({
  arch: reach.rules.auditArch,
  number: reach.info(name)?.number ?? 0,
  args: [0n, 0n, 0n, 0n, 0n, 0n],
  instructionPointer: 0n,
})

/** Some call of that name that does not run, as far as the policy says so itself: its rule. */
export function refusalOf({ subject }: Context, name: SyscallName): string | undefined {
  const from = subject.strict ?? subject.enforced
  const rules = from?.rules.syscalls.find((syscall) => syscall.name === name)?.rules ?? []
  return rules.find(({ action, path }) => path !== '' && !runs(verdictOf(action)))?.path
}
