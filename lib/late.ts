import { LockdownError } from './errors'
import { native } from './native'

/**
 * Loads code on first use, and says what it means if that is no longer possible.
 *
 * @throws LockdownError ERR_LATE_LOAD
 */
export function loadLate(load: () => unknown): unknown {
  try {
    return load()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LockdownError('ERR_LATE_LOAD', {
      problem: `a part of seccomp-ts that is loaded on first use could not be loaded (${reason})`,
      hint: 'A policy in force may forbid opening files: call definePolicy or readProfile for what comes later before the first lockdown.',
      cause,
    })
  }
}

/** What a file of this package that is loaded late exports beside its functions. */
interface Part {
  takeNativeFrom(other: typeof native): void
}

/** The same for a file of this package. @throws LockdownError ERR_LATE_LOAD */
export function loadPart(load: () => unknown): unknown {
  const part = loadLate(load) as Part
  part.takeNativeFrom(native)
  return part
}
