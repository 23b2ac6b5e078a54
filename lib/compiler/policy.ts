/** A policy on its way to the kernel: its program, and what else about it decides the way. */
import { letsThrough, rulesOf, type Policy, type Rules, type Target } from '../policy'
import { compileRules, compileWords, type Program } from './compile'
import { findPrepared, wordsOf } from './prepared'

export interface CompiledPolicy {
  readonly name: string
  readonly program: Program
  /** Whether some call of io_uring_enter(2) gets through. */
  readonly letsIoUringEnter: boolean
  /** For those who must change them. */
  rules(): Rules
}

/** @throws PolicyError, LockdownError */
export function compilePolicy(policy: Policy, target: Target): CompiledPolicy {
  const prepared = findPrepared(policy, target)
  if (prepared !== undefined) {
    return {
      name: policy.name ?? UNNAMED,
      program: compileWords(wordsOf(prepared, target), target.arch),
      letsIoUringEnter: prepared.letsIoUringEnter,
      rules: () => rulesOf(policy, target),
    }
  }
  const rules = rulesOf(policy, target)
  return {
    name: rules.name ?? UNNAMED,
    program: compileRules(rules),
    letsIoUringEnter: letsThrough(rules, 'io_uring_enter'),
    rules: () => rules,
  }
}

const UNNAMED = 'unnamed'
