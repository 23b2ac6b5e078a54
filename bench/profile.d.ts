import type { Policy } from '../lib'

export interface ProfileCondition {
  /** 0 … 5 */
  readonly index: number
  readonly op: 'ne' | 'lt' | 'le' | 'eq' | 'ge' | 'gt' | 'maskedEq'
  /** Of `maskedEq` the mask, and `valueTwo` what must be left. */
  readonly value: number | bigint
  readonly valueTwo: number | bigint
}

export interface ProfileRule {
  readonly name: string
  /** SECCOMP_RET_*, with its data. */
  readonly action: number
  readonly conditions: readonly ProfileCondition[]
}

export interface ProfileRules {
  readonly default: number
  readonly rules: readonly ProfileRule[]
  /** Numbers above this one answer ENOSYS, whatever the rules say: runc's stub. */
  readonly ceiling?: number
  /** For libseccomp: the filter is for i386 and x32 as well. */
  readonly x86?: boolean
}

/** SCMP_ACT_* of seccomp.h, with KILL for KILL_THREAD: SECCOMP_RET_* */
export const ACTIONS: Readonly<Record<string, number>>
export const OPERATORS: Readonly<Record<string, ProfileCondition['op']>>
export const RETURN_VALUES: Readonly<Record<'errno' | 'notify' | 'trace', number>>
export const defaultProfile: string
export function foldErrnos(list: ProfileRules): ProfileRules
export function readProfile(file: string, isKnown: (name: string) => boolean): ProfileRules
export function resolveProfile(profile: unknown, isKnown: (name: string) => boolean): ProfileRules
export function toPolicy(list: ProfileRules): Policy
export function toText(list: ProfileRules): string
