import type { ProfileRule } from './profile'

export interface RuleList {
  /** SECCOMP_RET_*, with its data. */
  readonly default: number
  readonly rules: readonly (ProfileRule & {
    /** On x86-64. */
    readonly number: number
  })[]
}

export function parseRuleList(text: string): RuleList
export function readRuleList(file: string): RuleList
