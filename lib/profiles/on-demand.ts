/**
 * What of this room is bundled as dist/profiles.js, and loaded by deferred.ts. One object, for the reason
 * that lib/on-demand.ts has.
 */
import { fromOci } from './from-oci'
import { readProfile } from './read'
import { resolveProfile } from './resolve'

const profiles = { fromOci, readProfile, resolveProfile }

export = profiles
