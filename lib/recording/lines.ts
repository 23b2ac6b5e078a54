/**
 * Pieces of text or bytes → lines, in constant memory: no line is kept longer than a bound, however
 * long it is.
 */
import { StringDecoder } from 'node:string_decoder'

/** A record is at most 8,970 bytes (MAX_AUDIT_MESSAGE_LENGTH), journald's at most 48 KiB by default. */
export const LONGEST_LINE = 65_536

export type LineSink = (line: string, cut: boolean) => void

export class LineSplitter {
  readonly #sink: LineSink
  readonly #decoder = new StringDecoder('utf8')
  #begun = ''
  #cut = false

  constructor(sink: LineSink) {
    this.#sink = sink
  }

  write(piece: string | Uint8Array): void {
    const text =
      typeof piece === 'string'
        ? piece
        : this.#decoder.write(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength))
    let from = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      this.#add(text, from, at)
      this.#finish()
      from = at + 1
    }
    this.#add(text, from, text.length)
  }

  /** What has no line end yet is a line. */
  end(): void {
    const rest = this.#decoder.end()
    this.#add(rest, 0, rest.length)
    if (this.#begun !== '' || this.#cut) this.#finish()
  }

  #add(text: string, from: number, to: number): void {
    const room = LONGEST_LINE - this.#begun.length
    if (to - from > room) this.#cut = true
    this.#begun += text.slice(from, Math.min(to, from + room))
  }

  #finish(): void {
    const line = this.#begun.endsWith('\r') ? this.#begun.slice(0, -1) : this.#begun
    const cut = this.#cut
    this.#begun = ''
    this.#cut = false
    this.#sink(line, cut)
  }
}
