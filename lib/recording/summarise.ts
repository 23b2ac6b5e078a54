/** Events → who made which calls, how often, what became of them, and what would permit them. */
import { allow, type ActionName, type Policy } from '../policy'
import { hostArch } from '../policy/target'
import type { ErrnoName, SyscallName } from '../syscalls'
import { isNode, programName, runtimeOf } from './programs'
import { Gathered } from './suggest'
import { own } from './text'
import { tableArch, type LogEvent } from './types'

/** Where and when an event stands in the log. */
export interface Sighting {
  readonly line: number
  readonly time?: number
  readonly clock?: string
}

/** All calls of one name that a program made and that had the same outcome. */
export interface SeenCall {
  /** Absent where nobody knows a name for it on this architecture: then `unnamed` says what the log has. */
  readonly syscall?: SyscallName
  readonly unnamed?: string
  readonly arch?: string
  /** What the filter did. Absent in what strace saw, unless a signal told. */
  readonly action?: ActionName
  readonly count: number
  /** strace: how often it failed, by errno. A filter may have been the reason. */
  readonly errors: Readonly<Partial<Record<ErrnoName, number>>>
  /** strace -c: how many failed, it does not say with what. */
  readonly failed: number
  readonly first: Sighting
  readonly last: Sighting
  /** The rules that permit the call, as a policy has them. Absent without `syscall`. */
  readonly permit?: NonNullable<Policy['syscalls']>
  /** Narrower rules that permit what was seen and no more, where the arguments say so. */
  readonly suggestion?: NonNullable<Policy['syscalls']>
  /** `clone` and `clone3`: whether every one that was seen made a thread. Undefined: not told. */
  readonly onlyThreads?: boolean
}

/** A program, or a part of the container's runtime, and what it called. */
export interface SeenProgram {
  /** Its binary, or the name of its thread where that is not known. */
  readonly name: string
  readonly exe?: string
  /** The names of its threads. */
  readonly comms: readonly string[]
  /** How many processes (audit) or threads (strace) of it there were; 1,000 are told apart. */
  readonly pids: number
  /** What part of a container's runtime it is, going by its name. */
  readonly runtime?: string
  readonly node: boolean
  /** strace itself, before the program was there. */
  readonly launch: boolean
  /** By name. */
  readonly calls: readonly SeenCall[]
}

export interface LogSummary {
  readonly events: number
  /** By name. */
  readonly programs: readonly SeenProgram[]
  /** Calls by architecture. Those without a table here are counted and not named. */
  readonly architectures: Readonly<Record<string, number>>
  /** Calls that have no name: another architecture's, or newer than the tables. */
  readonly unnamed: number
  /** Events beyond the number of programs that are told apart. They are in none of them. */
  readonly crowdedOut: number
}

const MOST_PROGRAMS = 4096
const MOST_CALLS = 4096
const MOST_PIDS = 1000
const MOST_COMMS = 32

interface Row {
  readonly event: LogEvent
  count: number
  failed: number
  readonly errors: Map<ErrnoName, number>
  first: Sighting
  last: Sighting
  readonly gathered: Gathered | undefined
}

interface Group {
  readonly name: string
  readonly exe: string | undefined
  readonly comms: Set<string>
  readonly pids: Set<number>
  readonly runtime: string | undefined
  readonly launch: boolean
  node: boolean
  readonly rows: Map<string, Row>
}

/** Adds events up. Its size depends on how many programs and calls there are, not on how many events. */
export class Summariser {
  readonly #groups = new Map<string, Group>()
  readonly #architectures = new Map<string, number>()
  #events = 0
  #unnamed = 0
  #crowdedOut = 0

  add(event: LogEvent): void {
    this.#events++
    const group = this.#groupOf(event)
    const row = group === undefined ? undefined : rowOf(group, event)
    if (group === undefined || row === undefined) {
      this.#crowdedOut++
      return
    }
    if (event.syscall === undefined) this.#unnamed += event.count
    const arch = event.arch ?? '(not told)'
    if (this.#architectures.size < MOST_COMMS || this.#architectures.has(arch)) {
      this.#architectures.set(arch, (this.#architectures.get(arch) ?? 0) + event.count)
    }
    addTask(group, event)
    addTo(row, event)
  }

