/**
 * SECCOMP records. The kernel writes them so (audit_seccomp in kernel/auditsc.c), on one line:
 *
 *     type=1326 audit(1700000000.123:45): auid=0 uid=0 gid=0 ses=1 subj=… pid=7 comm="node"
 *     exe="/usr/bin/node" sig=31 arch=c000003e syscall=59 compat=0 ip=0x7f… code=0x80000000
 *
 * dmesg, /dev/kmsg, syslog and journalctl put something in front; auditd says `type=SECCOMP
 * msg=audit(…)`, and appends names after a group separator where it is told to; journald's own
 * collector says `SECCOMP auid=…`; ausearch -i replaces the numbers by words, and its csv is another
 * thing altogether. All end alike, and only the end is sure to be the kernel's: a program chooses its
 * comm, and ausearch -i prints it bare. So a record is read from its end.
 *
 * Anybody's text may hold one, and what is read here becomes a policy. So only what is known to stand in
 * front of the kernel's own (HEAD) may: a record behind a program's words is that program's.
 */
import { describeVerdict } from '../analysis/verdict'
import type { ActionName } from '../policy'
import { ACTION_WORDS, architectureOf, callOf, nameOf } from './names'
import { decodeUntrusted, printable, toNumber } from './text'
import {
  tableArch,
  type FormatReader,
  type LineOutcome,
  type LogEvent,
  type LossSign,
} from './types'

/** Any audit record: its time and number. */
const STAMP = /\baudit\(([^()]{1,64}):(\d{1,15})\)\s?:/

/** A SECCOMP record, by its type. 1326 is AUDIT_SECCOMP; what has no name for it writes the number. */
const RECORD =
  /\btype=(?:1326|SECCOMP|UNKNOWN\[1326\])[ ,]|(?<=^|[:\s"])(?:SECCOMP|AUDIT1326|type=1326) (?:auid|uid|pid)=/

/** `[ 6448.840271]`, `[Tue Nov 14 22:13:20 2023]`, `[Nov14 22:13]`, `[  +0.000011]`, `[1.2 <0.1>]`. */
const BRACKETS =
  /\[(?:[ +]{0,16}\d{1,12}\.\d{1,9}|[^\][]{1,32}\d\d:\d\d(?::\d\d)?(?: \d{4})?)(?: <[ +]{0,16}\d{1,12}\.\d{1,9}>)?\]/

/** As dmesg, syslog (RFC 3164, RFC 5424) and journalctl write the time, in any language's months. */
const WHEN = new RegExp(
  [
    BRACKETS.source,
    /(?:\S{1,16} )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S{0,16}(?: [A-Z]\S{0,7})?/.source,
    /\S{1,16} {1,8}\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,9})?(?: \d{4})?/.source,
    /\d{1,12}\.\d{1,9}/.source,
  ].join('|'),
)

/** Who says so: the kernel, journald's collector, or auditd's way to syslog. */
const SPEAKER = /(?:kernel|audit|auditd|audispd|audisp-syslog)(?:\[\d{1,10}\])?(?::| - - -)/

/** All that may stand in front of a record. */
const HEAD = new RegExp(
  `^(?:${[
    // dmesg --json, json-pretty, and -o verbose and export
    /[ \t]{0,64}"(?:msg|MESSAGE)" ?: ?"/.source,
    /[ \t]{0,64}MESSAGE=/.source,
    // /dev/kmsg
    /\d{1,3},\d{1,20},\d{1,20},[^;\s]{1,64};/.source,
    // dmesg -r and -x, then syslog and journalctl with and without a host
    `(?:<\\d{1,3}>(?:1 )?)?(?:kern {0,8}:\\w{1,8} {0,8}: )?(?:(?:${WHEN.source}) (?:[\\w.-]{1,255} (?=${SPEAKER.source}))?)?(?:${SPEAKER.source} ?)?`,
  ].join(
    '|',
  )})(?:${BRACKETS.source} ?)?(?:\\[ {0,8}[TC]\\d{1,10}\\] )?(?:audit: ?)?(?:node=\\S{1,255} )?$`,
)

/** What no other line has, so that a damaged record is not taken for none. */
const LOOKS_LIKE =
  /\btype=(?:1326|SECCOMP|UNKNOWN\[1326\])|\b(?:SECCOMP|AUDIT1326) auid=|\bsig=\S{1,32} arch=\S{1,32} syscall=|,SECCOMP,/

/** Whether a text has, or once had, a record in it. */
export const looksLikeRecord = (text: string): boolean => LOOKS_LIKE.test(text)

/** Told of every record of any type: what is missing between two numbers was lost or left out. */
export type SerialSink = (
  host: string | undefined,
  serial: number,
  time: number | undefined,
) => void

