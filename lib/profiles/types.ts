/**
 * A profile of any dialect, read and not yet resolved: what its entries say, and where. Values are
 * exact (bigint, since registers have 64 bits), so this is a structure to work with and not a file
 * format.
 */
import type { ProfileFinding, ProfilePlace } from '../errors'
import type { Policy } from '../policy'

export type Dialect =
  /** linux.seccomp of the OCI runtime-spec, alone or in a config.json. runc and crun read this. */
  | 'oci'
  /** What `docker run --security-opt seccomp=` takes, in the old form (`name`) or the new. */
  | 'moby'
  /** Podman's, Buildah's and CRI-O's: as moby's, with errnos by name and without minKernel. */
  | 'containers-common'
  /**
   * How containerd reads a file: as plain OCI, so that what only Docker knows has no effect. Never
   * detected, since any OCI profile is one.
   */
  | 'containerd'
  /** SeccompProfile of the security-profiles-operator, v1beta1 and v1. */
  | 'spo'
  /** What `ig advise seccomp-profile` prints: OCI below a comment that names the container. */
  | 'inspektor-gadget'
  /** What oci-seccomp-bpf-hook writes: containers-common with one sorted entry. */
  | 'oci-seccomp-bpf-hook'
  /** SystemCallFilter= and its companions of a systemd unit. */
  | 'systemd'
  /** A policy of this package. */
  | 'seccomp-ts'

export type ProfileAction =
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_NOTIFY'

export type ProfileOperator =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ'

/** What one argument is compared with. */
export interface ProfileArg {
  readonly place: ProfilePlace
  /** 0 … 5 in a profile that can be resolved; as it was written otherwise. */
  readonly index: number
  /** Of SCMP_CMP_MASKED_EQ the mask. */
  readonly value: bigint
  /** Of SCMP_CMP_MASKED_EQ what must be left after masking; unused otherwise. */
  readonly valueTwo: bigint
  readonly op: ProfileOperator
}

/** When an entry holds (`includes`), or does not (`excludes`). */
export interface ProfileConditions {
  readonly place: ProfilePlace
  readonly caps: readonly string[]
  /** In Go's names: `amd64`, `arm64`. */
  readonly arches: readonly string[]
  /** `'5.10'` */
  readonly minKernel?: string
}

/** Some calls, and what happens to them. */
export interface ProfileEntry {
  readonly place: ProfilePlace
  readonly names: readonly string[]
  readonly action: ProfileAction
  /** Of SCMP_ACT_ERRNO, or the datum of SCMP_ACT_TRACE; where it is not given, 1 is used. */
  readonly errno?: number
  readonly args: readonly ProfileArg[]
  readonly includes?: ProfileConditions
  readonly excludes?: ProfileConditions
  readonly comment?: string
}

export interface ProfileArchitecture {
  readonly place: ProfilePlace
  readonly architecture: string
  readonly subArchitectures: readonly string[]
}

export interface Profile {
  readonly dialect: Dialect
  readonly name?: string
  /** Where the profile itself stands in its text. */
  readonly place: ProfilePlace
  /** Undefined where none was given: no filter at all for runc and Docker, if there is no entry. */
  readonly defaultAction?: ProfileAction
  readonly defaultErrno?: number
  readonly architectures?: readonly string[]
  readonly archMap?: readonly ProfileArchitecture[]
  readonly flags?: readonly string[]
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly entries: readonly ProfileEntry[]
  /** Findings of severity `error`: what keeps it from being resolved without a runtime. */
  readonly faults: readonly ProfileFinding[]
  /**
   * Of dialect `seccomp-ts`, the policy as it was written; `entries` is empty then, since its rules
   * know names and widths that no other dialect has.
   */
  readonly policy?: Policy
}
