import { LockdownError, PolicyError } from '../errors'
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
  const { policy, options, origin } = findPolicy(process.env, process.argv[1])
  try {
    lockdown(policy, options)
  } catch (error) {
    // The error names a place in the policy, and not where that came from.
    if (error instanceof PolicyError) {
      const message = `${origin}: ${error.message}`
      if (error.stack !== undefined) error.stack = error.stack.replace(error.message, () => message)
      error.message = message
    }
    throw error
  }
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
