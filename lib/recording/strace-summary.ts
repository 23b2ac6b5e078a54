/**
 * The table of `strace -c`: a row a call, with how many were made and how many of those failed. Who
 * made them it does not say.
 */
import type { Arch } from '../syscalls'
import { callOf } from './names'
import { nameCall } from './strace'
import type { FormatReader, LineOutcome } from './types'

const HEADER = /^\s*% time\s+seconds\s.*\bsyscall\s*$/
const RULE = /^(?:-+ +)+-+\s*$/
/** Percent, seconds, microseconds a call, calls, and errors if there were any. */
const ROW = /^\s*(\d{1,3}\.\d\d)\s+(\d+\.\d+)((?:\s+\d+(?:\.\d+)?)*)\s+([a-z_]\w{0,63})\s*$/
const NUMBERS_LAST = /^\s*\d{1,3}\.\d\d\s/

const COLUMNS = ['% time', 'seconds', 'usecs/call', 'calls', 'errors', 'syscall']

export class StraceSummaryReader implements FormatReader {
  readonly #arch: Arch
  #columns: readonly string[] = COLUMNS
  #inTable = false

  constructor(arch: Arch) {
    this.#arch = arch
  }

  read(line: string, number: number): LineOutcome | undefined {
    if (HEADER.test(line)) {
      this.#columns = line.trim().replace('% time', '%_time').split(/\s+/)
      this.#inTable = true
      return 'other'
    }
    if (RULE.test(line)) return this.#inTable ? 'other' : undefined
    const row = ROW.exec(line)
    if (row === null) {
      const damaged = this.#inTable && NUMBERS_LAST.test(line)
      this.#inTable = false
      return damaged ? { loss: 'malformed' } : undefined
    }
    const [, , , numbers = '', name = ''] = row
    if (name === 'total') {
      this.#inTable = false
      return 'other'
    }
    const known = callOf(name, this.#arch) !== undefined || name.startsWith('syscall_0x')
    if (!known && !this.#inTable) return undefined
    return this.#event(name, numbers.trim().split(/\s+/), number)
  }

  /** The errors are left blank where there are none, the only column that is. */
  #event(name: string, cells: readonly string[], line: number): LineOutcome {
    // Without the name, the percentage and the seconds, which come first.
    const columns = this.#columns.slice(2, -1)
    const at = columns.indexOf('calls')
    const errorsAt = columns.indexOf('errors')
    const blank = cells.length === columns.length - 1 && errorsAt >= 0
    if (!blank && cells.length !== columns.length) return { loss: 'malformed' }
    const calls = Number(cells[blank && errorsAt < at ? at - 1 : at])
    const failed = blank || errorsAt < 0 ? 0 : Number(cells[errorsAt])
    if (!Number.isSafeInteger(calls) || calls < 1 || !Number.isSafeInteger(failed)) {
      return { loss: 'malformed' }
    }
    return {
      format: 'strace-summary',
      line,
      ...nameCall(name, undefined, this.#arch),
      arch: this.#arch,
      count: calls,
      // The only one there is must be the one with which strace started the program.
      ...(name === 'execve' && calls === 1 ? { launch: true } : {}),
      ...(failed === 0 ? {} : { failed }),
    }
  }
}
