/**
 * Look-ups in the generated tables.
 *
 * The tables are long strings. Nothing is parsed before it is asked for, and then only so much: the
 * names once, a call's arguments when they are looked at, a family's constants when one of them is. A policy names a few dozen calls of almost four hundred. Everything is kept in Maps, so that
 * `constructor` or `__proto__` from a policy file is a name like any other, and unknown.
 */
import type * as Tables from './generated/tables'
import type {
  Arch,
  ArgumentInfo,
  ConstantFamily,
  ErrnoName,
  SyscallInfo,
  SyscallName,
  Width,
} from './types'

/** What the kernel puts into `seccomp_data.arch`: AUDIT_ARCH_*, linux/audit.h. */
export const AUDIT_ARCH: Readonly<Record<Arch, number>> = Object.freeze({
  x86_64: 0xc000003e,
  aarch64: 0xc00000b7,
})

/** Calls `make` once, on first use. */
function lazily<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

/** Half of all the code in the package, and a ready policy needs none of it. */
const tables = lazily(() => require('./generated/tables') as typeof Tables)

const lines = (text: string): string[] => text.split('\n')

/** The text before the first separator, and the rest. */
function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/**
 * Name → where the rest of its line begins in the table. A process that has just started pays for
 * every kilobyte it allocates, so a line is taken apart only where something in it is asked for.
 */
const records = lazily(() => {
  const text = tables().SYSCALLS
  const starts = new Map<SyscallName, number>()
  for (let at = 0; at < text.length;) {
    const tab = text.indexOf('\t', at)
    starts.set(text.slice(at, tab) as SyscallName, tab + 1)
    at = endOf(text, '\n', tab) + 1
  }
  return starts
})

/** Where the separator is, or the end of the text. */
function endOf(text: string, separator: string, from: number): number {
  const at = text.indexOf(separator, from)
  return at < 0 ? text.length : at
}

/** What stands in a record: number and first kernel on each architecture, then the arguments. */
const enum Column {
  x86Number,
  x86Since,
  armNumber,
  armSince,
  args,
  /** Where aarch64 has others. */
  armArgs,
}

function columnOf(record: number, column: Column): string {
  const text = tables().SYSCALLS
  const end = endOf(text, '\n', record)
  let start = record
  for (let skip: number = column; skip > 0; skip--) start = endOf(text, '\t', start) + 1
  // Empty columns at the end of a line are left out.
  return start > end ? '' : text.slice(start, Math.min(end, endOf(text, '\t', start)))
}

/** C type → how much of a register it is, for those that are not plainly pointers. */
const argumentTypes = lazily(
  () => new Map(lines(tables().ARGUMENT_TYPES).map((line) => cut(line, '='))),
)

/** `int family,AF` or `unsigned long fd/32u`: a declaration, its constants, a narrower use. */
function parseArgument(text: string): ArgumentInfo {
  const [declared, narrowed] = cut(text, '/')
  const [declaration, constants] = cut(declared, ',')
  const space = declaration.lastIndexOf(' ')
  const ctype = declaration.slice(0, space)
  const declaredUse = ctype.includes('*') ? 'p' : argumentTypes().get(ctype)
  const use = narrowed === '' ? declaredUse : narrowed
  if (use === undefined) throw new Error(`the generated tables are damaged at "${text}"`)
  const pointer = use === 'p'
  return Object.freeze({
    name: declaration.slice(space + 1),
    ctype,
    width: pointer ? 64 : (Number.parseInt(use, 10) as Width),
    signed: use.endsWith('s'),
    pointer,
    ...(constants === '' ? {} : { constants: constants as ConstantFamily }),
  })
}

class Syscall implements SyscallInfo {
  readonly name: SyscallName
  readonly number: number
  readonly #arch: Arch
  readonly #record: number
  #args: readonly ArgumentInfo[] | undefined

  constructor(name: SyscallName, number: number, arch: Arch, record: number) {
    this.name = name
    this.number = number
    this.#arch = arch
    this.#record = record
    Object.freeze(this)
  }

