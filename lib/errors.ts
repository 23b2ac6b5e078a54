/**
 * Every error the package throws. The code is the contract: messages may be reworded, a code keeps
 * its meaning. `docs/errors.md` says what to do about each.
 */

/** What was wrong with a policy, an option, or a comparator. Nothing was installed. */
export type PolicyErrorCode =
  | 'ERR_POLICY_SHAPE'
  | 'ERR_MISSING_DEFAULT'
  | 'ERR_UNKNOWN_KEY'
  | 'ERR_UNKNOWN_ACTION'
  | 'ERR_UNKNOWN_SYSCALL'
  | 'ERR_UNKNOWN_ARGUMENT'
  | 'ERR_UNKNOWN_COMPARATOR'
  | 'ERR_UNKNOWN_CONSTANT'
  | 'ERR_UNKNOWN_ERRNO'
  | 'ERR_ERRNO_RANGE'
  | 'ERR_TRACE_RANGE'
  | 'ERR_VALUE_TYPE'
  | 'ERR_VALUE_RANGE'
  | 'ERR_POINTER_ARGUMENT'
  | 'ERR_DUPLICATE_RULE'
  | 'ERR_UNREACHABLE_RULE'
  | 'ERR_BASELINE'
  | 'ERR_PROGRAM_TOO_LARGE'
  | 'ERR_INEXPRESSIBLE'
  | 'ERR_OPTION'
  | 'ERR_POLICY_NOT_FOUND'
  | 'ERR_EXECVE_REFUSED'

/** Why a lockdown did not happen, or could not be shown to be whole. */
export type LockdownErrorCode =
  | 'ERR_UNSUPPORTED_PLATFORM'
  | 'ERR_UNSUPPORTED_ARCH'
  | 'ERR_UNSUPPORTED_KERNEL'
  | 'ERR_ADDON_LOAD'
  | 'ERR_SECCOMP_DENIED'
  | 'ERR_NO_NEW_PRIVS'
  | 'ERR_THREAD_SYNC'
  | 'ERR_CENSUS_UNAVAILABLE'
  | 'ERR_THREAD_UNFILTERED'
  | 'ERR_IO_URING'
  | 'ERR_REEXEC'
  | 'ERR_LISTENER'
  | 'ERR_WORKER_PRELOAD'
  | 'ERR_INSTALL'
  | 'ERR_LATE_LOAD'
  | 'ERR_UNPROVED'
  | 'ERR_AUDIT_UNAVAILABLE'
  | 'ERR_INTERNAL'

/** Why a program could not be analysed. It was neither proved nor refuted. */
export type AnalysisErrorCode = 'ERR_INVALID_PROGRAM' | 'ERR_UNDECIDED'

/** Why a profile of another tool could not be read, or not be resolved for a target. */
export type ProfileErrorCode =
  | 'ERR_PROFILE_SYNTAX'
  | 'ERR_PROFILE_LIMIT'
  | 'ERR_PROFILE_DIALECT'
  | 'ERR_PROFILE_INVALID'
  | 'ERR_PROFILE_REFUSED'
  | 'ERR_PROFILE_UNDETERMINED'

/** Why Kubernetes manifests could not be read, or not be edited. */
export type ManifestErrorCode =
  'ERR_MANIFEST_SYNTAX' | 'ERR_MANIFEST_LIMIT' | 'ERR_MANIFEST_OBJECT' | 'ERR_MANIFEST_EDIT'

/** Why nothing at all could be read from a log. */
export type LogErrorCode = 'ERR_LOG_BINARY' | 'ERR_LOG_NO_RECORD'

export type ErrorCode =
  | PolicyErrorCode
  | LockdownErrorCode
  | AnalysisErrorCode
  | ProfileErrorCode
  | ManifestErrorCode
  | LogErrorCode

/** The base of all kinds, for `catch (e) { if (e instanceof SeccompError) … }`. */
export class SeccompError extends Error {
  /** Stable, machine-readable. */
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  override get name(): string {
    return 'SeccompError'
  }
}

export interface PolicyErrorDetails {
  /** Where, as a JSON path from the policy: `$.syscalls.socket[0].when.family`. */
  path: string
  /** What was wrong, without the path. */
  problem: string
  /** What to write instead, when it can be said. */
  hint?: string | undefined
  /** The name that was probably meant. */
  suggestion?: string | undefined
  /** ERR_PROGRAM_TOO_LARGE: the system calls that take the most instructions. */
  contributors?: readonly { readonly syscall: string; readonly instructions: number }[] | undefined
  cause?: unknown
}

/** The policy or an option is wrong: nothing was installed, nothing changed. */
export class PolicyError extends SeccompError {
  declare readonly code: PolicyErrorCode
  readonly path: string
  // `declare`: absent where there is nothing to say, rather than present and undefined.
  declare readonly suggestion?: string
  declare readonly contributors?: readonly {
    readonly syscall: string
    readonly instructions: number
  }[]

  constructor(code: PolicyErrorCode, details: PolicyErrorDetails) {
    const { path, problem, suggestion, hint } = details
    const tail = [
      suggestion === undefined ? '' : ` Did you mean '${suggestion}'?`,
      hint === undefined ? '' : ` ${hint}`,
    ].join('')
    super(code, `${path}: ${problem}.${tail}`, causeOf(details))
    this.path = path
    if (suggestion !== undefined) this.suggestion = suggestion
    if (details.contributors !== undefined) this.contributors = details.contributors
  }

  override get name(): string {
    return 'PolicyError'
  }
}