export class AuditReader implements FormatReader {
  readonly #csv = new CsvReader()
  readonly #sawSerial: SerialSink

  constructor(sawSerial: SerialSink = () => undefined) {
    this.#sawSerial = sawSerial
  }

  read(line: string, number: number): LineOutcome | undefined {
    const outcome = this.#csv.read(line, number)
    if (outcome !== undefined) return outcome
    const record = RECORD.exec(line)
    if (record !== null && !HEAD.test(line.slice(0, record.index))) return NOT_KERNEL
    const stamp = STAMP.exec(line)
    const host = line.startsWith('node=') ? /^node=(\S{1,255}) /.exec(line)?.[1] : undefined
    const when = stamp === null ? {} : readStamp(stamp)
    if (when.serial !== undefined) this.#sawSerial(host, when.serial, when.time)
    if (!LOOKS_LIKE.test(line)) return stamp === null ? undefined : 'other'
    if (record === null) return MALFORMED
    return readRecord(line, {
      format: 'audit',
      line: number,
      ...when,
      ...(host === undefined ? {} : { host: printable(host) }),
    })
  }
}

export const MALFORMED: LossSign = Object.freeze({ loss: 'malformed' })
export const NOT_KERNEL: LossSign = Object.freeze({ loss: 'not-kernel' })
const TRUNCATED: LossSign = Object.freeze({ loss: 'truncated' })

type When = Pick<LogEvent, 'time' | 'clock' | 'serial'>

/** `1700000000.123` is a time; ausearch -i writes a date in the words of somebody's locale and zone. */
function readStamp([, clock = '', serial]: RegExpExecArray): When {
  const seconds = /^\d{1,12}\.\d{1,9}$/.test(clock) ? Number(clock) : undefined
  return seconds === undefined
    ? { clock: printable(clock), serial: Number(serial) }
    : { time: Math.round(seconds * 1000), serial: Number(serial) }
}

/** What is known of a record before its own text is read. */
export type RecordStart = Pick<LogEvent, 'format' | 'line' | 'time' | 'clock' | 'serial' | 'host'>

type Draft = { -readonly [Key in keyof LogEvent]: LogEvent[Key] }

/** A record's own text, from `pid=` on or before it. */
export function readRecord(text: string, start: RecordStart): LogEvent | LossSign {
  const fields = tailOf(text)
  const call = readCall(fields)
  if ('loss' in call) return call
  // Field by field: a log has millions of these, and copying objects is most of what they would cost.
  const event: Draft = { ...start, count: 1 }
  Object.assign(event, call)
  readTask(text, event)
  const code = fields.get('code')
  const number = toNumber(code)
  if (number !== undefined) event.code = number
  const action = number === undefined ? ACTION_WORDS.get(code ?? '') : actionOf(number)
  if (action === undefined) event.partial = true
  else event.action = action
  const signal = signalOf(fields.get('sig'))
  if (signal !== undefined) event.signal = signal
  const ip = fields.get('ip')
  if (ip !== undefined && /^0x[0-9a-f]{1,16}$/.test(ip)) event.ip = ip
  return event
}

/** Data with SECCOMP_RET_KILL_THREAD (0) is nothing that filters return: digits of the code are missing. */
function actionOf(code: number): ActionName | undefined {
  const { action, data } = describeVerdict(code >>> 0)
  return action === 'killThread' && data !== undefined ? undefined : action
}

