/** Kubernetes manifests: checked, fixed, migrated; and profiles rolled out to nodes. */
export { checkManifests } from './check'
export type { ContainerReport, ManifestReport, WorkloadReport } from './check'
export type { EffectiveProfile, ProfileSource } from './effective'
export type { ManifestFinding } from './findings'
export type { CheckOptions, ClusterOptions } from './options'
export type { ContainerRole } from './pod'
export { MANIFEST_RULES } from './rules'
export type { ManifestRule, PodSecurityLevel } from './rules'
