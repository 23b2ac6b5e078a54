/** Standard output and error, and what they can show. */
import { fstatSync, writeSync } from 'node:fs'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** ECMA-48, Select Graphic Rendition: on, off. */
const CODES: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

/**
 * Controls and marks of direction, but for tabs, ends of lines, and the sequences of `style`, which are left
 * whole: ECMA-48, and Unicode's Bidi_Control.
 */
const UNSEEN =
  /(?!\u001b\[\d{1,2}m)[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

const escaped = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Where nobody says how wide it is. */
const COLUMNS = 80

type Environment = Readonly<Record<string, string | undefined>>

/** linux/major.h, MEM_MAJOR: /dev/null and its like are character devices, and no terminals. */
const MEM_MAJOR = 1

export class Output {
  readonly #fd: 1 | 2
  readonly #environment: Environment
  #colour: boolean | undefined
  #terminal: NodeJS.WriteStream | null | undefined
  /** Nobody reads it any more (EPIPE): what is written goes nowhere. */
  closed = false

  constructor(fd: 1 | 2, environment: Environment) {
    this.#fd = fd
    this.#environment = environment
  }

  /**
   * Node's own stream, where it is a terminal. Files and pipes are written to without: to make a stream
   * for them takes Node as long as most commands do.
   */
  get #stream(): NodeJS.WriteStream | null {
    if (this.#terminal !== undefined) return this.#terminal
    this.#terminal = null
    if (mayBeTerminal(this.#fd)) {
      const stream = this.#fd === 1 ? process.stdout : process.stderr
      if (stream.isTTY) this.#terminal = stream
    }
    return this.#terminal
  }

  /** Whether somebody watches: a place for progress. */
  get isTerminal(): boolean {
    return this.#stream !== null
  }

  get columns(): number {
    return this.#stream?.columns ?? COLUMNS
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    for (let done = 0; done < bytes.length && !this.closed;) {
      try {
        done += writeSync(this.#fd, bytes, done)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        // `seccomp-ts logs | head`: the reader has what it wanted.
        if (code === 'EPIPE') this.closed = true
        // Somebody else who has this pipe made it non-blocking.
        else if (code === 'EAGAIN') Atomics.wait(NOTHING, 0, 0, RETRY)
        else throw error
      }
    }
  }

  /** What names and files say may not move the cursor, or pass for something else. */
  line(text = ''): void {
    this.write(`${text.replace(UNSEEN, escaped)}\n`)
  }

  /** Integers beyond what JSON's readers keep are written as text. */
  json(value: unknown): void {
    const plain = (_key: string, field: unknown): unknown =>
      typeof field === 'bigint' ? field.toString() : field
    this.line(JSON.stringify(value, plain, 2))
  }

  style(style: Style, text: string): string {
    this.#colour ??= wantsColour(this.#environment, () => this.isTerminal)
    if (!this.#colour) return text
    const [on, off] = CODES[style]
    return `\u001b[${on}m${text}\u001b[${off}m`
  }

  /** Columns side by side, without colour: a row a line. */
  table(rows: readonly (readonly string[])[], indent = '  '): void {
    const widths: number[] = []
    for (const row of rows) {
      row.forEach((cell, index) => {
        widths[index] = Math.max(widths[index] ?? 0, cell.length)
      })
    }
    for (const row of rows) {
      const cells = row.map((cell, index) => cell.padEnd(widths[index] ?? 0))
      this.line(`${indent}${cells.join('  ')}`.trimEnd())
    }
  }
}

/** For Atomics.wait, which is Node's way to sleep. */
const NOTHING = new Int32Array(new SharedArrayBuffer(4))

/** Milliseconds until a full pipe is tried again. */
const RETRY = 5

function mayBeTerminal(fd: number): boolean {
  try {
    const found = fstatSync(fd)
    return found.isCharacterDevice() && found.rdev >> 8 !== MEM_MAJOR
  } catch {
    // Closed: writing to it says so.
    return false
  }
}

/** no-color.org; FORCE_COLOR as Node itself reads it (tty.WriteStream.getColorDepth). */
function wantsColour(environment: Environment, isTerminal: () => boolean): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: terminal } = environment
  if (forced !== undefined) return ['', '1', '2', '3', 'true'].includes(forced)
  if (none !== undefined && none !== '') return false
  return terminal !== 'dumb' && isTerminal()
}

/** Lines of at most so many columns, broken between words. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