/** From ` sig=` on: words and numbers, none of which a program chooses. */
function tailOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const from = text.lastIndexOf(' sig=')
  if (from < 0) return fields
  const enriched = text.indexOf('\x1d', from)
  for (const word of text.slice(from + 1, enriched < 0 ? undefined : enriched).split(' ')) {
    const equals = word.indexOf('=')
    const key = word.slice(0, equals)
    // A record within a quoted string goes on with the quote.
    if (equals > 0 && !fields.has(key))
      fields.set(key, word.slice(equals + 1).split(/["\\,}\s]/, 1)[0] ?? '')
  }
  return fields
}

type Called = Pick<LogEvent, 'syscall' | 'number' | 'unnamed' | 'arch' | 'auditArch'>

/** A number at the very end of a line may be the beginning of a longer one. */
function readCall(fields: ReadonlyMap<string, string>): Called | LossSign {
  const [arch, syscall] = [fields.get('arch'), fields.get('syscall')]
  const goesOn = fields.has('compat') || fields.has('ip') || fields.has('code')
  if (arch === undefined || syscall === undefined || !goesOn) return TRUNCATED
  const number = toNumber(syscall)
  if (/^[0-9a-f]+$/.test(arch)) {
    if (number === undefined || arch.length > 8) return MALFORMED
    const auditArch = Number.parseInt(arch, 16)
    const name = architectureOf(auditArch, number)
    return { ...nameNumber(number, name), arch: name, auditArch }
  }
  // ausearch -i
  if (!/^[a-z]\w{1,31}$/.test(arch) || !/^[\w()-]{1,64}$/.test(syscall)) return MALFORMED
  const table = tableArch(arch)
  if (number !== undefined) return { ...nameNumber(number, arch), arch }
  const unknown = /^unknown-syscall\((-?\d{1,10})\)$/.exec(syscall)
  if (unknown !== null) {
    const told = Number(unknown[1])
    return { ...(told < 0 ? { unnamed: syscall } : nameNumber(told, arch)), arch }
  }
  const call = table === undefined ? undefined : callOf(syscall, table)
  return { ...(call ?? { unnamed: printable(syscall) }), arch }
}

function nameNumber(
  number: number,
  arch: string,
): Pick<LogEvent, 'syscall' | 'number' | 'unnamed'> {
  const syscall = nameOf(number, tableArch(arch))
  return { ...(syscall === undefined ? { unnamed: String(number) } : { syscall }), number }
}

/** asm/signal.h: SIGSYS is 31 on every architecture with a table here. 0: none was sent. */
function signalOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '0' || text === '') return undefined
  return text === '31' ? 'SIGSYS' : printable(text, 32)
}

/** pid, comm and exe: the last two are the program's own words, so they end where the kernel's begin. */
function readTask(text: string, event: Draft): void {
  const found = /(?:^|\s)pid=(\d{1,10}) comm=/.exec(text)
  if (found === null) return
  event.pid = Number(found[1])
  const bare = text.slice(found.index + found[0].length, text.lastIndexOf(' sig='))
  // journalctl -o json-pretty and dmesg --json: a record within a quoted string.
  const words = bare.startsWith('\\"') ? bare.replaceAll('\\"', '"') : bare
  const quoted = words.startsWith('"') ? words.indexOf('"', 1) : 0
  const at = words.indexOf(' exe=', Math.max(quoted, 0))
  const [first, second] = at < 0 ? [words, ''] : [words.slice(0, at), words.slice(at + 5)]
  // ausearch -i has decoded them, and says so by its date.
  const read = ENCODED.test(text) ? decodeUntrusted : asIs
  const comm = read(first.trim())
  const exe = read(second.split(' reason=', 1)[0]?.trim() ?? '')
  if (comm !== undefined) event.comm = comm
  if (exe !== undefined) event.exe = exe
}

/** The kernel's own numbers stand in front of it. */
const ENCODED = /\baudit\(\d+\.\d+:|\b(?:SECCOMP|AUDIT1326) auid=\d/

const asIs = (text: string): string | undefined =>
  text === '' || text === '(null)' || text === '?' ? undefined : printable(text)

/** ausearch --format csv. It has neither architecture nor action, and names the call or does not. */
class CsvReader {
  #columns = columnsOf(
    'NODE,EVENT,DATE,TIME,SERIAL_NUM,EVENT_KIND,SESSION,SUBJ_PRIME,SUBJ_SEC,SUBJ_KIND,ACTION,RESULT,OBJ_PRIME,OBJ_SEC,OBJ_KIND,HOW',
  )

  read(line: string, number: number): LineOutcome | undefined {
    if (line.startsWith('NODE,EVENT,') && line.includes(',SERIAL_NUM,')) {
      this.#columns = columnsOf(line)
      return 'other'
    }
    if (!/^[^,\s]*,SECCOMP,/.test(line)) return undefined
    const cells = line.split(',')
    const cell = (name: string): string => cells[this.#columns.get(name) ?? -1] ?? ''
    const [object, how] = [cell('OBJ_PRIME'), cell('HOW')]
    if (cell('ACTION') === '' || !/^[\w()-]{1,64}$/.test(object)) return MALFORMED
    const host = cell('NODE')
    const call = callOf(object, 'x86_64') ?? callOf(object, 'aarch64')
    const serial = toNumber(cell('SERIAL_NUM'))
    return {
      format: 'audit',
      line: number,
      ...(call === undefined ? { unnamed: printable(object) } : { syscall: call.syscall }),
      ...(how === '' ? {} : { exe: printable(how) }),
      ...(serial === undefined ? {} : { serial }),
      ...(host === '' ? {} : { host: printable(host) }),
      clock: printable(`${cell('DATE')} ${cell('TIME')}`, 64),
      count: 1,
    }
  }
}

const columnsOf = (header: string): ReadonlyMap<string, number> =>
  new Map(header.split(',').map((name, index) => [name.trim(), index]))
