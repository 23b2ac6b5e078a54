/**
 * seccomp-ts: from `lockdown(policy)` on, the Linux kernel itself refuses this process everything
 * the policy does not let through.
 */
export {
  auditLog,
  builtInPolicies,
  builtInPolicy,
  bundleProfile,
  cachedSyscalls,
  checkManifests,
  comparePolicies,
  compile,
  convert,
  definePolicy,
  diagnose,
  disassemble,
  exec,
  fixManifests,
  fork,
  fromOci,
  isSupported,
  lint,
  migrateManifests,
  policyFromLog,
  probe,
  prove,
  readLog,
  readProfile,
  resolveProfile,
  simulate,
  summarise,
  toOci,
} from './deferred'
export {
  AnalysisError,
  LockdownError,
  LogError,
  ManifestError,
  PolicyError,
  ProfileError,
  SeccompError,
} from './errors'
export { lockdown } from './lockdown/lockdown'
export { status } from './lockdown/status'
export { allow, errno, kill, killThread, log, notify, trace, trap } from './policy/actions'
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
} from './policy/conditions'
export { webServer } from './promises'
export type {
  AnalysisErrorCode,
  ErrorCode,
  LockdownErrorCode,
  LogErrorCode,
  ManifestErrorCode,
  PolicyErrorCode,
  ProfileErrorCode,
  ProfileFinding,
  ProfilePlace,
  ThreadState,
} from './errors'
export type {
  ArgumentValue,
  CallDescription,
  CallReport,
  CallValue,
  ChangeKind,
  LintFinding,
  LintRule,
  LintSeverity,
  PolicyComparison,
  PolicyDifference,
  PolicySimulation,
  ProgramBytes,
  ProgramSimulation,
  Proved,
  Refutation,
  Verdict,
} from './analysis'
export type {
  BundleOptions,
  BundleResult,
  CheckOptions,
  ClusterOptions,
  ContainerReport,
  ContainerRole,
  EffectiveProfile,
  FixOptions,
  FixResult,
  ManifestChange,
  ManifestFinding,
  ManifestReport,
  ManifestRule,
  MigrateResult,
  NamedFix,
  PodSecurityLevel,
  ProfileSource,
  WorkloadReport,
} from './kubernetes'
export type {
  Action,
  ActionData,
  ActionName,
  Comparator,
  ConditionalAction,
  ConditionsFor,
  Policy,
  PolicyTarget,
  RuleFor,
  RulesFor,
} from './policy'

export type { Program } from './compiler/compile'
export type { IoUringChoice, LockdownOptions } from './lockdown/options'
export type { ProbeReport } from './lockdown/probe'
export type { IoUringStatus, Risk, Status } from './lockdown/status'
export type {
  BuiltInPolicy,
  ConversionLoss,
  ConversionTarget,
  ConvertOptions,
  ConvertResult,
  Dialect,
  Profile,
  ProfileAction,
  ProfileArchitecture,
  ProfileArg,
  ProfileConditions,
  ProfileEntry,
  ProfileOperator,
  ProfileTarget,
  ReadProfileOptions,
  ReadProfileResult,
  ResolveProfileResult,
  Runtime,
} from './profiles'
export type {
  AuditLogOptions,
  Diagnosis,
  LeftOut,
  LineCounts,
  LogEvent,
  LogFormat,
  LogInput,
  LogReading,
  LogSummary,
  Loss,
  LossKind,
  Lost,
  PolicyFromLog,
  PolicyFromLogOptions,
  PolicyOrigin,
  ReadLogOptions,
  Remains,
  SeenCall,
  SeenProgram,
  Sighting,
} from './recording'
export type { ExecOptions } from './sandbox/exec'
export type { ForkOptions } from './sandbox/fork'
export type { Arch, ErrnoName, SyscallName } from './syscalls'
