/**
 * Docker's dialect: OCI and archMap, and entries that hold under conditions. moby/profiles
 * seccomp/seccomp.go; the old form has one `name` an entry.
 */
import type { At, Reading } from '../reading'
import type { Profile } from '../types'
import {
  OCI_ENTRY_KEYS,
  OCI_PROFILE_KEYS,
  readContainerProfile,
  type ContainerDialect,
} from './container'

export const MOBY: ContainerDialect = {
  dialect: 'moby',
  profile: {
    what: 'a Docker seccomp profile',
    known: [...OCI_PROFILE_KEYS, 'archMap'],
    ignored: new Map([
      [
        'defaultErrno',
        { severity: 'error', consequence: "is Podman's, and passed over by Docker" },
      ],
    ]),
  },
  entry: {
    what: 'an entry',
    known: [...OCI_ENTRY_KEYS, 'name', 'comment', 'includes', 'excludes'],
    ignored: new Map([
      ['errno', { severity: 'error', consequence: "is Podman's, and passed over by Docker" }],
    ]),
  },
  conditions: { what: 'a condition', known: ['caps', 'arches', 'minKernel'] },
}

export const readMoby = (reading: Reading, at: At): Omit<Profile, 'faults'> =>
  readContainerProfile(reading, at, MOBY)
