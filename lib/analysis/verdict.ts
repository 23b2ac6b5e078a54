/** What a return value means: SECCOMP_RET_* of linux/seccomp.h, as kernel/seccomp.c reads them. */
import { RETURN_VALUE, type ActionName } from '../policy'
import { errnoName, type ErrnoName } from '../syscalls'
import { textOf } from './verdict-text'

/** SECCOMP_RET_ACTION_FULL and SECCOMP_RET_DATA. */
const ACTION = 0xffff0000
const DATA = 0x0000ffff

/** linux/err.h: seccomp(2) fails with no errno above it. */
const MAX_ERRNO = 4095

const { allow: RET_ALLOW, errno: ERRNO, kill: KILL } = RETURN_VALUE

const NAMES: ReadonlyMap<number, ActionName> = new Map(
  (Object.keys(RETURN_VALUE) as ActionName[]).map((name) => [RETURN_VALUE[name], name]),
)

/** Where the kernel does not look at the data: __seccomp_filter. */
const WITHOUT_DATA: ReadonlySet<ActionName> = new Set(['notify', 'log', 'allow'])

/**
 * The return value that stands for all those of the same effect: errnos are clamped, data that
 * nobody sees is 0, and an action the kernel does not know kills the process.
 */
export function verdictOf(value: number): number {
  // What almost every program returns.
  if (value === RET_ALLOW) return value
  const action = (value & ACTION) >>> 0
  const name = NAMES.get(action)
  if (name === undefined) return KILL
  if (WITHOUT_DATA.has(name)) return action
  return action === ERRNO ? ERRNO + Math.min(value & DATA, MAX_ERRNO) : value
}

/** How much a verdict permits: of two filters the kernel obeys the lesser, compared as signed. */
export const permissiveness = (verdict: number): number => (verdict & ACTION) | 0

/** Whether the call runs. Everything else is a restriction. */
export const runs = (verdict: number): boolean => permissiveness(verdict) >= 0x7ffc0000

/** An action in the words of a policy. */
export interface Verdict {
  readonly action: ActionName
  /** `errno` only: by name, where it has one. */
  readonly errno?: ErrnoName | number
  /** SECCOMP_RET_DATA of `trace`, and of others where it is not 0. */
  readonly data?: number
}

/** A return value in the words of a policy. */
export function describeVerdict(value: number): Verdict {
  const verdict = verdictOf(value)
  const action = NAMES.get((verdict & ACTION) >>> 0) ?? 'kill'
  const data = verdict & DATA
  if (action === 'errno') return { action, errno: errnoName(data) ?? data }
  return action === 'trace' || data !== 0 ? { action, data } : { action }
}

/** `allow`, `errno(EPERM)`, `trace(9)`. */
export const verdictText = (value: number): string => textOf(describeVerdict(value))
