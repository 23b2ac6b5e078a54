/**
 * Lines of any format → events, and an account of every line: it is an event, part of one, a loss, or
 * nothing for us. Memory does not grow with the log.
 */
import type { Arch } from '../syscalls'
import { AuditReader } from './audit'
import { JournalJsonReader } from './journal-json'
import { readLoss } from './losses'
import { StraceReader } from './strace'
import { StraceSummaryReader } from './strace-summary'
import { own, printable } from './text'
import type { FormatReader, LineOutcome, LogEvent, LogFormat, LossKind, LossSign } from './types'

/** What a kind of loss came to. */
export interface Loss {
  readonly kind: LossKind
  /** Lines that say so, or are it. */
  readonly lines: number
  /** Records, as far as the lines say how many. */
  readonly records: number
  /** The first few. */
  readonly examples: readonly { readonly line: number; readonly text: string }[]
}

/** What is known to be missing. What leaves no trace in the log is not. */
export interface Lost {
  /** Lines that say that something is missing, or that could not be read although they are records. */
  readonly lines: number
  readonly records: number
  readonly losses: readonly Loss[]
  /** Events of which the log has only a part, and lines cut for their length. Not in `lines`. */
  readonly partial: number
  /**
   * Numbers the audit system gave and the log does not have. They were lost, or belong to records of
   * other types that somebody filtered out: this is no loss for certain.
   */
  readonly missingSerials: number
}

/** Every line is in one of these: they add up to `total`. */
export interface LineCounts {
  readonly total: number
  readonly events: number
  /** Of an event that another line begins or ends. */
  readonly parts: number
  readonly lost: number
  readonly ignored: number
  /** Of the ignored: records that had been read already, as journald writes each twice. */
  readonly repeated: number
  /** Of the ignored: with characters no text has. */
  readonly binary: number
}

export interface LogReaderOptions {
  /** Read every line so, and nothing else. By default each line is taken for what it looks like. */
  readonly format?: LogFormat | undefined
  /** The machine strace ran on, which its lines do not tell. */
  readonly arch: Arch
}

/** Records of which a second copy is noticed. journald writes both within a second or so. */
const REMEMBERED = 8192

/** Machines whose numbers are followed. */
const MOST_HOSTS = 64

/** A greater step is another boot, or another machine, and not a gap. */
const LONGEST_GAP = 10_000_000

/** Milliseconds by which a record may come after one with a higher number: no machine boots so fast. */
const LATEST = 1000

const EXAMPLES = 5
const LONGEST_EXAMPLE = 300

export class LogReader {
  readonly #sink: (event: LogEvent) => void
  readonly #readers: readonly FormatReader[]
  readonly #wantsLosses: boolean
  readonly #losses = new Map<
    LossKind,
    { lines: number; records: number; last: number; examples: { line: number; text: string }[] }
  >()
  /** Two generations: the older is forgotten when the newer is full. */
  #recent = new Set<string>()
  #older = new Set<string>()
  readonly #serials = new Map<string, { last: number; time: number | undefined; missing: number }>()
  #counts = { total: 0, events: 0, parts: 0, lost: 0, ignored: 0, repeated: 0, binary: 0 }
  #partial = 0

  /** @param sink is told every event. Those of strace come in the order in which the calls ended. */
  constructor(options: LogReaderOptions, sink: (event: LogEvent) => void) {
    this.#sink = sink
    const { format, arch } = options
    const sawSerial = this.#sawSerial.bind(this)
    const emit = this.#emit.bind(this)
    const readers: readonly (readonly [LogFormat, () => FormatReader])[] = [
      ['journal-json', () => new JournalJsonReader(sawSerial)],
      ['strace', () => new StraceReader(arch, emit)],
      ['audit', () => new AuditReader(sawSerial)],
      ['strace-summary', () => new StraceSummaryReader(arch)],
    ]
    this.#readers = readers
      .filter(([name]) => format === undefined || name === format)
      .map(([, make]) => make())
    this.#wantsLosses = format === undefined || format === 'audit'
  }

