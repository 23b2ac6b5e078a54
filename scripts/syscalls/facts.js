'use strict'
/**
 * Reads the facts that people edit: syscalls.tsv, effective-widths.tsv, constants.txt and
 * argument-constants.tsv. What does not hang together is an error that names its line.
 */
const fs = require('node:fs')
const path = require('node:path')

const ARCHES = ['x86_64', 'aarch64']

/** Something a person has to correct in the facts, on the machine, or in the kernel's headers. */
class GeneratorError extends Error {}

/**
 * The C types of scalar arguments: how many bits the kernel's SYSCALL_DEFINE wrapper keeps when it
 * casts the register, and whether they are signed. Types of the kernel: include/linux/types.h,
 * include/uapi/asm-generic/posix_types.h, and where noted.
 */
const SCALAR_TYPES = new Map(
  Object.entries({
    // umode_t is an unsigned short: chmod(path, 0x10000 | 0777) is chmod(path, 0777).
    umode_t: [16, 'u'],
    int: [32, 's'],
    'unsigned int': [32, 'u'],
    unsigned: [32, 'u'],
    u32: [32, 'u'],
    __u32: [32, 'u'],
    __s32: [32, 's'],
    pid_t: [32, 's'],
    uid_t: [32, 'u'],
    gid_t: [32, 'u'],
    qid_t: [32, 'u'],
    key_t: [32, 's'],
    key_serial_t: [32, 's'], // include/linux/key.h: int32_t
    clockid_t: [32, 's'],
    timer_t: [32, 's'],
    mqd_t: [32, 's'],
    rwf_t: [32, 's'], // include/uapi/linux/fs.h: __kernel_rwf_t is an int
    'enum landlock_rule_type': [32, 'u'], // no negative enumerator, so unsigned in GNU C
    long: [64, 's'],
    'unsigned long': [64, 'u'],
    size_t: [64, 'u'],
    off_t: [64, 's'],
    loff_t: [64, 's'],
    u64: [64, 'u'],
    __u64: [64, 'u'],
    aio_context_t: [64, 'u'],
  }),
)

/** Types whose name does not say that they are pointers: include/uapi/linux/capability.h. */
const POINTER_TYPES = new Set(['cap_user_header_t', 'cap_user_data_t'])

