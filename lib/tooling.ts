/**
 * All work on profiles: a file of its own (dist/tooling.js), loaded by deferred.ts when somebody asks for
 * something in it. Nothing here is needed to lock down.
 *
 * One object, for the reason that on-demand.ts has.
 */
import { takeNativeFrom } from './native'
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
  convert,
  explain,
  fromOci,
  lint,
  readProfile,
  resolveProfile,
  takeNativeFrom,
  toOci,
  toSarif,
}

export = tooling
