/** What lines of a log come to: calls that were made or refused, signs that some are missing, or nothing. */
import type { ActionName } from '../policy'
import type { Arch, ErrnoName, SyscallName } from '../syscalls'

/**
 * `audit`: SECCOMP records (type=1326) as dmesg, /dev/kmsg, syslog, journalctl, auditd and ausearch
 * write them. `journal-json`: `journalctl -o json`. `strace`: lines of calls; `strace-summary`: the
 * table of `strace -c`.
 */
export type LogFormat = 'audit' | 'journal-json' | 'strace' | 'strace-summary'

/**
 * A call that was made or refused. What comes from the log as text (`comm`, `exe`, `args`, …) was
 * chosen by the program in it: control characters are escaped, nothing else is to be trusted.
 */
export interface LogEvent {
  readonly format: LogFormat
  /** Where it stands, counted from 1; of a call on two lines, the first. */
  readonly line: number
  /** By the table of its own architecture. Absent where that has no name for it. */
  readonly syscall?: SyscallName
  readonly number?: number
  /** What the log calls it, where `syscall` is absent: `syscall_0x1c4`, `unknown-syscall(-1)`, `470`. */
  readonly unnamed?: string
  /** `x86_64`, `aarch64`; otherwise the one that has no table here: `i386`, `x32`, `0xc00000f3`. */
  readonly arch?: string
  /** AUDIT_ARCH_* as the record has it. */
  readonly auditArch?: number
  /** The process (audit) or thread (strace). */
  readonly pid?: number
  /** The thread's name, at most 15 bytes. */
  readonly comm?: string
  readonly exe?: string
  /** What the filter did with it. strace sees only that a signal came. */
  readonly action?: ActionName
  /** The filter's return value as the record has it. It is without data since Linux 4.14. */
  readonly code?: number
  readonly signal?: string
  /** The instruction pointer, hexadecimal. */
  readonly ip?: string
  /** Milliseconds since 1970, where the log says when, and in which time zone. */
  readonly time?: number
  /** When, as the log writes it, where that is no time since 1970: a date in somebody's zone, an hour. */
  readonly clock?: string
  /** The number the audit system gave it. */
  readonly serial?: number
  /** The machine, where several log into one file. */
  readonly host?: string
  /** strace: the arguments as it wrote them. */
  readonly args?: readonly string[]
  /** strace: what the call failed with. */
  readonly error?: ErrnoName
  /** How many calls it stands for: more than one only in `strace-summary`. */
  readonly count: number
  /** `strace-summary`: how many of them failed. */
  readonly failed?: number
  /** Something of it is missing: the line was cut, or the log begins in the middle of the call. */
  readonly partial?: true
  /** The execve with which strace itself starts the program. */
  readonly launch?: true
}

export type LossKind =
  | 'rate-limit' // printk's or the audit system's: records that were not written
  | 'audit-lost' // the audit system's own count
  | 'queue-full' // a queue between the kernel and the file ran over
  | 'logger' // journald, rsyslog or auditd dropped messages
  | 'malformed' // looks like a record and cannot be read
  | 'not-kernel' // a record that is not from the kernel: it stands in a program's words
  | 'truncated' // a record whose line ends too early to be read

/** A line that says or shows that something is missing. */
export interface LossSign {
  readonly loss: LossKind
  /** How many records, where the line says so. */
  readonly records?: number
  /** `records` counts from when the machine started. */
  readonly cumulative?: true
}

/**
 * What a line is. `part`: of an event that another line begins or ends. `other`: nothing for us. An
 * event that is told by a later line is emitted through the reader's sink.
 */
export type LineOutcome = LogEvent | LossSign | 'held' | 'part' | 'other'

/** Reads lines of one format. */
export interface FormatReader {
  /** Undefined: the line is not of this format. */
  read(line: string, number: number): LineOutcome | undefined
  /** No more lines come. */
  end?(): void
}

/** The architecture of the tables, or undefined for the name of another one. */
export const tableArch = (arch: string | undefined): Arch | undefined =>
  arch === 'x86_64' || arch === 'aarch64' ? arch : undefined
