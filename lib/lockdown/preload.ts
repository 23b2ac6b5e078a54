import { LockdownError } from '../errors'
import { native } from '../native'
import { lockdown } from './lockdown'
import { findPolicy } from './policy-source'

/**
 * The lockdown before the first line of a program, by the policy named from outside
 * (policy-source.ts). Anything that goes wrong throws, and Node then starts nothing.
 */
export function lockdownAtStart(): void {
  if (!onMainThread()) {
    requireLockdown()
    return
  }
  const { policy, options } = findPolicy(process.env, process.argv[1])
  lockdown(policy, options)
}

function requireLockdown(): void {
  if (process.platform !== 'linux' || native().notes().length > 0) return
  throw new LockdownError('ERR_WORKER_PRELOAD', {
    problem: 'seccomp-ts/register was loaded by a Worker of a process that is not locked down',
    hint: 'Give it to node itself: a policy is for a process. Or call lockdown in the Worker.',
  })
}

/** Preloads run in every Worker too, and those were born under the filter of their process. */
function onMainThread(): boolean {
  // Loading node:worker_threads takes longer than the whole lockdown.
  if (process.platform === 'linux') return native().onMainThread()
  return (require('node:worker_threads') as typeof import('node:worker_threads')).isMainThread
}
