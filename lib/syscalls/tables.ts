/**
 * Look-ups in the generated tables.
 *
 * The tables are long strings. Nothing is parsed before it is asked for, and then only so much: the
 * names once, a call's arguments when that call is looked up, a family's constants when one of them
 * is. A policy names a few dozen calls of almost four hundred. Everything is kept in Maps, so that
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

/** Name → the rest of its line in the table. */
const records = lazily(
  () => new Map(lines(tables().SYSCALLS).map((line) => cut(line, '\t') as [SyscallName, string])),
)

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

function parseSyscall(name: SyscallName, record: string, arch: Arch): SyscallInfo | undefined {
  const [x86Number = '', x86Since = '', armNumber = '', armSince = '', args = '', armArgs = ''] =
    record.split('\t')
  const number = arch === 'x86_64' ? x86Number : armNumber
  if (number === '') return undefined
  const declared = arch === 'aarch64' && armArgs !== '' ? armArgs : args
  const parsed = lazily(() =>
    Object.freeze(declared === '' ? [] : declared.split(';').map(parseArgument)),
  )
  return Object.freeze({
    name,
    number: Number(number),
    since: arch === 'x86_64' ? x86Since : armSince,
    // Most calls are only asked for their number.
    get args() {
      return parsed()
    },
  })
}

/** One instance for each architecture. */
function perArch<T>(make: (arch: Arch) => T): (arch: Arch) => T {
  const made = new Map<Arch, T>()
  return (arch) => {
    let value = made.get(arch)
    if (value === undefined) made.set(arch, (value = make(arch)))
    return value
  }
}

const found = perArch(() => new Map<string, SyscallInfo>())

/** The call of that name, or undefined where the architecture does not have it. */
export function findSyscall(name: string, arch: Arch): SyscallInfo | undefined {
  const cache = found(arch)
  const known = cache.get(name)
  if (known !== undefined) return known
  const record = records().get(name as SyscallName)
  if (record === undefined) return undefined
  const info = parseSyscall(name as SyscallName, record, arch)
  if (info !== undefined) cache.set(name, info)
  return info
}

/** Whether a call of that name exists, on any architecture. */
export function isSyscallName(name: string): name is SyscallName {
  return records().has(name as SyscallName)
}

/** Number → name. Also the order of `syscallNames(arch)`: by name, as in the table. */
const numbers = perArch((arch) => {
  const column = arch === 'x86_64' ? 0 : 2
  const byNumber = new Map<number, SyscallName>()
  for (const [name, record] of records()) {
    const number = record.split('\t', 3)[column] ?? ''
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

const errnoNames = lazily(() => {
  const byNumber = new Map<number, ErrnoName>()
  // EWOULDBLOCK and its like come after the name that everybody uses.
  for (const [name, value] of errnos()) if (!byNumber.has(value)) byNumber.set(value, name)
  return byNumber
})

export function errnoValue(name: string): number | undefined {
  return errnos().get(name as ErrnoName)
}

export function errnoName(value: number): ErrnoName | undefined {
  return errnoNames().get(value)
}
