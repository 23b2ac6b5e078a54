import { LockdownError, type ErrorCode, type ThreadState } from '../errors'
import { native, type Native } from '../native'

/** What this kernel, container and process offer. Nothing is changed by asking. */
export interface ProbeReport {
  /** `lockdown()` can be expected to work here. */
  readonly supported: boolean
  /** Why not. */
  readonly reason?: { readonly code: ErrorCode; readonly message: string }
  readonly platform: NodeJS.Platform
  readonly arch: string
  readonly kernel: string
  readonly mode: ThreadState['mode'] | 'unknown'
  readonly noNewPrivs: boolean
  /** SECCOMP_FILTER_FLAG_*, seccomp(2). */
  readonly flags: Readonly<Record<string, boolean>>
  /** SECCOMP_RET_*, by this package's names. */
  readonly actions: Readonly<Record<string, boolean>>
  readonly ioUring: {
    /** Rings this process has open; -1 where it cannot be seen. */
    readonly rings: number
    /** sysctl kernel.io_uring_disabled (Linux 6.6): 0 allowed, 1 for the privileged, 2 nobody. */
    readonly disabled?: number
  }
}

export function probe(): ProbeReport {
  const { release } = require('node:os') as typeof import('node:os')
  const base = { platform: process.platform, arch: process.arch, kernel: release() }
  let addon: Native
  try {
    addon = native()
  } catch (error) {
    if (!(error instanceof LockdownError)) throw error
    return Object.freeze({
      ...base,
      supported: false,
      reason: { code: error.code, message: error.message },
      mode: 'unknown',
      noNewPrivs: false,
      flags: {},
      actions: {},
      ioUring: { rings: -1 },
    } satisfies ProbeReport)
  }
  const answer = addon.probe()
  const rings = addon.rings()
  const disabled = answer.ioUringDisabled
  const refusal = refusalOf(answer.seccomp, answer.mode, answer.flags.tsync)
  return Object.freeze({
    ...base,
    supported: refusal === undefined,
    ...(refusal === undefined ? {} : { reason: refusal }),
    mode: (['disabled', 'strict', 'filter'] as const)[answer.mode] ?? 'unknown',
    noNewPrivs: answer.noNewPrivs === 1,
    flags: toBooleans(answer.flags),
    actions: toBooleans(answer.actions),
    ioUring: {
      rings: rings.known ? rings.fds.length : -1,
      // Before Linux 6.6 there is no such setting, and a policy may forbid reading it.
      ...(disabled < 0 ? {} : { disabled }),
    },
  } satisfies ProbeReport)
}

export const isSupported = (): boolean => probe().supported

function refusalOf(
  seccomp: number,
  mode: number,
  tsync: number,
): { code: ErrorCode; message: string } | undefined {
  if (seccomp !== 0) {
    return mode === 2
      ? { code: 'ERR_SECCOMP_DENIED', message: 'a filter already in force refuses seccomp(2)' }
      : { code: 'ERR_UNSUPPORTED_KERNEL', message: 'this kernel has no seccomp filters' }
  }
  return tsync === 0
    ? undefined
    : { code: 'ERR_UNSUPPORTED_KERNEL', message: 'this kernel does not know TSYNC (Linux 3.17)' }
}

const toBooleans = (answers: Readonly<Record<string, number>>): Record<string, boolean> =>
  Object.fromEntries(Object.entries(answers).map(([name, error]) => [name, error === 0]))
