/** Profiles of other tools: read, and resolved to policies. */
export { builtInPolicies, builtInPolicy } from './built-in'
export type { BuiltInPolicy } from './built-in'
export { fromOci } from './from-oci'
export { readProfile } from './read'
export type { ReadProfileOptions, ReadProfileResult } from './read'
export { resolveProfile } from './resolve'
export type { ResolveProfileResult } from './resolve'
export type { Runtime } from './runtimes'
export type { ProfileTarget } from './target'
export type {
  Dialect,
  Profile,
  ProfileAction,
  ProfileArchitecture,
  ProfileArg,
  ProfileConditions,
  ProfileEntry,
  ProfileOperator,
} from './types'
export { CONVERSION_TARGETS, convert, toOci } from './write/convert'
export type { ConversionTarget, ConvertOptions, ConvertResult } from './write/convert'
export type { ConversionLoss } from './write/losses'
