/**
 * All work on profiles and manifests: a file of its own (dist/tooling.js), loaded by deferred.ts when somebody asks for
 * something in it. Nothing here is needed to lock down.
 *
 * One object, for the reason that on-demand.ts has.
 */
import { bundleProfile, checkManifests, fixManifests, migrateManifests } from './kubernetes'
import {
  builtInPolicies,
  builtInPolicy,
  convert,
  fromOci,
  readProfile,
  resolveProfile,
  toOci,
} from './profiles'
import { explain, lint, toSarif } from './review'

const tooling = {
  builtInPolicies,
  builtInPolicy,
  bundleProfile,
  checkManifests,
  convert,
  explain,
  fixManifests,
  fromOci,
  lint,
  migrateManifests,
  readProfile,
  resolveProfile,
  toOci,
  toSarif,
}

export = tooling
