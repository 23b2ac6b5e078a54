/** A stream that is written to, and what it can show. */

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

/** Where nobody says how wide it is. */
const COLUMNS = 80

type Environment = Readonly<Record<string, string | undefined>>

export class Output {
  readonly #open: () => NodeJS.WriteStream
  readonly #environment: Environment
  #opened: NodeJS.WriteStream | undefined
  /** Nobody reads it any more (EPIPE): what is written goes nowhere. */
  closed = false

  /** @param open gives the stream on first use: Node takes a while to make one */
  constructor(open: () => NodeJS.WriteStream, environment: Environment) {
    this.#open = open
    this.#environment = environment
  }

  get #stream(): NodeJS.WriteStream {
    if (this.#opened !== undefined) return this.#opened
    const stream = this.#open()
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `seccomp-ts logs | head`: the reader has what it wanted.
      if (error.code !== 'EPIPE') throw error
      this.closed = true
    })
    this.#opened = stream
    return stream
  }

  /** Whether somebody watches: a place for progress. */
  get isTerminal(): boolean {
    return this.#stream.isTTY
  }

  get columns(): number {
    return this.isTerminal ? this.#stream.columns : COLUMNS
  }

  write(data: string | Uint8Array): void {
    if (!this.closed) this.#stream.write(data)
  }

  line(text = ''): void {
    this.write(`${text}\n`)
  }

  /** Integers beyond what JSON's readers keep are written as text. */
  json(value: unknown): void {
    const plain = (_key: string, field: unknown): unknown =>
      typeof field === 'bigint' ? field.toString() : field
    this.line(JSON.stringify(value, plain, 2))
  }

  style(style: Style, text: string): string {
    if (!wantsColour(this.#stream, this.#environment)) return text
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

  /** Resolves when all of it was handed on. */
  async flushed(): Promise<void> {
    if (this.closed || this.#opened === undefined) return
    await new Promise<void>((resolve) => {
      this.#stream.write('', () => {
        resolve()
      })
    })
  }
}

/** no-color.org; FORCE_COLOR as Node itself reads it (tty.WriteStream.getColorDepth). */
function wantsColour({ isTTY }: NodeJS.WriteStream, environment: Environment): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: terminal } = environment
  if (forced !== undefined) return ['', '1', '2', '3', 'true'].includes(forced)
  if (none !== undefined && none !== '') return false
  return isTTY && terminal !== 'dumb'
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
