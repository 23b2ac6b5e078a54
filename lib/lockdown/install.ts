/** The end of an installation: done, or the error that says why not. */
import { installFailure } from '../deferred'
import { LockdownError, type ThreadState } from '../errors'
import { native, type NativeInstallation, type NativeThread } from '../native'

const MODES = ['disabled', 'strict', 'filter'] as const

export const toThreadState = (thread: NativeThread): ThreadState =>
  Object.freeze({ ...thread, mode: MODES[thread.mode] ?? 'disabled' })

/** For messages about a thread that stood in the way: it was not filtered, so neither are we. */
const threadName = (tid: number): string =>
  native()
    .census()
    .threads.find((thread) => thread.tid === tid)?.name ?? '?'

/** @throws LockdownError unless the outcome is `installed` */
export function checkInstalled(result: NativeInstallation): void {
  const { outcome } = result
  if (outcome === 'installed') return
  let failure: LockdownError
  try {
    failure = installFailure(outcome, result, threadName)
  } catch (cause) {
    // The words for it could not be loaded: whether a filter is in place must be told all the same.
    failure = new LockdownError('ERR_INSTALL', {
      problem: `the filter could not be installed, or not be shown to be whole (${outcome})`,
      installed: outcome === 'censusIncomplete' || outcome === 'threadUnfiltered',
      cause,
    })
  }
  throw failure
}