  get since(): string {
    return columnOf(this.#record, this.#arch === 'x86_64' ? Column.x86Since : Column.armSince)
  }

  get args(): readonly ArgumentInfo[] {
    return (this.#args ??= this.#parseArguments())
  }

  #parseArguments(): readonly ArgumentInfo[] {
    const own = this.#arch === 'aarch64' ? columnOf(this.#record, Column.armArgs) : ''
    const declared = own === '' ? columnOf(this.#record, Column.args) : own
    return Object.freeze(declared === '' ? [] : declared.split(';').map(parseArgument))
  }
}

const numberOf = (record: number, arch: Arch): string =>
  columnOf(record, arch === 'x86_64' ? Column.x86Number : Column.armNumber)

/** One instance for each architecture. */
function perArch<T>(make: (arch: Arch) => T): (arch: Arch) => T {
  const made = new Map<Arch, T>()
  return (arch) => {
    let value = made.get(arch)
    if (value === undefined) made.set(arch, (value = make(arch)))
    return value
  }
}

/** The call of that name, or undefined where the architecture does not have it. */
export function findSyscall(name: string, arch: Arch): SyscallInfo | undefined {
  const record = records().get(name as SyscallName)
  if (record === undefined) return undefined
  const number = numberOf(record, arch)
  return number === '' ? undefined : new Syscall(name as SyscallName, Number(number), arch, record)
}

/** Whether a call of that name exists, on any architecture. */
export function isSyscallName(name: string): name is SyscallName {
  return records().has(name as SyscallName)
}

/** Number → name. Also the order of `syscallNames(arch)`: by name, as in the table. */
const numbers = perArch((arch) => {
  const byNumber = new Map<number, SyscallName>()
  for (const [name, record] of records()) {
    const number = numberOf(record, arch)
    if (number !== '') byNumber.set(Number(number), name)
  }
  return byNumber
})

const allNames = lazily(() => Object.freeze([...records().keys()]))
const archNames = perArch((arch) => Object.freeze([...numbers(arch).values()]))

/** All names, sorted: of one architecture, or of all. */
export function syscallNames(arch?: Arch): readonly SyscallName[] {
  return arch === undefined ? allNames() : archNames(arch)
}

/** The name of a number, or undefined where the table has none. */
export function syscallName(number: number, arch: Arch): SyscallName | undefined {
  return numbers(arch).get(number)
}

const familyTexts = lazily(() => new Map(lines(tables().CONSTANTS).map((line) => cut(line, ' '))))

/** Name → its value, or `x86-64/aarch64` where those differ. */
const parsePairs = (text: string): Map<string, string> =>
  new Map(text.split(' ').map((pair) => cut(pair, '=')))

interface Family {
  readonly names: readonly string[]
  readonly values: ReadonlyMap<string, string>
}

const families = new Map<string, Family>()

function findFamily(family: string): Family | undefined {
  let known = families.get(family)
  if (known === undefined) {
    const text = familyTexts().get(family)
    if (text === undefined) return undefined
    const values = parsePairs(text)
    known = { values, names: Object.freeze([...values.keys()]) }
    families.set(family, known)
  }
  return known
}

/** The value of a constant, or undefined where the family or the architecture does not have it. */
export function constantValue(
  family: ConstantFamily,
  name: string,
  arch: Arch,
): bigint | undefined {
  const text = findFamily(family)?.values.get(name)
  if (text === undefined) return undefined
  const [x86, arm] = text.split('/')
  const value = arm === undefined || arch === 'x86_64' ? x86 : arm
  return value === undefined || value === '' ? undefined : BigInt(value)
}

/** The names of a family on any architecture; of two with the same value, the usual one first. */
export function constantNames(family: ConstantFamily): readonly string[] {
  return findFamily(family)?.names ?? []
}

const errnos = lazily(
  () =>
    new Map(
      [...parsePairs(tables().ERRNOS)].map(([name, value]) => [name as ErrnoName, Number(value)]),
    ),
)

const errnosByNumber = lazily(() => {
  const byNumber = new Map<number, ErrnoName>()
  // EWOULDBLOCK and its like come after the name that everybody uses.
  for (const [name, value] of errnos()) if (!byNumber.has(value)) byNumber.set(value, name)
  return byNumber
})

/** All names, the usual ones first. */
export const errnoNames = (): readonly ErrnoName[] => [...errnos().keys()]

export function errnoValue(name: string): number | undefined {
  return errnos().get(name as ErrnoName)
}

export function errnoName(value: number): ErrnoName | undefined {
  return errnosByNumber().get(value)
}
