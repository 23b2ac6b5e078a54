import { LockdownError, type ThreadState } from '../errors'
import { IO_URING_ENTER, native, type Native } from '../native'
import { serialise } from '../policy/serialise'
import { toThreadState } from './install'

/** Something the filter does not cover. */
export interface Risk {
  /** Stable, machine-readable. */
  readonly code:
    | 'not-enforced'
    | 'io-uring-enter'
    | 'io-uring-unknown'
    | 'new-privileges'
    | 'speculation'
    | 'unproved'
    | 'census-stale'
    | 'filters-uncounted'
  readonly description: string
}

/** What became of libuv's io_urings. */
export interface IoUringStatus {
  /** Rings this process has open now; -1 where it cannot be seen. */
  readonly rings: number
  /**
   * `none`: there were none. `retired`: libuv dropped them. `reexec`: the program was executed
   * again without them. `allowed`: the policy or the caller left io_uring_enter usable.
   */
  readonly cure: 'none' | 'retired' | 'reexec' | 'allowed'
}

/** What the kernel holds this process to. */
export interface Status {
  /** True when a lockdown of this package is in force on every thread. */
  readonly enforced: boolean
  /** `Seccomp:` of this process: `filter` also when only a container's filter is on. */
  readonly mode: ThreadState['mode']
  /** Filters on this process, ours and those it was started under; -1 before Linux 5.9. */
  readonly filters: number
  /** Lockdowns of this package among them. */
  readonly lockdowns: number
  readonly noNewPrivs: boolean
  /** Every program that was installed here was proved to do what its policy says; nobody waived that. */
  readonly proved: boolean
  /** Names of the policies in force, oldest first. */
  readonly policies: readonly string[]
  readonly threads: readonly ThreadState[]
  readonly ioUring: IoUringStatus
  readonly risks: readonly Risk[]
  /** With `listener: true`: the descriptor on which `notify` calls wait for an answer. */
  readonly listener?: number
}

/**
 * What `lockdown` did, kept for `status()`: some of it cannot be asked of the kernel again. It is
 * kept by the addon, because a filter is the process's and a module is only its thread's.
 */
export interface Lockdown {
  readonly policy: string
  readonly proved: boolean
  readonly threads: readonly ThreadState[]
  readonly ioUring: IoUringStatus
  readonly risks: readonly Risk[]
  readonly listener?: number
}

export const remember = (lockdown: Lockdown): void => {
  // Not JSON.stringify: it would ask a polluted prototype for a toJSON method.
  native().note(serialise(lockdown))
}

/** What was done last about the rings, and still holds. */
function cureOf(lockdowns: readonly Lockdown[], sealed: boolean): IoUringStatus['cure'] {
  const cures = lockdowns.map(({ ioUring }) => ioUring.cure)
  return cures.findLast((cure) => cure !== 'none' && !(sealed && cure === 'allowed')) ?? 'none'
}

/** A risk the platform imposes on a caller who accepted to run unprotected. */
export const unprotected = (reason: string): Status =>
  Object.freeze({
    enforced: false,
    mode: 'disabled',
    filters: 0,
    lockdowns: 0,
    noNewPrivs: false,
    proved: false,
    policies: [],
    threads: [],
    ioUring: { rings: -1, cure: 'none' },
    risks: [{ code: 'not-enforced', description: `Nothing is enforced: ${reason}` }],
  } satisfies Status)

/**
 * What is in force now, from the kernel's own books. Where the policy in force forbids reading
 * them, what was seen when it was installed, and a `census-stale` risk says so. Never throws for
 * want of a platform: off Linux it reports that nothing is enforced.
 */
export function status(): Status {
  let addon: Native
  try {
    addon = native()
  } catch (error) {
    if (error instanceof LockdownError) return unprotected(error.message)
    throw error
  }
  const census = addon.census()
  return describe(addon, census.error === 0 ? census.threads.map(toThreadState) : undefined)
}

/** `status()` for who has just looked at every thread. */
export const statusOf = (threads: readonly ThreadState[]): Status => describe(native(), threads)

function describe(addon: Native, census: readonly ThreadState[] | undefined): Status {
  const lockdowns = addon.notes().map((note) => JSON.parse(note) as Lockdown)
  const newest = lockdowns.at(-1)
  const threads = census ?? newest?.threads ?? []
  const own = threads[0]
  const sealed = newest !== undefined && !addon.permits(IO_URING_ENTER)
  const risks = lockdowns
    .flatMap((each) => each.risks)
    // A later lockdown, or an earlier one, has closed that.
    .filter(({ code }) => !(sealed && code === 'io-uring-enter'))
  if (newest === undefined) {
    risks.push({
      code: 'not-enforced',
      description: 'lockdown() was not called in this process, or not with success.',
    })
  }
  if (census === undefined) {
    risks.push({
      code: 'census-stale',
      description:
        '/proc cannot be read, or the policy in force denies it: the threads are those seen when it was installed.',
    })
  }
  const everyThread = threads.length > 0 && threads.every((thread) => thread.mode === 'filter')
  return Object.freeze({
    enforced: newest !== undefined && everyThread,
    mode: own?.mode ?? 'disabled',
    filters: own?.filters ?? -1,
    lockdowns: lockdowns.length,
    noNewPrivs: own?.noNewPrivs ?? false,
    proved: newest !== undefined && lockdowns.every((each) => each.proved),
    policies: lockdowns.map((each) => each.policy),
    threads,
    ioUring: { rings: newest?.ioUring.rings ?? -1, cure: cureOf(lockdowns, sealed) },
    risks,
    ...(newest?.listener === undefined ? {} : { listener: newest.listener }),
  } satisfies Status)
}
