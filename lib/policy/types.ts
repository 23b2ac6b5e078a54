import type { SyscallName } from '../syscalls'
import type { Action, ActionData, ConditionalAction } from './actions'
import type { ConditionsFor } from './conditions'

/** One rule of a system call. */
export type RuleFor<S extends SyscallName> =
  Action | ActionData | ConditionalAction<ConditionsFor<S>>

/** The rules of a system call: tried in order, the first whose conditions hold decides. */
export type RulesFor<S extends SyscallName> = RuleFor<S> | readonly RuleFor<S>[]

/**
 * What a process may ask of the kernel. Plain data: `JSON.stringify` of it is a policy file.
 *
 * A system call that is not named gets `default`. One exception keeps programs alive and filters
 * tight: `clone3`, `openat2` and `io_uring_*` hide their arguments from any filter, so unless the
 * policy names them they answer ENOSYS wherever the policy restricts what they could do, and libc
 * falls back to the calls that can be filtered.
 */
export interface Policy {
  /** For people: shown by `status()`. */
  readonly name?: string | undefined
  /** What a call gets that no rule decides. */
  readonly default: Action | ActionData
  /**
   * The kernel this policy was written for, `'5.10'`. A system call that is newer answers ENOSYS
   * instead of `default` (which must be an errno), so that libc falls back to what it used before.
   */
  readonly baseline?: `${number}.${number}` | undefined
  /**
   * A system call. Numbers above its own answer ENOSYS, unless the policy names the call: there is none of
   * them in what this policy was written from. What runc does to a profile ("ENOSYS stub"), and what keeps
   * a list of denials from letting through whatever a later kernel adds.
   */
  readonly ceiling?: SyscallName | undefined
  readonly syscalls?: { readonly [S in SyscallName]?: RulesFor<S> }
}
