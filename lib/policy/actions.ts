/** Actions: what the kernel does with a call. seccomp(2), "SECCOMP_RET_*". */
import type { ErrnoName } from '../syscalls'

export type ActionName =
  'allow' | 'errno' | 'kill' | 'killThread' | 'trap' | 'trace' | 'log' | 'notify'

/** What every rule carries, conditional or not. */
interface ActionFields {
  readonly action: ActionName
  /** `errno` only: what the caller sees in errno, a name or 0 … 4094. */
  readonly errno?: ErrnoName | number
  /** `trace` only: SECCOMP_RET_DATA for the tracer, 0 … 65535. */
  readonly data?: number
}

declare const argumentNames: unique symbol

/** An action that holds when all its conditions do. */
export interface ConditionalAction<C> extends ActionFields {
  readonly when: C
  /**
   * Carries the argument names in the type alone. Without it, TypeScript would accept a misspelt
   * argument next to a right one, since a value with more properties is assignable to fewer.
   */
  readonly [argumentNames]?: keyof C
}

/** An action without conditions: it holds always. */
export interface Action extends ActionFields {
  /** The same action, only when every one of these arguments compares as asked. */
  when<const C extends object>(conditions: C): ConditionalAction<C>
}

/** As `Action`, for policies that were written as data (JSON) and so have no methods. */
export interface ActionData extends ActionFields {
  readonly when?: never
}

/** Not enumerable, so that an action is plain data to whoever reads it. */
function when<const C extends object>(this: ActionFields, conditions: C): ConditionalAction<C> {
  return Object.freeze({ ...this, when: Object.freeze({ ...conditions }) })
}

const toAction = (fields: ActionFields): Action =>
  Object.freeze(Object.defineProperty({ ...fields }, 'when', { value: when })) as Action

/** The call runs. SECCOMP_RET_ALLOW. */
export const allow: Action = toAction({ action: 'allow' })

/**
 * The call does not run and fails with this errno. SECCOMP_RET_ERRNO.
 * `errno(0)` makes it look as if it had succeeded.
 */
export const errno = (error: ErrnoName | number): Action =>
  toAction({ action: 'errno', errno: error })

/** The whole process dies at once, by SIGSYS, as with a core dump. SECCOMP_RET_KILL_PROCESS, 4.14. */
export const kill: Action = toAction({ action: 'kill' })

/**
 * The calling thread dies. SECCOMP_RET_KILL_THREAD.
 *
 * Not for Node: a libuv pool thread that dies leaves its promise pending for ever, and the process
 * hangs. It exists so that foreign profiles can be expressed.
 */
export const killThread: Action = toAction({ action: 'killThread' })

/**
 * The thread receives SIGSYS and the call does not run. SECCOMP_RET_TRAP.
 *
 * Without a native handler the process dies. `process.on('SIGSYS')` is not one: libuv's handler
 * returns, and the call then appears to have succeeded with its own number as the result.
 */
export const trap: Action = toAction({ action: 'trap' })

/** A ptracer is told, with this datum; without one the call fails with ENOSYS. SECCOMP_RET_TRACE. */
export const trace = (data: number): Action => toAction({ action: 'trace', data })

/** The call runs and the kernel writes an audit line. SECCOMP_RET_LOG, 4.14. */
export const log: Action = toAction({ action: 'log' })

/** A supervisor decides (`listener: true`); without one: ENOSYS. SECCOMP_RET_USER_NOTIF, 5.0. */
export const notify: Action = toAction({ action: 'notify' })
