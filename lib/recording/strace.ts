/**
 * strace, in all its ways: -f (a pid in front), -t/-tt/-ttt/-r (a time), -T (how long), -y/-yy (what
 * a descriptor is), -Y (a comm), -n (the number), -i (where from). A call of which another thread's
 * came in between stands on two lines, `<unfinished ...>` and `<... resumed>`; one strace has no name
 * for is `syscall_0x1c4`.
 *
 * Which program a thread runs is learned from execve, and inherited through clone, fork and vfork.
 */
import { errnoValue, type Arch, type ErrnoName } from '../syscalls'
import { MALFORMED } from './audit'
import { callOf, nameOf } from './names'
import { callName, readCall, readPrefix, readResult, readString } from './strace-line'
import type { StraceCall, StracePrefix, StraceResult } from './strace-line'
import { own, printable, toNumber } from './text'
import { tableArch, type FormatReader, type LineOutcome, type LogEvent } from './types'

interface Program {
  readonly exe: string | undefined
  /** The call that a filter killed it for is known: it is one, and every thread dies of it. */
  killed: boolean
}

/** A call that began, and of which more may be told. */
interface Pending {
  event: LogEvent
  readonly program: Program
  /** The line up to `<unfinished ...>`, where it was not finished. */
  readonly unfinished?: string
  /** It ended with `?`, or not at all. */
  readonly none: boolean
  /** Its result is its own number: the kernel took it back (syscall_rollback), as it does to refuse one. */
  readonly rolledBack: boolean
}

/** Threads of which the last call is remembered. More at once than any process has. */
const MOST_THREADS = 65_536

/** Beginnings of forks that are kept before those that have ended are looked for. */
const FEWEST_FORKS = 64

/** What an unfinished line may be remembered of. */
const LONGEST_BEGINNING = 4096

