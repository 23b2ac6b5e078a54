/**
 * seccomp-ts: from `lockdown(policy)` on, the Linux kernel itself refuses this process everything
 * the policy does not let through.
 */
export {
  LockdownError,
  PolicyError,
  SeccompError,
  allow,
  between,
  compile,
  definePolicy,
  eq,
  errno,
  fork,
  ge,
  gt,
  hasAll,
  hasAny,
  hasNone,
  isSupported,
  kill,
  killThread,
  le,
  lockdown,
  log,
  lt,
  maskedEq,
  ne,
  noneOf,
  notify,
  oneOf,
  probe,
  status,
  trace,
  trap,
  webServer,
} from './main'
export type { ErrorCode, LockdownErrorCode, PolicyErrorCode, ThreadState } from './errors'
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
export type { CompileTarget, Program } from './compiler/compile'
export type { IoUringChoice, LockdownOptions } from './lockdown/options'
export type { ProbeReport } from './lockdown/probe'
export type { IoUringStatus, Risk, Status } from './lockdown/status'
export type { ForkOptions } from './sandbox/fork'
export type { Arch, ErrnoName, SyscallName } from './syscalls'
