export { allow, errno, kill, killThread, log, notify, trace, trap } from './actions'
export type { Action, ActionData, ActionName, ConditionalAction } from './actions'
export {
  between,
  eq,
  ge,
  gt,
  hasAll,
  hasAny,
  hasNone,
  le,
  lt,
  maskedEq,
  ne,
  noneOf,
  oneOf,
} from './conditions'
export type { Comparator, ConditionsFor, Integer, Scalar } from './conditions'
export { definePolicy, rulesOf } from './define'
export { archByNodeName, hostArch, hostTarget, parseTarget } from './target'
export type { PolicyTarget } from './target'
export { RETURN_VALUE, SECCOMP_RET_ALLOW, letsThrough } from './normalise'
export type { Condition, NumberRange, Rule, Rules, SyscallRules, Target } from './normalise'
export type { Policy, RuleFor, RulesFor } from './types'
