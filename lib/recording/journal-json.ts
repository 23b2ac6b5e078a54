/**
 * `journalctl -o json`: an object a line. A SECCOMP record may be in it twice: as the kernel's own
 * message, and as journald's collector of audit records writes it, in fields (systemd.journal-fields(7),
 * map_fields_kernel in journald-audit.c).
 */
import {
  AuditReader,
  looksLikeRecord,
  MALFORMED,
  NOT_KERNEL,
  readRecord,
  type SerialSink,
} from './audit'
import { readLoss } from './losses'
import { printable, toNumber } from './text'
import type { FormatReader, LineOutcome } from './types'

/** In front of the object in json-seq (RFC 7464) and json-sse. */
const PREFIX = /^(?:\x1e|data: ?)/

export class JournalJsonReader implements FormatReader {
  readonly #audit: AuditReader

  constructor(sawSerial?: SerialSink) {
    this.#audit = new AuditReader(sawSerial)
  }

  read(line: string, number: number): LineOutcome | undefined {
    const text = line.replace(PREFIX, '')
    if (!text.startsWith('{')) return undefined
    const entry = parse(text)
    if (entry === undefined) {
      // One line of an object on several, such as json-pretty writes, is not damaged.
      if (text.trim() === '{') return 'other'
      return /type=1326|"_AUDIT_TYPE" ?: ?"1326"|SECCOMP auid=/.test(text) ? MALFORMED : undefined
    }
    const message = messageOf(entry.get('MESSAGE'))
    const host = textOf(entry.get('_HOSTNAME'))
    if (!isFromKernel(entry)) {
      if (message === undefined) return 'other'
      return looksLikeRecord(message) ? NOT_KERNEL : (readLoss(message) ?? 'other')
    }
    if (textOf(entry.get('_AUDIT_TYPE')) === '1326') return readFields(entry, message, number)
    if (message === undefined) return 'other'
    const outcome = this.#audit.read(message, number)
    if (outcome === undefined || typeof outcome === 'string') return readLoss(message) ?? 'other'
    if ('loss' in outcome) return outcome
    return {
      ...outcome,
      format: 'journal-json',
      ...(host === undefined ? {} : { host: printable(host, 255) }),
    }
  }
}

/**
 * Anybody may log any MESSAGE; fields that begin with `_` are journald's own, and no client can set
 * them. journald writes `_TRANSPORT` with every entry, so that one without has been stripped of what
 * tells who wrote it, and is not believed (`--output-fields=MESSAGE,_TRANSPORT` keeps it), unless it
 * has `_AUDIT_TYPE`, which is set for the kernel's audit records alone.
 */
function isFromKernel(entry: ReadonlyMap<string, unknown>): boolean {
  const transport = textOf(entry.get('_TRANSPORT'))
  if (transport === undefined) return entry.has('_AUDIT_TYPE')
  return transport === 'kernel' || transport === 'audit'
}

function parse(text: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new Map(Object.entries(value))
      : undefined
  } catch {
    return undefined
  }
}

/** A field that occurs twice is a list; a field that is not UTF-8 is a list of bytes. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) && typeof value[0] === 'string' ? value[0] : undefined
}

function messageOf(value: unknown): string | undefined {
  const isBytes = (list: unknown[]): list is number[] =>
    list.every((byte) => typeof byte === 'number')
  return Array.isArray(value) && isBytes(value)
    ? Buffer.from(value).toString('utf8')
    : textOf(value)
}

/** From journald's collector. The message has all that the fields have, unless it was too long. */
function readFields(
  entry: ReadonlyMap<string, unknown>,
  message: string | undefined,
  line: number,
): LineOutcome {
  const field = (name: string): string | undefined => textOf(entry.get(name))
  const serial = toNumber(field('_AUDIT_ID'))
  const microseconds = toNumber(
    field('_SOURCE_REALTIME_TIMESTAMP') ?? field('__REALTIME_TIMESTAMP'),
  )
  const host = field('_HOSTNAME')
  const start = {
    format: 'journal-json' as const,
    line,
    ...(serial === undefined ? {} : { serial }),
    ...(microseconds === undefined ? {} : { time: Math.floor(microseconds / 1000) }),
    ...(host === undefined ? {} : { host: printable(host, 255) }),
  }
  if (message !== undefined) return readRecord(message, start)
  const quoted = (name: string): string => `"${(field(name) ?? '').replaceAll('"', '')}"`
  const names = ['SIG', 'ARCH', 'SYSCALL', 'COMPAT', 'IP', 'CODE']
  const tail = names.map((name) => `${name.toLowerCase()}=${field(`AUDIT_FIELD_${name}`) ?? ''}`)
  const task = `pid=${field('_PID') ?? ''} comm=${quoted('_COMM')} exe=${quoted('_EXE')}`
  return readRecord(`SECCOMP auid=0 ${task} ${tail.join(' ')}`, start)
}
