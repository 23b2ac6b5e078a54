/**
 * seccomp-ts: from `lockdown(policy)` on, the Linux kernel itself refuses this process everything
 * the policy does not let through.
 */
export { LockdownError, PolicyError, SeccompError } from './errors'
export type { ErrorCode, LockdownErrorCode, PolicyErrorCode, ThreadState } from './errors'
export {
  allow,
  between,
  definePolicy,
  eq,
  errno,
  ge,
  gt,
  hasAll,
  hasAny,
  hasNone,
  kill,
  killThread,
  le,
  log,
  lt,
  maskedEq,
  ne,
  noneOf,
  notify,
  oneOf,
  trace,
  trap,
} from './policy'
export type {
  Action,
  ActionData,
  ActionName,
  Comparator,
  ConditionalAction,
  ConditionsFor,
  Policy,
  RuleFor,
  RulesFor,
} from './policy'
export { webServer } from './promises'
export { compile } from './compiler/compile'
export type { CompileTarget, Program } from './compiler/compile'
export { lockdown } from './lockdown/lockdown'
export type { IoUringChoice, LockdownOptions } from './lockdown/options'
export { isSupported, probe } from './lockdown/probe'
export type { ProbeReport } from './lockdown/probe'
export { status } from './lockdown/status'
export type { IoUringStatus, Risk, Status } from './lockdown/status'
export { fork } from './sandbox/fork'
export type { ForkOptions } from './sandbox/fork'
export type { Arch, ErrnoName, SyscallName } from './syscalls'
