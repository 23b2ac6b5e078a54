/**
 * linux.seccomp of the OCI runtime-spec (config-linux.md), bare or in a config.json.
 *
 * A config.json has much that is not about seccomp; of it, only the way to the profile is read.
 */
import type { At, Reading } from '../reading'
import type { Profile } from '../types'
import {
  OCI_ENTRY_KEYS,
  OCI_PROFILE_KEYS,
  readContainerProfile,
  UNKNOWN_TO_OCI,
  type ContainerDialect,
} from './container'

export const OCI: ContainerDialect = {
  dialect: 'oci',
  profile: { what: 'an OCI seccomp profile', known: OCI_PROFILE_KEYS, ignored: UNKNOWN_TO_OCI },
  entry: { what: 'an entry', known: OCI_ENTRY_KEYS, ignored: UNKNOWN_TO_OCI },
}

/** The seccomp profile of a config.json, or the value itself where it is none. */
export function profileIn(at: At): At | undefined {
  const linux = member(at, 'linux')
  return linux === undefined ? undefined : member(linux, 'seccomp')
}

function member({ node, path }: At, key: string): At | undefined {
  if (node.kind !== 'map') return undefined
  const found = node.members.filter((each) => each.key === key)
  const [first] = found
  // Twice: whoever reads it decides, and says so (Reading.fields).
  return first === undefined ? undefined : { node: first.value, path: `${path}.${key}` }
}

export const readOci = (
  reading: Reading,
  at: At,
  dialect: Partial<ContainerDialect> = {},
): Omit<Profile, 'faults'> =>
  readContainerProfile(reading, profileIn(at) ?? at, { ...OCI, ...dialect })
