/**
 * `node --import seccomp-ts/register app.js` (or `-r`): the lockdown happens before the first line
 * of the program. Anything that goes wrong throws, and Node then starts nothing.
 */
import { isMainThread } from 'node:worker_threads'
import { lockdown } from './lockdown/lockdown'
import { findPolicy } from './lockdown/policy-source'

// Preloads run in every Worker too, and those were born under the filter of their process.
if (isMainThread) {
  const { policy, options } = findPolicy(process.env, process.argv[1])
  lockdown(policy, options)
}
