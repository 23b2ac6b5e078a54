/**
 * Narrower rules than "this call", from the arguments that strace shows. They are offered, never
 * made by default: what was seen is the least that is needed.
 */
import { allow, oneOf } from '../policy'
import { webServer } from '../promises/web-server'
import { constantNames, constantValue, findSyscall, type Arch, type SyscallName } from '../syscalls'

/** The calls whose first or second argument says what they are for, and which argument that is. */
const TELLING: ReadonlyMap<SyscallName, number> = new Map([
  ['socket', 0],
  ['socketpair', 0],
  ['ioctl', 1],
  ['fcntl', 1],
  ['prctl', 0],
])

/** More would be no rule but a list. */
const MOST_VALUES = 32

/** Threads, and neither processes nor namespaces. */
export const ONLY_THREADS: object = webServer.syscalls.clone

const CLONE_THREAD = /\bCLONE_THREAD\b/

/** Gathers the values of one call's telling argument. */
export class Gathered {
  readonly #syscall: SyscallName
  readonly #arch: Arch
  readonly #values = new Map<bigint, string | number>()
  #readable = true
  #allThreads = true

  constructor(syscall: SyscallName, arch: Arch) {
    this.#syscall = syscall
    this.#arch = arch
  }

  static isTelling(syscall: SyscallName): boolean {
    return TELLING.has(syscall) || syscall === 'clone' || syscall === 'clone3'
  }

  add(args: readonly string[] | undefined): void {
    if (args === undefined) {
      this.#readable = false
      this.#allThreads = false
      return
    }
    this.#allThreads &&= CLONE_THREAD.test(args.join())
    const index = TELLING.get(this.#syscall)
    if (index === undefined) return
    const value = this.#read(args[index], index)
    if (value === undefined || this.#values.size >= MOST_VALUES) this.#readable = false
    else this.#values.set(value.number, value.shown)
  }

  /** `clone` and `clone3`: every one seen made a thread, not a process. */
  get onlyThreads(): boolean {
    return this.#allThreads
  }

  /** `AF_INET`, `0x5401`, `0x5401 /* TCGETS *\/`, and of an older strace `SNDCTL_X or TCGETS`. */
  #read(
    text: string | undefined,
    index: number,
  ): { number: bigint; shown: string | number } | undefined {
    const type = findSyscall(this.#syscall, this.#arch)?.args[index]
    const family = type?.constants
    if (text === undefined || family === undefined) return undefined
    for (const word of text.replace(/\/\*.*?\*\//g, '').split(' or ')) {
      const name = word.trim()
      if (/^(?:0x[0-9a-f]{1,8}|\d{1,10})$/.test(name)) {
        const number = BigInt(name)
        if (number > 0xffffffffn) return undefined
        const known = constantNames(family).find(
          (each) => constantValue(family, each, this.#arch) === number,
        )
        return { number, shown: known ?? Number(number) }
      }
      const number = constantValue(family, name, this.#arch)
      if (number !== undefined) return { number, shown: name }
    }
    return undefined
  }

  /** The narrowest rule that permits all that was seen, or undefined where something is not known. */
  rule(): object | undefined {
    if (this.#syscall === 'clone') {
      return this.#allThreads ? ONLY_THREADS : undefined
    }
    const index = TELLING.get(this.#syscall)
    if (index === undefined || !this.#readable || this.#values.size === 0) return undefined
    const argument = findSyscall(this.#syscall, this.#arch)?.args[index]
    if (argument === undefined) return undefined
    const shown = [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
    return allow.when({ [argument.name]: oneOf(...shown) })
  }
}
