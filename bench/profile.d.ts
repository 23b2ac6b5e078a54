import type { Policy } from '../lib'

export interface ProfileCondition {
  /** 0 … 5 */
  readonly index: number
  readonly op: 'ne' | 'lt' | 'le' | 'eq' | 'ge' | 'gt' | 'maskedEq'
  /** Of `maskedEq` the mask, and `valueTwo` what must be left. */
  readonly value: number | bigint
  readonly valueTwo: number | bigint
}

export interface ProfileRules {
  /** Absent: what is not allowed kills the process. */
  readonly errno?: number
  readonly rules: readonly {
    readonly name: string
    readonly conditions: readonly ProfileCondition[]
  }[]
}

export const defaultProfile: string
export function readProfile(file: string, isKnown: (name: string) => boolean): ProfileRules
export function resolveProfile(profile: unknown, isKnown: (name: string) => boolean): ProfileRules
export function toPolicy(list: ProfileRules): Policy
export function toText(list: ProfileRules): string
