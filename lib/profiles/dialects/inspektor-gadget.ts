/**
 * What `ig advise seccomp-profile` prints: a line `// container`, then OCI as JSON. The comment makes it
 * no JSON: it has to be taken out before any runtime written in Go reads it.
 */
import type { At, Reading } from '../reading'
import type { Profile } from '../types'
import { readOci } from './oci'

export const readInspektorGadget = (reading: Reading, at: At): Omit<Profile, 'faults'> =>
  readOci(reading, at, { dialect: 'inspektor-gadget' })
