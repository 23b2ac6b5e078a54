/**
 * SeccompProfile of the security-profiles-operator, v1beta1 and v1 (the same fields), in YAML or JSON.
 * What counts is what the operator writes for the runtime: internal/pkg/daemon/seccompprofile and its
 * seccomp_convert.go.
 */
import { nameOf } from '../dialect'
import type { At, Reading } from '../reading'
import type { Profile } from '../types'
import {
  OCI_ENTRY_KEYS,
  OCI_PROFILE_KEYS,
  readContainerProfile,
  UNKNOWN_TO_OCI,
  type ContainerDialect,
} from './container'

const SPO: ContainerDialect = {
  dialect: 'spo',
  profile: {
    what: 'the spec of a SeccompProfile',
    known: [
      ...OCI_PROFILE_KEYS.filter((key) => key !== 'defaultErrnoRet'),
      ...['baseProfileName', 'disabled'],
    ],
    ignored: new Map([
      ...UNKNOWN_TO_OCI,
      [
        'defaultErrnoRet',
        { severity: 'error', consequence: 'is not in a SeccompProfile: the errno is EPERM' },
      ],
    ]),
  },
  entry: { what: 'an entry', known: OCI_ENTRY_KEYS, ignored: UNKNOWN_TO_OCI },
  knowsNative: true,
  namesAreSet: true,
}

const DOCUMENT = {
  what: 'a SeccompProfile',
  known: ['apiVersion', 'kind', 'metadata', 'spec', 'status'],
}

/** The CRD's: int64, from 0. */
const INT64_MAX = 0x7fff_ffff_ffff_ffffn

export function readSpo(reading: Reading, at: At): Omit<Profile, 'faults'> {
  const fields = reading.fields(at, DOCUMENT)
  const spec = fields?.get('spec')
  if (fields === undefined || spec === undefined) {
    if (fields !== undefined) reading.fault('missing-key', at, "there is no 'spec'")
    return { dialect: 'spo', place: reading.place(at), entries: [] }
  }
  const profile = readContainerProfile(reading, spec, SPO)
  const name = nameOf(at.node)
  checkSpec(reading, spec)
  return {
    ...profile,
    ...(name === undefined ? {} : { name }),
    entries: profile.entries.map(({ errno, ...entry }) => {
      for (const arg of entry.args) {
        if (arg.value <= INT64_MAX && arg.valueTwo <= INT64_MAX) continue
        const message = 'the CRD takes no value of 2^63 and more (int64)'
        if (reading.manners !== 'strict') throw reading.refusal(arg.place, message)
        reading.report('error', 'number-range', arg.place, message)
      }
      // errnoRetToOCI: 0 is not passed on, and the runtime then takes EPERM.
      if (errno === 0) {
        const message = 'errnoRet 0 is not passed on by the operator: the errno is EPERM'
        reading.report('error', 'errno-dropped', entry.place, message)
        return entry
      }
      return errno === undefined ? entry : { ...entry, errno }
    }),
  }
}

function checkSpec(reading: Reading, { node, path }: At): void {
  if (node.kind !== 'map') return
  for (const { key, value } of node.members) {
    const at = { node: value, path: `${path}.${key}` }
    if (key === 'baseProfileName' && value.kind === 'string' && value.value !== '') {
      const message = `the profile adds to '${value.value}', which is not in this text`
      if (reading.manners !== 'strict') throw reading.undetermined(at, message)
      reading.report('error', 'base-profile', reading.place(at), message)
    }
    if (key === 'disabled' && value.kind === 'boolean' && value.value) {
      const message = 'the profile is disabled: the operator installs nothing'
      if (reading.manners !== 'strict') throw reading.undetermined(at, message)
      reading.report('error', 'disabled', reading.place(at), message)
    }
  }
}
