/**
 * A file as containerd reads it (contrib/seccomp/seccomp.go: json.Unmarshal into the runtime-spec's
 * type): plain OCI, without the config.json around it. What only Docker knows has no effect, which
 * turns a conditional entry into one that always holds.
 */
import type { At, Reading } from '../reading'
import type { Profile } from '../types'
import { readContainerProfile } from './container'
import { OCI } from './oci'

export const readContainerd = (reading: Reading, at: At): Omit<Profile, 'faults'> =>
  readContainerProfile(reading, at, { ...OCI, dialect: 'containerd' })
