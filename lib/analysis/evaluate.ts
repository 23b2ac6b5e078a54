/**
 * Rules, read as they are written: one call, one rule after the other. Slow and plain on purpose:
 * what the diagrams find is held against it.
 */
import type { Condition, Rule, Rules, SyscallRules } from '../policy'
import type { Call } from './interpreter'

export interface Decision {
  /** A SECCOMP_RET_* value with its data. */
  readonly action: number
  /** What decided. `number`: what the policy says of numbers it does not name. */
  readonly by: 'rule' | 'number' | 'default' | 'architecture'
  readonly rule?: Rule
  readonly syscall?: SyscallRules
}

/** What the rules say of a call: the first rule that holds decides, else the default. */
export function evaluate(arches: readonly Rules[], call: Call): Decision {
  const rules = arches.find(({ auditArch }) => auditArch === call.arch)
  if (rules === undefined) return { action: foreignAction(arches), by: 'architecture' }
  const syscall = rules.syscalls.find(({ number }) => number === call.number)
  if (syscall !== undefined) {
    const rule = syscall.rules.find((candidate) =>
      candidate.conditions.every((condition) => holds(condition, call)),
    )
    if (rule !== undefined) return { action: rule.action, by: 'rule', rule, syscall }
    return { action: rules.defaultAction, by: 'default', syscall }
  }
  const range = rules.ranges.find(({ first, last }) => first <= call.number && call.number <= last)
  return range === undefined
    ? { action: rules.defaultAction, by: 'default' }
    : { action: range.action, by: 'number' }
}

/**
 * What calls of other architectures get: one answer for the whole program.
 *
 * @throws RangeError for rules of different opinions
 */
export function foreignAction(arches: readonly Rules[]): number {
  const [first, ...others] = arches
  if (first === undefined || others.some((r) => r.foreignArchAction !== first.foreignArchAction)) {
    throw new RangeError('the rules do not agree on what other architectures get')
  }
  return first.foreignArchAction
}

/** Whether the argument is in its set. */
export function holds({ argument, width, set }: Condition, { args }: Call): boolean {
  const value = BigInt.asUintN(width, args[argument] ?? 0n)
  return set.kind === 'ranges'
    ? set.ranges.some(([first, last]) => first <= value && value <= last)
    : ((value & set.mask) === set.expected) !== set.negate
}