/** The lines of a facts file without comments and blank ones, each with its place for messages. */
function readLines(directory, file) {
  return fs
    .readFileSync(path.join(directory, file), 'utf8')
    .split('\n')
    .map((text, index) => ({ text: text.trimEnd(), where: `${file}:${index + 1}` }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'))
}

/** What a C type says of an argument; undefined if it is none we know. */
function declaredType(ctype) {
  const plain = ctype.replace(/^const /, '')
  if (plain.includes('*') || POINTER_TYPES.has(plain)) {
    return { width: 64, signed: false, pointer: true }
  }
  const scalar = SCALAR_TYPES.get(plain)
  if (scalar === undefined) return undefined
  return { width: scalar[0], signed: scalar[1] === 's', pointer: false }
}

/** `const struct x * name` → the C type and the argument's name. */
function parseArgument(text, where) {
  const match = /^(.*?[ *])([A-Za-z_][A-Za-z0-9_]*)$/.exec(text)
  if (match === null) throw new GeneratorError(`${where}: not an argument: "${text}"`)
  const ctype = match[1].trim()
  const type = declaredType(ctype)
  if (type === undefined) {
    throw new GeneratorError(`${where}: unknown C type "${ctype}": say in facts.js how wide it is`)
  }
  return { name: match[2], ctype, ...type }
}

/** undefined: the kernel never implemented the call, nobody can name its arguments. */
function parseArguments(text, where) {
  if (text === '?') return undefined
  if (text === '(none)') return []
  const args = text.split('; ').map((argument) => parseArgument(argument, where))
  if (args.length > 6) throw new GeneratorError(`${where}: a system call has at most six arguments`)
  const names = new Set(args.map(({ name }) => name))
  if (names.size !== args.length) throw new GeneratorError(`${where}: an argument is named twice`)
  return args
}

function readSyscalls(directory) {
  const syscalls = new Map()
  for (const { text, where } of readLines(directory, 'syscalls.tsv')) {
    const [name, x86Number, x86Since, armNumber, armSince, declared, armDeclared, source, ...rest] =
      text.split('\t')
    if (source === undefined || source === '' || rest.length > 0) {
      throw new GeneratorError(`${where}: eight columns expected, the last names the source`)
    }
    if (!/^[a-z_][a-z0-9_]*$/.test(name)) throw new GeneratorError(`${where}: bad name "${name}"`)
    if (syscalls.has(name)) throw new GeneratorError(`${where}: ${name} is there twice`)
    const args = parseArguments(declared, where)
    const armArgs = parseArguments(armDeclared === '' ? declared : armDeclared, where)
    if (
      new Set([...(args ?? []), ...(armArgs ?? [])].map((a) => a.name)).size !== (args ?? []).length
    ) {
      // The types of the library have one set of names for a call, whatever the order.
      throw new GeneratorError(`${where}: ${name} has other argument names on aarch64`)
    }
    const on = (number, since, argumentsHere) => {
      if (number === '-' && since === '-') return undefined
      if (!/^\d+$/.test(number) || !/^\d+\.\d+$/.test(since)) {
        throw new GeneratorError(`${where}: a number and a first kernel "X.Y", or - twice`)
      }
      return { number: Number(number), since, args: argumentsHere ?? [] }
    }
    const x86_64 = on(x86Number, x86Since, args)
    const aarch64 = on(armNumber, armSince, armArgs)
    if (x86_64 === undefined && aarch64 === undefined) {
      throw new GeneratorError(`${where}: ${name} exists nowhere`)
    }
    syscalls.set(name, { name, where, source, known: args !== undefined, x86_64, aarch64 })
  }
  for (const arch of ARCHES) {
    const byNumber = new Map()
    for (const syscall of syscalls.values()) {
      if (syscall[arch] === undefined) continue
      const other = byNumber.get(syscall[arch].number)
      if (other !== undefined) {
        throw new GeneratorError(`${syscall.where}: ${other} has the same number on ${arch}`)
      }
      byNumber.set(syscall[arch].number, syscall.name)
    }
  }
  return syscalls
}

/** Calls `visit` with the argument, once for each architecture, that `syscall.argument` names. */
function visitArgument(syscalls, reference, where, visit) {
  const [name, argument] = reference.split('.')
  const syscall = syscalls.get(name)
  let found = false
  for (const arch of ARCHES) {
    const info = syscall?.[arch]?.args.find((candidate) => candidate.name === argument)
    if (info === undefined) continue
    found = true
    visit(info)
  }
  if (!found) throw new GeneratorError(`${where}: there is no ${reference}`)
}

/** Applies effective-widths.tsv. Returns its rows, for the documentation. */
function applyWidths(directory, syscalls) {
  const seen = new Set()
  const rows = []
  for (const { text, where } of readLines(directory, 'effective-widths.tsv')) {
    const [references, width, sign, why] = text.split('\t')
    if (!['16', '32', '64'].includes(width) || !['s', 'u'].includes(sign) || !why) {
      throw new GeneratorError(`${where}: arguments, width, s or u, and why, separated by tabs`)
    }
    for (const reference of references.split(' ')) {
      if (seen.has(reference)) throw new GeneratorError(`${where}: ${reference} is there twice`)
      seen.add(reference)
      visitArgument(syscalls, reference, where, (info) => {
        if (info.pointer || info.width < Number(width)) {
          throw new GeneratorError(`${where}: ${reference} is a ${info.ctype}: nothing to narrow`)
        }
        if (info.width === Number(width) && info.signed !== (sign === 's')) {
          throw new GeneratorError(`${where}: ${reference} is a ${info.ctype}: wrong sign`)
        }
        info.width = Number(width)
        info.signed = sign === 's'
      })
    }
    rows.push({
      references: references.split(' '),
      width: Number(width),
      signed: sign === 's',
      why,
    })
  }
  for (const syscall of syscalls.values()) {
    for (const arch of ARCHES) {
      for (const info of syscall[arch]?.args ?? []) {
        const isLong = info.ctype === 'long' || info.ctype === 'unsigned long'
        if (isLong && !seen.has(`${syscall.name}.${info.name}`)) {
          throw new GeneratorError(
            `${syscall.where}: ${syscall.name}.${info.name} is a ${info.ctype}: ` +
              `look up how many bits the kernel uses and say so in effective-widths.tsv`,
          )
        }
      }
    }
  }
  return rows
}

/**
 * Families in file order. Each name has `include` (the headers to look it up with) or `fact` (a
 * value for each architecture, where the name exists), and `on`, the architectures it exists on.
 */
function readConstants(directory) {
  const families = new Map()
  let family
  let include
  let source
  for (const { text, where } of readLines(directory, 'constants.txt')) {
    const heading = /^family ([A-Z][A-Z0-9_]*) {3}(\S.*)$/.exec(text)
    if (heading !== null) {
      if (families.has(heading[1]))
        throw new GeneratorError(`${where}: ${heading[1]} is there twice`)
      family = { name: heading[1], title: heading[2], constants: new Map(), where }
      families.set(family.name, family)
      include = source = undefined
    } else if (text.startsWith('include ')) {
      include = text.slice('include '.length).split(' ')
      source = undefined
    } else if (text.startsWith('facts ') && include !== undefined) {
      source = text.slice('facts '.length)
    } else if (family === undefined || include === undefined) {
      throw new GeneratorError(`${where}: a family and its "include" must come first`)
    } else {
      for (const word of text.split(/ +/)) {
        const match =
          /^([A-Za-z_][A-Za-z0-9_]*)(?:=(-?\d+|0x[0-9a-f]+))?(?:@(x86_64|aarch64))?$/.exec(word)
        if (match === null || (match[2] === undefined) !== (source === undefined)) {
          throw new GeneratorError(`${where}: not a name${source ? '=value' : ''}: "${word}"`)
        }
        if (family.constants.has(match[1])) {
          throw new GeneratorError(`${where}: ${match[1]} is in ${family.name} twice`)
        }
        family.constants.set(match[1], {
          where,
          on: match[3] === undefined ? ARCHES : [match[3]],
          // A fact is looked up too: where the headers have it by now, they must agree.
          include,
          fact: match[2] === undefined ? undefined : BigInt(match[2]),
        })
      }
    }
  }
  for (const { constants, where, name } of families.values()) {
    if (constants.size === 0) throw new GeneratorError(`${where}: ${name} is empty`)
  }
  return families
}

/** Applies argument-constants.tsv. */
function attachConstants(directory, syscalls, families) {
  const attached = new Set(['ERRNO'])
  for (const { text, where } of readLines(directory, 'argument-constants.tsv')) {
    const [family, references, ...rest] = text.split('\t')
    if (!families.has(family) || references === undefined || rest.length > 0) {
      throw new GeneratorError(`${where}: a family of constants.txt and its arguments expected`)
    }
    attached.add(family)
    for (const reference of references.split(' ')) {
      visitArgument(syscalls, reference, where, (info) => {
        if (info.pointer || info.constants !== undefined) {
          throw new GeneratorError(`${where}: ${reference} is a pointer, or has a family already`)
        }
        info.constants = family
      })
    }
  }
  for (const { name, where } of families.values()) {
    if (!attached.has(name)) throw new GeneratorError(`${where}: no argument takes ${name}`)
  }
}

module.exports = {
  ARCHES,
  GeneratorError,
  applyWidths,
  attachConstants,
  declaredType,
  parseArguments,
  readConstants,
  readSyscalls,
}
