/** Policies with rules that can never decide: seccomp-ts refuses these as mistakes, others do not. */
import { PolicyError } from '../../lib/errors'
import { rulesOf, type Policy, type Rules, type Target } from '../../lib/policy'

/** A policy as plain data, whose system calls have a list of rules, or one rule. */
export interface PlainPolicy {
  readonly default: object
  readonly syscalls: Readonly<Record<string, object | readonly object[]>>
}

/** The rules of the policy without those that can never decide, and how many these were. */
export function liveRules(policy: PlainPolicy, target: Target): { rules: Rules; dead: number } {
  const lists = new Map(
    Object.entries(policy.syscalls).map(([name, list]) => [name, [list].flat()]),
  )
  for (let dead = 0; ; dead++) {
    try {
      const live = { ...policy, syscalls: Object.fromEntries(lists) }
      return { rules: rulesOf(live as Policy, target), dead }
    } catch (error) {
      const codes = ['ERR_UNREACHABLE_RULE', 'ERR_DUPLICATE_RULE']
      if (!(error instanceof PolicyError) || !codes.includes(error.code)) throw error
      const [, name = '', index] = /^\$\.syscalls\.(\w+)\[(\d+)\]/.exec(error.path) ?? []
      const list = lists.get(name)
      if (list === undefined) throw error
      list.splice(Number(index), 1)
      // Not to be taken for a call that is not named: seccomp-ts answers ENOSYS to some of these.
      if (list.length === 0) list.push(policy.default)
    }
  }
}
