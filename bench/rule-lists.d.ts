import type { ProfileCondition } from './profile'

export interface RuleList {
  /** Absent: what is not allowed kills the process. */
  readonly errno?: number
  readonly rules: readonly {
    readonly name: string
    /** On x86-64. */
    readonly number: number
    readonly conditions: readonly ProfileCondition[]
  }[]
}

export function parseRuleList(text: string): RuleList
export function readRuleList(file: string): RuleList