const UNFINISHED = /<(?:unfinished|detached|no return|unavailable) ?\.\.\.>$/
const RESUMED = /^<\.\.\. ([a-z_]\w{0,63}|\?{2,4}) resumed>/
const PERSONALITY = /\[ Process PID=(\d{1,10}) runs in (\w{1,16}(?: bit)?) mode\. \]/
/** si_code SYS_SECCOMP: SECCOMP_RET_TRAP; a killed process's signal is not shown to strace. */
const TRAPPED = /^--- SIGSYS \{.*\bsi_code=SYS_SECCOMP\b/
const ENDED =
  /^\+\+\+ (?:exited with \d+|killed by (\w+)(?: \(core dumped\))?|superseded by execve.*) \+\+\+/
const NEW_THREAD = /^(?:clone|clone3|fork|vfork)$/

export class StraceReader implements FormatReader {
  readonly #emit: (event: LogEvent) => void
  readonly #arch: Arch
  readonly #pending = new Map<number, Pending>()
  /** Calls that make a thread and have not returned, in the order they began; some have by now. */
  #forks: { readonly pid: number; readonly pending: Pending }[] = []
  #mostForks = FEWEST_FORKS
  readonly #programs = new Map<number, Program>()
  readonly #foreign = new Map<number, string>()
  /** Of threads that strace was attached to: nothing tells what they run. */
  readonly #untold: Program = { exe: undefined, killed: false }
  #begun = false

  /** @param arch the machine's, which strace does not tell */
  constructor(arch: Arch, emit: (event: LogEvent) => void) {
    this.#arch = arch
    this.#emit = emit
  }

  read(line: string, number: number): LineOutcome | undefined {
    const personality = PERSONALITY.exec(line)
    if (personality !== null) return this.#setPersonality(personality)
    if (line.startsWith('strace: ')) return 'other'
    const prefix = readPrefix(line)
    const { rest } = prefix
    if (rest.startsWith('---') || rest.startsWith('+++')) return this.#readSignal(prefix, number)
    if (rest.startsWith('<... ')) return this.#readResumed(prefix, number)
    const name = callName(rest)
    if (name === undefined) return undefined
    const known = /^(?:\?+$|syscall_0x)/.test(name) || this.#isCall(name)
    const unfinished = UNFINISHED.exec(rest.trimEnd())
    if (unfinished !== null) {
      return this.#begin(prefix, rest.slice(0, unfinished.index), number)
    }
    const call = readCall(rest)
    const result = call?.result === undefined ? undefined : readResult(call.result)
    if (call === undefined || (result === undefined && !known)) return undefined
    return this.#finish(prefix, call, result, number)
  }

  end(): void {
    for (const pid of [...this.#pending.keys()]) this.#release(pid)
  }

  #isCall(name: string): boolean {
    return callOf(name, 'x86_64') !== undefined || callOf(name, 'aarch64') !== undefined
  }

  #setPersonality([, pid, mode]: RegExpExecArray): LineOutcome {
    const foreign = mode === '32 bit' ? (this.#arch === 'x86_64' ? 'i386' : 'arm') : mode
    if (mode === '64 bit' || foreign === undefined) this.#foreign.delete(Number(pid))
    else if (this.#foreign.size < MOST_THREADS) this.#foreign.set(Number(pid), foreign)
    return 'other'
  }

  #begin(prefix: StracePrefix, text: string, line: number): LineOutcome {
    const call = readCall(text)
    if (call === undefined) return MALFORMED
    const pid = prefix.pid ?? 0
    const program = this.#programOf(pid)
    this.#release(pid)
    const event = this.#event(prefix, call, undefined, line, program)
    this.#hold(pid, {
      event,
      program,
      unfinished: own(text.slice(0, LONGEST_BEGINNING)),
      none: true,
      rolledBack: false,
    })
    return 'held'
  }

  #finish(
    prefix: StracePrefix,
    call: StraceCall,
    result: StraceResult | undefined,
    line: number,
  ): LineOutcome {
    const pid = prefix.pid ?? 0
    const program = this.#programOf(pid)
    this.#release(pid)
    const event = this.#event(prefix, call, result, line, program)
    this.#follow(pid, call, result)
    this.#hold(pid, { event, program, ...outcomeOf(event, result) })
    return 'held'
  }

  #readResumed(prefix: StracePrefix, line: number): LineOutcome | undefined {
    const found = RESUMED.exec(prefix.rest)
    if (found === null) return undefined
    const [{ length }, name = ''] = found
    const pid = prefix.pid ?? 0
    const pending = this.#pending.get(pid)
    const after = prefix.rest.slice(length)
    if (pending?.unfinished === undefined || callName(pending.unfinished) !== name) {
      // Its beginning is not in the log.
      const call = readCall(`${name}(${after}`)
      if (call === undefined) return MALFORMED
      const result = call.result === undefined ? undefined : readResult(call.result)
      const outcome = this.#finish(prefix, { ...call, args: [] }, result, line)
      const held = this.#pending.get(pid)
      if (held !== undefined) held.event = { ...held.event, partial: true }
      return outcome
    }
    const call = readCall(pending.unfinished + after)
    const result = call?.result === undefined ? undefined : readResult(call.result)
    if (call === undefined) return MALFORMED
    this.#pending.delete(pid)
    const began = { ...prefix, ...stampOf(pending.event) }
    const event = this.#event(began, call, result, pending.event.line, pending.program)
    const { launch } = pending.event
    this.#follow(pid, call, result)
    this.#hold(pid, {
      event: launch === undefined ? event : { ...event, launch },
      program: pending.program,
      ...outcomeOf(event, result),
    })
    return 'part'
  }

  #readSignal(prefix: StracePrefix, line: number): LineOutcome {
    const pid = prefix.pid ?? 0
    const pending = this.#pending.get(pid)
    if (TRAPPED.test(prefix.rest)) {
      if (pending !== undefined) {
        pending.event = { ...pending.event, action: 'trap', signal: 'SIGSYS' }
        return 'part'
      }
      const number = toNumber(/\bsi_syscall=(\d{1,10})\b/.exec(prefix.rest)?.[1])
      const name = /\bsi_syscall=__NR_(\w{1,64})/.exec(prefix.rest)?.[1]
      const call = { name: name ?? `syscall_0x${(number ?? 0).toString(16)}`, args: [], result: '' }
      const event = this.#event(prefix, call, undefined, line, this.#programOf(pid))
      return { ...event, action: 'trap', signal: 'SIGSYS', partial: true }
    }
    const ended = ENDED.exec(prefix.rest)
    if (ended === null) return 'other'
    const killed = ended[1] === 'SIGSYS' && pending !== undefined && this.#isCulprit(pending)
    if (killed) {
      pending.program.killed = true
      pending.event = { ...pending.event, action: 'kill', signal: 'SIGSYS' }
    }
    this.#release(pid)
    this.#programs.delete(pid)
    this.#foreign.delete(pid)
    return killed ? 'part' : 'other'
  }

  /** What was taken back, or else, of the calls that never returned, the last to begin. */
  #isCulprit(pending: Pending): boolean {
    if (pending.event.action !== undefined) return false
    if (pending.rolledBack) return true
    if (!pending.none || pending.program.killed) return false
    for (const other of this.#pending.values()) {
      if (other.program !== pending.program) continue
      if (other.rolledBack || (other.none && other.event.line > pending.event.line)) return false
    }
    return true
  }

  /** What a call says of who runs what. */
  #follow(pid: number, { name, args }: StraceCall, result: StraceResult | undefined): void {
    if (result?.value === undefined || result.error !== undefined || result.value < 0) return
    if (NEW_THREAD.test(name) && result.value > 0) {
      this.#setProgram(result.value, this.#programOf(pid))
    }
    if (/^execve(?:at)?$/.test(name)) {
      const path = readString(args[name === 'execve' ? 0 : 1])
      if (path !== undefined) this.#setProgram(pid, { exe: printable(own(path)), killed: false })
    }
  }

  #setProgram(pid: number, program: Program): void {
    if (this.#programs.size < MOST_THREADS || this.#programs.has(pid)) {
      this.#programs.set(pid, program)
    }
  }

  /** A child's first call may stand before the line on which its parent's clone returns. */
  #programOf(pid: number): Program {
    const known = this.#programs.get(pid)
    if (known !== undefined) return known
    const program = this.#lastFork() ?? this.#untold
    this.#setProgram(pid, program)
    return program
  }

  /** Who began the last of them. What has returned is dropped on the way, so that each is looked at once. */
  #lastFork(): Program | undefined {
    for (let last = this.#forks.at(-1); last !== undefined; last = this.#forks.at(-1)) {
      if (this.#isPending(last)) return last.pending.program
      this.#forks.pop()
    }
    return undefined
  }

  #isPending({ pid, pending }: { readonly pid: number; readonly pending: Pending }): boolean {
    return this.#pending.get(pid) === pending
  }

  #addFork(pid: number, pending: Pending): void {
    this.#forks.push({ pid, pending })
    if (this.#forks.length < this.#mostForks) return
    this.#forks = this.#forks.filter((fork) => this.#isPending(fork))
    this.#mostForks = Math.max(FEWEST_FORKS, 2 * this.#forks.length)
  }

  #hold(pid: number, pending: Pending): void {
    if (this.#pending.size >= MOST_THREADS) {
      const [oldest] = this.#pending.keys()
      if (oldest !== undefined) this.#release(oldest)
    }
    this.#pending.set(pid, pending)
    if (pending.unfinished !== undefined && NEW_THREAD.test(pending.event.syscall ?? '')) {
      this.#addFork(pid, pending)
    }
  }

  #release(pid: number): void {
    const pending = this.#pending.get(pid)
    if (pending === undefined) return
    this.#pending.delete(pid)
    this.#emit(pending.event)
  }

  #event(
    prefix: StracePrefix,
    call: StraceCall,
    result: StraceResult | undefined,
    line: number,
    program: Program,
  ): LogEvent {
    const arch = this.#foreign.get(prefix.pid ?? 0) ?? this.#arch
    const launch = !this.#begun && call.name === 'execve'
    this.#begun = true
    const { pid, comm, clock, time, ip } = prefix
    const error = result?.error
    return {
      format: 'strace',
      line,
      ...nameCall(call.name, prefix.number, arch),
      arch,
      ...(pid === undefined ? {} : { pid }),
      ...(comm === undefined ? {} : { comm: printable(comm) }),
      ...(program.exe === undefined ? {} : { exe: program.exe }),
      ...(time === undefined ? {} : { time }),
      ...(clock === undefined ? {} : { clock }),
      ...(ip === undefined ? {} : { ip }),
      args: call.args.map((argument) => printable(argument)),
      ...(error === undefined || errnoValue(error) === undefined
        ? {}
        : { error: error as ErrnoName }),
      count: 1,
      ...(call.result === undefined && result === undefined ? { partial: true } : {}),
      ...(launch ? { launch } : {}),
    }
  }
}

const outcomeOf = (
  event: LogEvent,
  result: StraceResult | undefined,
): Pick<Pending, 'none' | 'rolledBack'> => ({
  none: result === undefined || result.none,
  rolledBack: result?.value !== undefined && result.value === event.number,
})

const stampOf = ({ clock, time }: LogEvent): Pick<LogEvent, 'clock' | 'time'> => ({
  ...(clock === undefined ? {} : { clock }),
  ...(time === undefined ? {} : { time }),
})

/** `syscall_0x1c4`, and with -n the number of any call, are numbers of the thread's architecture. */
export function nameCall(
  name: string,
  number: number | undefined,
  arch: string,
): Pick<LogEvent, 'syscall' | 'number' | 'unnamed'> {
  const table = tableArch(arch)
  const call = table === undefined ? undefined : callOf(name, table)
  if (call !== undefined) return call
  const told = toNumber(/^syscall_(0x[0-9a-f]{1,8})$/.exec(name)?.[1]) ?? number
  const syscall = told === undefined ? undefined : nameOf(told, table)
  return {
    ...(syscall === undefined ? { unnamed: printable(name, 64) } : { syscall }),
    ...(told === undefined ? {} : { number: told }),
  }
}
