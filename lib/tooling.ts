/**
 * All work on what other tools wrote, profiles and logs: a file of its own (dist/tooling.js), loaded by
 * deferred.ts when somebody asks for something in it. Nothing here is needed to lock down.
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
import { auditLog, diagnose, policyFromLog, readLog, summarise } from './recording'

const tooling = {
  auditLog,
  builtInPolicies,
  builtInPolicy,
  bundleProfile,
  checkManifests,
  convert,
  diagnose,
  fixManifests,
  fromOci,
  migrateManifests,
  policyFromLog,
  readLog,
  readProfile,
  resolveProfile,
  summarise,
  toOci,
}

export = tooling
