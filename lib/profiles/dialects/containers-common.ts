/**
 * The dialect of Podman, Buildah and CRI-O: as moby's, but errnos may stand by name, and minKernel is
 * not known. containers/common pkg/seccomp/types.go.
 */
import type { At, Reading } from '../reading'
import type { Dialect, Profile } from '../types'
import { readContainerProfile, type ContainerDialect } from './container'
import { MOBY } from './moby'

const CONTAINERS_COMMON: ContainerDialect = {
  dialect: 'containers-common',
  profile: {
    what: 'a Podman seccomp profile',
    known: [...MOBY.profile.known, 'defaultErrno'],
  },
  entry: { what: 'an entry', known: [...MOBY.entry.known, 'errno'] },
  conditions: {
    what: 'a condition',
    known: ['caps', 'arches'],
    ignored: new Map([
      [
        'minKernel',
        { severity: 'error', consequence: 'is passed over: the entry holds for every kernel' },
      ],
    ]),
  },
  knowsNative: true,
}

export const readContainersCommon = (
  reading: Reading,
  at: At,
  dialect: Dialect = 'containers-common',
): Omit<Profile, 'faults'> => readContainerProfile(reading, at, { ...CONTAINERS_COMMON, dialect })
