/** Text, lines or a stream → what is in it. */
import { LogError, PolicyError } from '../errors'
import { hostArch } from '../policy/target'
import type { Arch } from '../syscalls'
import { LineSplitter } from './lines'
import { LogReader, type LineCounts, type Lost } from './reader'
import { Summariser, type LogSummary } from './summarise'
import type { LogEvent, LogFormat } from './types'

/**
 * A text; lines; or a stream. Of a stream or list, pieces that are bytes and what a Node stream gives
 * are taken as they come, lines divided anywhere; every other string ends a line, as those of
 * readline do.
 */
export type LogInput =
  string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>

export interface ReadLogOptions {
  /** Read every line so, and nothing else. By default each line is taken for what it looks like. */
  readonly format?: LogFormat | undefined
  /** The machine strace ran on, which its lines do not tell: this one's by default. */
  readonly arch?: Arch | undefined
  /** Is told every event, in constant memory. Those of strace come in the order in which the calls ended. */
  readonly onEvent?: ((event: LogEvent) => void) | undefined
}

/** What a log says: never all that was called. */
export interface LogReading {
  readonly summary: LogSummary
  readonly lost: Lost
  readonly lines: LineCounts
}

const FORMATS: readonly LogFormat[] = ['audit', 'journal-json', 'strace', 'strace-summary']

/**
 * Reads a log of any length: dmesg, syslog, journalctl (short or json), audit.log, ausearch, strace.
 *
 * @throws LogError ERR_LOG_BINARY for what is no text, ERR_LOG_NO_RECORD where there is nothing in it
 * to be read; PolicyError ERR_OPTION for a mistake in the options
 */
export async function readLog(input: LogInput, options: ReadLogOptions = {}): Promise<LogReading> {
  const { format, arch = hostArch() ?? 'x86_64', onEvent } = options
  refuse('format', format === undefined || FORMATS.includes(format), `one of ${FORMATS.join(', ')}`)
  refuse(
    'arch',
    (arch as unknown) === 'x86_64' || (arch as unknown) === 'aarch64',
    'x86_64 or aarch64',
  )
  const summariser = new Summariser()
  const reader = new LogReader({ format, arch }, (event) => {
    summariser.add(event)
    onEvent?.(event)
  })
  const splitter = new LineSplitter((line, cut) => {
    reader.line(line, cut)
  })
  let first = true
  for await (const piece of piecesOf(input)) {
    if (first && piece.length > 0) {
      refuseBinary(piece)
      first = false
    }
    splitter.write(piece)
  }
  splitter.end()
  reader.end()
  const [lines, lost] = [reader.counts, reader.lost]
  if (lines.events === 0 && lines.lost === 0) throw nothingIn(lines, format)
  return { summary: summariser.summary(), lost, lines }
}

function refuse(option: string, right: boolean, expected: string): void {
  if (!right) {
    throw new PolicyError('ERR_OPTION', {
      path: `options.${option}`,
      problem: `expected ${expected}`,
    })
  }
}

async function* piecesOf(input: LogInput): AsyncGenerator<string | Uint8Array> {
  if (typeof input === 'string' || input instanceof Uint8Array) {
    yield input
    return
  }
  const isStream = 'pipe' in input && typeof input.pipe === 'function'
  for await (const piece of input) {
    const endsLine = typeof piece === 'string' && !isStream && !piece.endsWith('\n')
    yield endsLine ? `${piece}\n` : piece
  }
}

/** How compressed files and journals begin: there is no line in them. */
const MAGIC: readonly (readonly [bytes: string, what: string, hint: string])[] = [
  ['\x1f\x8b', 'compressed with gzip', 'Unpack it first: zcat FILE.'],
  ['\x28\xb5\x2f\xfd', 'compressed with zstd', 'Unpack it first: zstdcat FILE.'],
  ['\xfd7zXZ', 'compressed with xz', 'Unpack it first: xzcat FILE.'],
  ['BZh', 'compressed with bzip2', 'Unpack it first: bzcat FILE.'],
  ['LPKSHHRH', 'a journal', 'Let journalctl read it: journalctl --file FILE -o json.'],
]

function refuseBinary(piece: string | Uint8Array): void {
  const head =
    typeof piece === 'string'
      ? piece.slice(0, 8)
      : Buffer.from(piece.subarray(0, 8)).toString('latin1')
  for (const [bytes, what, hint] of MAGIC) {
    if (head.startsWith(bytes)) {
      throw new LogError('ERR_LOG_BINARY', {
        line: 1,
        problem: `this is no text, but ${what}`,
        hint,
      })
    }
  }
}

function nothingIn({ total, binary }: LineCounts, format: LogFormat | undefined): LogError {
  if (binary > 0) {
    return new LogError('ERR_LOG_BINARY', {
      problem: `${binary} of ${total} lines are no text, and no other has anything to be read`,
      hint: 'Give it what journalctl, ausearch or dmesg print, not the file they keep.',
    })
  }
  return new LogError('ERR_LOG_NO_RECORD', {
    problem: `in ${total} lines there is ${format === undefined ? 'no SECCOMP record and no call' : `nothing of the format '${format}'`}`,
    hint:
      format === undefined
        ? 'The kernel logs a refusal only if the filter was installed with `log: true` or the action kills or is `log`; reading its log takes root.'
        : 'Leave the format out to have it found.',
  })
}
