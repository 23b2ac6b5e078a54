/**
 * The addon: loaded on first use, from one place. Importing the package never touches it, so that
 * it can be imported, and policies written and checked, on every platform.
 */
import { LockdownError } from './errors'

export interface NativeThread {
  readonly tid: number
  readonly name: string
  readonly mode: number
  readonly filters: number
  readonly noNewPrivs: boolean
}

export type NativeCompilation =
  | { readonly outcome: 'program'; readonly program: Buffer }
  | { readonly outcome: 'malformed'; readonly message: string; readonly offset: number }
  | {
      readonly outcome: 'tooLarge'
      readonly instructions: number
      readonly contributors: readonly {
        readonly auditArch: number
        readonly number: number
        readonly instructions: number
      }[]
    }

export interface NativeInstallation {
  readonly outcome:
    | 'installed'
    | 'invalidProgram'
    | 'censusUnavailable'
    | 'threadDiverged'
    | 'noSeccomp'
    | 'denied'
    | 'unsupportedAction'
    | 'unsupportedFlag'
    | 'noNewPrivsRefused'
    | 'needsNoNewPrivs'
    | 'listenerBusy'
    | 'threadSync'
    | 'seccompFailed'
    | 'censusIncomplete'
    | 'threadUnfiltered'
  readonly error: number
  readonly tid: number
  readonly detail: number
  readonly listener: number
  readonly threads: readonly NativeThread[]
}

export interface NativeInstallOptions {
  readonly noNewPrivs: boolean
  readonly log: boolean
  readonly specAllow: boolean
  readonly listener: boolean
}

/** Every number: 0 for yes, else the errno that said no. */
export interface NativeProbe {
  readonly seccomp: number
  readonly flags: Readonly<
    Record<'tsync' | 'tsyncEsrch' | 'log' | 'specAllow' | 'newListener', number>
  >
  readonly actions: Readonly<
    Record<'kill' | 'killThread' | 'trap' | 'errno' | 'notify' | 'trace' | 'log' | 'allow', number>
  >
  /** prctl(PR_GET_SECCOMP), or a negative errno. */
  readonly mode: number
  /** prctl(PR_GET_NO_NEW_PRIVS), or a negative errno. */
  readonly noNewPrivs: number
  /** sysctl kernel.io_uring_disabled, or -1 where it cannot be read. */
  readonly ioUringDisabled: number
}

export interface NativeRings {
  /** False: /proc could not be read, and nothing else here means anything. */
  readonly known: boolean
  /** Descriptors, mappings and SQPOLL threads, each of which keeps a ring alive. */
  readonly fds: readonly number[]
  readonly mappings: number
  readonly sqpollThreads: readonly number[]
}

export interface NativeRetirement {
  /** Empty when every ring is gone. */
  readonly refusal: string
  readonly retired: number
  readonly fds: readonly number[]
  readonly tids: readonly number[]
}

/** io_uring_enter(2) has one number on every architecture. */
export const IO_URING_ENTER = 426

/** What native/addon.cc exports. */
export interface Native {
  compile(rules: Uint32Array): NativeCompilation
  install(program: Uint8Array, options: NativeInstallOptions): NativeInstallation
  /** `error` is an errno, or 0; with one, the threads are those that the last installation saw. */
  census(): { readonly error: number; readonly threads: readonly NativeThread[] }
  probe(): NativeProbe
  /** Whether every filter this process installed itself lets the call through. */
  permits(number: number, ...args: readonly number[]): boolean
  /** Keeps a text for the life of the process; `notes()` has them, oldest first, on every thread. */
  note(text: string): void
  notes(): string[]
  /** Whether this is the thread the process began with: not a Worker. */
  onMainThread(): boolean
  rings(): NativeRings
  retireRings(): NativeRetirement
  planReexec(): {
    /** Empty, or why the program cannot be executed again. */
    readonly blocker: string
    readonly stdinConsumed: boolean
    readonly children: number
  }
  /** Executes the program again, with these `NAME=value` added. Returns only to say an errno. */
  reexec(variables: readonly string[]): number
  /**
   * Puts a program on this thread and executes a file, with these arguments and this environment, in
   * the place of this process. Returns only where no filter was installed.
   */
  exec(
    program: Uint8Array,
    path: string,
    args: readonly string[],
    environment: readonly string[],
    options: { readonly log: boolean },
  ): NativeInstallation
  /** A socket of which each read is an audit record, or a negative errno. */
  openAuditLog(): number
  evaluate(program: Uint8Array, auditArch: number, number: number, args: BigUint64Array): number
}

let loaded: Native | undefined
let source = load

/** @throws LockdownError ERR_UNSUPPORTED_PLATFORM, ERR_UNSUPPORTED_ARCH, ERR_ADDON_LOAD */
export function native(): Native {
  loaded ??= source()
  return loaded
}

/**
 * For the files of the package that are loaded late: the addon is asked of the one that loaded them, since
 * a policy in force may forbid opening it again.
 */
export const takeNativeFrom = (other: () => Native): void => {
  // Where nothing is bundled (from the sources) both are this one.
  if (other !== native) source = other
}

function load(): Native {
  if (process.platform !== 'linux') {
    throw new LockdownError('ERR_UNSUPPORTED_PLATFORM', {
      problem: `seccomp is a feature of the Linux kernel, and this is ${process.platform}`,
      hint: "Pass onUnsupported: 'warn' to run unprotected here (development on another system).",
    })
  }
  if (process.arch !== 'x64' && process.arch !== 'arm64') {
    throw new LockdownError('ERR_UNSUPPORTED_ARCH', {
      problem: `seccomp-ts supports x64 and arm64, and this is ${process.arch}`,
      hint: "Pass onUnsupported: 'warn' to run unprotected here.",
    })
  }
  try {
    // Not by require(), which spends half as long again on finding the file.
    const addon = { exports: {} as Native }
    process.dlopen(addon, `${__dirname}/../prebuilds/linux-${process.arch}/seccomp-ts.node`)
    return addon.exports
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const refused = (cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED'
    throw new LockdownError('ERR_ADDON_LOAD', {
      problem: `the native addon could not be loaded (${reason})`,
      hint: refused
        ? "Node's permission model refuses addons: add --allow-addons."
        : `It should be at prebuilds/linux-${process.arch}/seccomp-ts.node in the package; a bundler must copy it, and a filter already in place may refuse to map it.`,
      cause,
    })
  }
}