  /** @param cut the line is longer, and this is its beginning */
  line(text: string, cut = false): void {
    const number = ++this.#counts.total
    if (cut) this.#partial++
    if (text.includes('\0')) {
      this.#counts.binary++
      this.#counts.ignored++
      return
    }
    this.#account(this.#read(text, number), text, number)
  }

  end(): void {
    for (const reader of this.#readers) reader.end?.()
  }

  get counts(): LineCounts {
    return { ...this.#counts }
  }

  get lost(): Lost {
    const losses = [...this.#losses].map(([kind, { lines, records, examples }]) => ({
      kind,
      lines,
      records,
      examples,
    }))
    losses.sort((a, b) => (a.kind < b.kind ? -1 : 1))
    return {
      lines: this.#counts.lost,
      records: losses.reduce((sum, { records }) => sum + records, 0),
      losses,
      partial: this.#partial,
      missingSerials: [...this.#serials.values()].reduce((sum, { missing }) => sum + missing, 0),
    }
  }

  #read(text: string, number: number): LineOutcome {
    for (const reader of this.#readers) {
      const outcome = reader.read(text, number)
      if (outcome === 'other' && this.#wantsLosses) return readLoss(text) ?? outcome
      if (outcome !== undefined) return outcome
    }
    return (this.#wantsLosses ? readLoss(text) : undefined) ?? 'other'
  }

  #account(outcome: LineOutcome, text: string, line: number): void {
    if (outcome === 'other') this.#counts.ignored++
    else if (outcome === 'part') this.#counts.parts++
    else if (outcome === 'held') this.#counts.events++
    else if ('loss' in outcome) this.#lose(outcome, text, line)
    else if (this.#isRepeated(outcome)) {
      this.#counts.ignored++
      this.#counts.repeated++
    } else {
      this.#counts.events++
      this.#emit(outcome)
    }
  }

  #emit(event: LogEvent): void {
    if (event.partial === true) this.#partial++
    this.#sink(event)
  }

  #lose({ loss, records = 1, cumulative }: LossSign, text: string, line: number): void {
    this.#counts.lost++
    const known = this.#losses.get(loss) ?? { lines: 0, records: 0, last: 0, examples: [] }
    this.#losses.set(loss, known)
    known.lines++
    // The kernel's own count begins again when the machine does.
    known.records += cumulative && records >= known.last ? records - known.last : records
    if (cumulative) known.last = records
    if (known.examples.length < EXAMPLES) {
      known.examples.push({ line, text: own(printable(text, LONGEST_EXAMPLE)) })
    }
  }

  /** The same record through two channels has the same time and number. */
  #isRepeated({ serial, time, clock, host, format }: LogEvent): boolean {
    if (serial === undefined) return false
    const key = `${time ?? clock ?? ''}:${serial}:${format === 'journal-json' ? '' : (host ?? '')}`
    if (this.#recent.has(key) || this.#older.has(key)) return true
    if (this.#recent.size >= REMEMBERED) {
      this.#older = this.#recent
      this.#recent = new Set()
    }
    this.#recent.add(key)
    return false
  }

  #sawSerial(host: string | undefined, serial: number, time: number | undefined): void {
    const key = host ?? ''
    const known = this.#serials.get(key)
    if (known === undefined) {
      if (this.#serials.size < MOST_HOSTS) {
        this.#serials.set(own(key), { last: serial, time, missing: 0 })
      }
      return
    }
    const step = serial - known.last
    if (step > 1 && step < LONGEST_GAP) known.missing += step - 1
    // A record that comes late fills the gap it left; the numbers of another boot begin again.
    const sameBoot = time === undefined || known.time === undefined || time - known.time < LATEST
    if (step < 0 && sameBoot) {
      known.missing = Math.max(0, known.missing - 1)
    } else {
      known.last = serial
      known.time = time
    }
  }
}
