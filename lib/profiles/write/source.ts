/** What is converted, as every writer gets it. */
import type { Policy, Rules } from '../../policy'
import type { Arch, SyscallName } from '../../syscalls'
import type { ParsedTarget } from '../target'
import type { Profile } from '../types'
import type { Losses } from './losses'

export interface Source {
  /** Of a profile, what it comes to for the target. */
  readonly policy: Policy
  readonly rules: Rules
  readonly arch: Arch
  /** What 'SELF' stands for in the rules. */
  readonly pid: number
  readonly target: ParsedTarget
  /** Where it was a profile, what was read. */
  readonly profile: Profile | undefined
  /** The profile's conditions and architectures are kept, and the rules only tell what it comes to here. */
  readonly keepsConditions: boolean
  /** What to call it: as was asked for, or as the source calls itself. */
  readonly name: string | undefined
  /** Calls that need an entry though it says what the default does: readers have an opinion of their own. */
  readonly explicit: ReadonlySet<SyscallName>
  readonly losses: Losses
}
