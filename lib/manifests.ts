/**
 * All work on Kubernetes manifests: a file of its own (dist/manifests.js), as tooling.ts is one, which it
 * asks for where it reads or writes a profile.
 *
 * One object, for the reason that on-demand.ts has.
 */
import { bundleProfile, checkManifests, fixManifests, migrateManifests } from './kubernetes'
import { takeNativeFrom } from './native'

const manifests = {
  bundleProfile,
  checkManifests,
  fixManifests,
  migrateManifests,
  takeNativeFrom,
}

export = manifests