/** A thread of this process, as `/proc/self/task` shows it. */
export interface ThreadState {
  readonly tid: number
  /** The kernel's name for it (`comm`), at most 15 bytes: `libuv-worker`, `V8Worker`, … */
  readonly name: string
  /** `Seccomp:` of proc_pid_status(5). */
  readonly mode: 'disabled' | 'strict' | 'filter'
  /** `Seccomp_filters:`; -1 where the kernel (before 5.9) does not say. */
  readonly filters: number
  readonly noNewPrivs: boolean
}

export interface LockdownErrorDetails {
  problem: string
  hint?: string | undefined
  /** True when the kernel did take the filter and only the check afterwards failed. */
  installed?: boolean | undefined
  /** errno of the system call that failed, by name. */
  errno?: string | undefined
  /** The threads that stood in the way. */
  threads?: readonly Pick<ThreadState, 'tid' | 'name'>[] | undefined
  cause?: unknown
}

/** The policy is fine; this process, kernel or container did not let it take hold. */
export class LockdownError extends SeccompError {
  declare readonly code: LockdownErrorCode
  /** False: the process is as unfiltered as before. */
  readonly installed: boolean
  declare readonly errno?: string
  declare readonly threads?: readonly Pick<ThreadState, 'tid' | 'name'>[]

  constructor(code: LockdownErrorCode, details: LockdownErrorDetails) {
    super(code, sentences(details), causeOf(details))
    this.installed = details.installed ?? false
    if (details.errno !== undefined) this.errno = details.errno
    if (details.threads !== undefined) this.threads = details.threads
  }

  override get name(): string {
    return 'LockdownError'
  }
}

export interface AnalysisErrorDetails {
  problem: string
  hint?: string | undefined
  /** The instruction it is about, counted from 0. */
  instruction?: number | undefined
  /** ERR_INVALID_PROGRAM: which of the kernel's rules is broken. */
  reason?: string | undefined
  cause?: unknown
}

/** A program that the kernel would refuse, or about which nothing could be decided. */
export class AnalysisError extends SeccompError {
  declare readonly code: AnalysisErrorCode
  declare readonly instruction?: number
  declare readonly reason?: string

  constructor(code: AnalysisErrorCode, details: AnalysisErrorDetails) {
    const where = details.instruction === undefined ? '' : `instruction ${details.instruction}: `
    super(code, where + sentences(details), causeOf(details))
    if (details.instruction !== undefined) this.instruction = details.instruction
    if (details.reason !== undefined) this.reason = details.reason
  }

  override get name(): string {
    return 'AnalysisError'
  }
}

/** Where in the text of a profile something stands. */
export interface ProfilePlace {
  /** As a JSON path: `$.syscalls[3].args[0].value`. */
  readonly path: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 code units, as editors count. */
  readonly column: number
}

/** Something in a profile that does nothing, or not the same everywhere, or not what it seems to. */
export interface ProfileFinding extends ProfilePlace {
  /** Stable, machine-readable: `'duplicate-key'`. docs/profiles.md lists them. */
  readonly code: string
  /**
   * `error`: two readers would take it for different things, or somebody would drop it: without a
   * runtime to follow, the profile is not resolved. `warning`: it has one meaning, hardly the one
   * that was meant. `info`: how it was read.
   */
  readonly severity: 'error' | 'warning' | 'info'
  readonly message: string
}

export interface TextErrorDetails extends ProfilePlace {
  /** What was wrong, without the place. */
  problem: string
  /** What to do. */
  hint?: string | undefined
  cause?: unknown
}

/** Something is wrong at a place in a text. */
abstract class TextError<Code extends ErrorCode> extends SeccompError {
  declare readonly code: Code
  /** Of a stream of documents, within its own: `$.spec.containers[0]`. */
  readonly path: string
  readonly line: number
  readonly column: number

  constructor(code: Code, details: TextErrorDetails) {
    const { path, line, column } = details
    const where = `line ${line}, column ${column} (${path}): `
    super(code, where + sentences(details), causeOf(details))
    this.path = path
    this.line = line
    this.column = column
  }
}

export interface ProfileErrorDetails extends TextErrorDetails {
  /** Everything that is wrong, where it is more than one thing. */
  findings?: readonly ProfileFinding[] | undefined
}

/** A profile cannot be read, or a runtime would refuse it. */
export class ProfileError extends TextError<ProfileErrorCode> {
  declare readonly findings?: readonly ProfileFinding[]

  constructor(code: ProfileErrorCode, details: ProfileErrorDetails) {
    super(code, details)
    if (details.findings !== undefined) this.findings = details.findings
  }

  override get name(): string {
    return 'ProfileError'
  }
}

/** A text is not one of Kubernetes manifests. Nothing was checked, and nothing changed. */
export class ManifestError extends TextError<ManifestErrorCode> {
  override get name(): string {
    return 'ManifestError'
  }
}

export interface LogErrorDetails {
  problem: string
  hint?: string | undefined
  /** The line it is about, counted from 1. */
  line?: number | undefined
}

/** A log is not one, or has nothing in it that can be read. */
export class LogError extends SeccompError {
  declare readonly code: LogErrorCode
  declare readonly line?: number

  constructor(code: LogErrorCode, details: LogErrorDetails) {
    const where = details.line === undefined ? '' : `line ${details.line}: `
    super(code, where + sentences(details))
    if (details.line !== undefined) this.line = details.line
  }

  override get name(): string {
    return 'LogError'
  }
}

/** What was wrong, and what to do. */
const sentences = ({ problem, hint }: { problem: string; hint?: string | undefined }): string =>
  hint === undefined ? `${problem}.` : `${problem}. ${hint}`

const causeOf = (details: { cause?: unknown }): ErrorOptions | undefined =>
  details.cause === undefined ? undefined : { cause: details.cause }