  summary(): LogSummary {
    return {
      events: this.#events,
      programs: [...this.#groups.values()].map(finishGroup).sort(byKey(({ name }) => name)),
      architectures: Object.fromEntries([...this.#architectures].sort(byKey(([arch]) => arch))),
      unnamed: this.#unnamed,
      crowdedOut: this.#crowdedOut,
    }
  }

  #groupOf(event: LogEvent): Group | undefined {
    const name = programName(event)
    const known = this.#groups.get(name)
    if (known !== undefined || this.#groups.size >= MOST_PROGRAMS) return known
    const group: Group = {
      name: own(name),
      exe: event.exe === undefined ? undefined : own(event.exe),
      comms: new Set(),
      pids: new Set(),
      runtime: runtimeOf(event),
      launch: event.launch === true,
      node: false,
      rows: new Map(),
    }
    this.#groups.set(group.name, group)
    return group
  }
}

/** Who made which calls. @see Summariser for events that come one by one */
export function summarise(events: Iterable<LogEvent>): LogSummary {
  const summariser = new Summariser()
  for (const event of events) summariser.add(event)
  return summariser.summary()
}

function addTask(group: Group, event: LogEvent): void {
  const { comm, pid } = event
  if (comm !== undefined && group.comms.size < MOST_COMMS && !group.comms.has(comm)) {
    group.comms.add(own(comm))
  }
  if (pid !== undefined && group.pids.size < MOST_PIDS) group.pids.add(pid)
  group.node ||= group.runtime === undefined && isNode(event)
}

function rowOf(group: Group, event: LogEvent): Row | undefined {
  const { syscall, unnamed, arch, action } = event
  const key = [syscall ?? '', unnamed ?? '', arch ?? '', action ?? ''].join(' ')
  const known = group.rows.get(key)
  if (known !== undefined || group.rows.size >= MOST_CALLS) return known
  const at = sightingOf(event)
  const table = tableArch(arch) ?? hostArch() ?? 'x86_64'
  const row: Row = {
    event: ownCall(event),
    count: 0,
    failed: 0,
    errors: new Map(),
    first: at,
    last: at,
    gathered:
      syscall !== undefined && Gathered.isTelling(syscall)
        ? new Gathered(syscall, table)
        : undefined,
  }
  group.rows.set(key, row)
  return row
}

function addTo(row: Row, event: LogEvent): void {
  row.count += event.count
  row.failed += event.failed ?? 0
  if (event.error !== undefined) {
    row.errors.set(event.error, (row.errors.get(event.error) ?? 0) + 1)
  }
  // strace's calls come in the order in which they ended.
  if (event.line < row.first.line) row.first = sightingOf(event)
  if (event.line > row.last.line) row.last = sightingOf(event)
  row.gathered?.add(event.args)
}

const sightingOf = ({ line, time, clock }: LogEvent): Sighting => ({
  line,
  ...(time === undefined ? {} : { time }),
  ...(clock === undefined ? {} : { clock: own(clock) }),
})

/** Only what a row needs of an event, so that no line is kept. */
const ownCall = ({ format, line, syscall, unnamed, arch, action }: LogEvent): LogEvent => ({
  format,
  line,
  ...(syscall === undefined ? {} : { syscall }),
  ...(unnamed === undefined ? {} : { unnamed: own(unnamed) }),
  ...(arch === undefined ? {} : { arch: own(arch) }),
  ...(action === undefined ? {} : { action }),
  count: 0,
})

function finishGroup(group: Group): SeenProgram {
  const { name, exe, runtime, node, launch } = group
  return {
    name,
    ...(exe === undefined ? {} : { exe }),
    comms: [...group.comms].sort(),
    pids: group.pids.size,
    ...(runtime === undefined ? {} : { runtime }),
    node,
    launch,
    calls: [...group.rows.values()]
      .map(finishRow)
      .sort(
        byKey(({ syscall, unnamed, arch, action }) =>
          [syscall ?? '~', unnamed ?? '', arch ?? '', action ?? ''].join(' '),
        ),
      ),
  }
}

function finishRow(row: Row): SeenCall {
  const { syscall, unnamed, arch, action } = row.event
  const threads =
    syscall === 'clone' || syscall === 'clone3' ? row.gathered?.onlyThreads : undefined
  const rule = row.gathered?.rule()
  return {
    ...(syscall === undefined ? {} : { syscall }),
    ...(unnamed === undefined ? {} : { unnamed }),
    ...(arch === undefined ? {} : { arch }),
    ...(action === undefined ? {} : { action }),
    count: row.count,
    errors: Object.fromEntries([...row.errors].sort(byKey(([error]) => error))),
    failed: row.failed,
    first: row.first,
    last: row.last,
    ...(syscall === undefined ? {} : { permit: permitting(syscall, allow) }),
    ...(syscall === undefined || rule === undefined
      ? {}
      : { suggestion: permitting(syscall, rule) }),
    ...(threads === undefined ? {} : { onlyThreads: threads }),
  }
}

const permitting = (syscall: SyscallName, rule: object): NonNullable<Policy['syscalls']> =>
  Object.freeze({ [syscall]: rule })

/** Code units, so that the order is the same in every locale. */
export const byKey =
  <T>(key: (value: T) => string) =>
  (a: T, b: T): number => {
    const [left, right] = [key(a), key(b)]
    return left < right ? -1 : left > right ? 1 : 0
  }
