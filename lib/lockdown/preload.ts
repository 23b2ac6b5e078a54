import { native } from '../native'
import { lockdown } from './lockdown'
import { findPolicy } from './policy-source'

/**
 * The lockdown before the first line of a program, by the policy named from outside
 * (policy-source.ts). Anything that goes wrong throws, and Node then starts nothing.
 */
export function lockdownAtStart(): void {
  if (!onMainThread()) return
  const { policy, options } = findPolicy(process.env, process.argv[1])
  lockdown(policy, options)
}

/** Preloads run in every Worker too, and those were born under the filter of their process. */
function onMainThread(): boolean {
  // Loading node:worker_threads takes longer than the whole lockdown.
  if (process.platform === 'linux') return native().onMainThread()
  return (require('node:worker_threads') as typeof import('node:worker_threads')).isMainThread
}
