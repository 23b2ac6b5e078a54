/** A call as people write it → the registers a filter sees. */
import { PolicyError } from '../errors'
import { archByNodeName, hostTarget, type Target } from '../policy'
import { findArgument, resolveValue } from '../policy/normalise'

import { describeValue, readFields, readList, reading, refuseUnknownKeys } from '../policy/snapshot'
import {
  AUDIT_ARCH,
  constantNames,
  constantValue,
  findSyscall,
  isSyscallName,
  suggest,
  syscallName,
  syscallNames,
  type Arch,
  type ArgumentInfo,
  type SyscallInfo,
  type SyscallName,
} from '../syscalls'
import { manArgument } from '../syscalls/man-arguments'
import type { Call } from './interpreter'

/** A value for an argument: an integer, or the name of a constant (`'AF_INET'`). */
export type CallValue = number | bigint | string

/** A system call to try. */
export interface CallDescription {
  /** By name, or by number. */
  readonly syscall: SyscallName | number
  /**
   * By the kernel's names for them, those of the manual pages, or as `arg0` … `arg5`; or in order. Those
   * that are missing are 0. A negative value fills the register, as a C compiler would: -1 is
   * 0xffffffffffffffff. Flags may be combined: `'PROT_READ|PROT_WRITE'`.
   */
  readonly args?: readonly CallValue[] | Readonly<Record<string, CallValue>> | undefined
  /** The architecture of the call, by name or as AUDIT_ARCH_*: the target's own by default. */
  readonly arch?: Arch | number | undefined
}

/** @throws PolicyError, with a path from `call` */
export const parseCall = (input: unknown, target: Target = hostTarget()): Call =>
  reading('call', () => {
    const fields = readFields(input, 'call', 'an object with a syscall')
    refuseUnknownKeys(fields, ['syscall', 'args', 'arch'], 'call', 'a call')
    const { auditArch, arch } = parseArch(fields.get('arch'), target.arch)
    const { number, info } = parseSyscall(fields.get('syscall'), arch)
    const args = parseArguments(fields.get('args'), info, { ...target, arch: arch ?? target.arch })
    return { arch: auditArch, number, args, instructionPointer: 0n }
  })

const isWord = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff

/** The tables' architecture with this AUDIT_ARCH_* value. */
export function archOf(auditArch: number): Arch | undefined {
  const arches = Object.keys(AUDIT_ARCH) as Arch[]
  return arches.find((arch) => AUDIT_ARCH[arch] === auditArch)
}

function parseArch(value: unknown, fallback: Arch): { auditArch: number; arch: Arch | undefined } {
  if (isWord(value)) return { auditArch: value, arch: archOf(value) }
  const arch = value ?? fallback
  if (arch === 'x86_64' || arch === 'aarch64') return { auditArch: AUDIT_ARCH[arch], arch }
  throw new PolicyError('ERR_OPTION', {
    path: 'call.arch',
    problem: `expected x86_64, aarch64 or an AUDIT_ARCH_* value, got ${describeValue(value)}`,
    suggestion: archByNodeName(value),
  })
}

function parseSyscall(
  value: unknown,
  arch: Arch | undefined,
): { number: number; info: SyscallInfo | undefined } {
  const path = 'call.syscall'
  if (isWord(value)) {
    const name = arch === undefined ? undefined : syscallName(value, arch)
    const info = name === undefined || arch === undefined ? undefined : findSyscall(name, arch)
    return { number: value, info }
  }
  if (typeof value !== 'string') {
    throw new PolicyError('ERR_VALUE_TYPE', {
      path,
      problem: `expected the name or number of a system call, got ${describeValue(value)}`,
    })
  }
  const info = arch === undefined ? undefined : findSyscall(value, arch)
  if (info === undefined) {
    throw new PolicyError('ERR_UNKNOWN_SYSCALL', {
      path,
      problem: isSyscallName(value)
        ? `'${value}' has no number on ${arch ?? 'that architecture'}`
        : `there is no system call '${value}'`,
      suggestion: isSyscallName(value) ? undefined : suggest(value, syscallNames(arch)),
    })
  }
  return { number: info.number, info }
}

function parseArguments(value: unknown, info: SyscallInfo | undefined, target: Target): bigint[] {
  const args = [0n, 0n, 0n, 0n, 0n, 0n]
  if (value === undefined) return args
  const path = 'call.args'
  if (Array.isArray(value)) {
    readList(value, path, 'a list of values', args.length).forEach((each, index) => {
      args[index] = toRegister(each, `${path}[${index}]`, info?.args[index], target)
    })
    return args
  }
  for (const [name, each] of readFields(value, path, 'values by argument name')) {
    const at = `${path}.${name}`
    const { argument, type } = argumentOf(name, at, info ?? UNNAMED)
    args[argument] = toRegister(each, at, type, target)
  }
  return args
}

/** By the kernel's name, or the manual page's where the kernel has none like it. */
function argumentOf(
  name: string,
  path: string,
  info: SyscallInfo,
): ReturnType<typeof findArgument> {
  const known = info.args.some((argument) => argument.name === name)
  const position = known ? -1 : manArgument(info.name, name)
  const argument = info.args[position]
  return findArgument(argument?.name ?? name, path, info)
}

/** A number without a name has arguments without names. */
const UNNAMED: SyscallInfo = {
  name: 'a call without a name' as SyscallName,
  number: 0,
  since: '',
  args: [],
}

function toRegister(
  value: unknown,
  path: string,
  type: ArgumentInfo | undefined,
  target: Target,
): bigint {
  // Whatever a register can hold may be tried, also what its C type would cut off.
  const context = { width: 64, signed: true, type, target }
  const parts = typeof value === 'string' && value.includes('|') ? value.split('|') : [value]
  return parts.reduce<bigint>((all, part) => {
    const each = typeof part === 'string' ? part.trim() : part
    return all | BigInt.asUintN(64, resolveValue(each, path, context))
  }, 0n)
}

/** An argument of a call that was found, as people read it. */
export interface ArgumentValue {
  /** The kernel's name for it, or `arg0` … `arg5`. */
  readonly name: string
  readonly value: bigint
  /** The constant of that value, where there is one. */
  readonly constant?: string
}

/** A call that was found, as people read it. */
export interface CallReport extends Call {
  readonly syscall?: SyscallName
  readonly named: readonly ArgumentValue[]
  /** `socket(family: AF_INET, type: 0x1)` */
  readonly text: string
}

/** Names for the numbers of a call. Arguments beyond the call's own are told where they are not 0. */
export function describeCall(call: Call): CallReport {
  const arch = archOf(call.arch)
  const syscall = arch === undefined ? undefined : syscallName(call.number, arch)
  const info = arch === undefined || syscall === undefined ? undefined : findSyscall(syscall, arch)
  const named = call.args.flatMap((value, index): ArgumentValue[] => {
    const type = info?.args[index]
    if (type === undefined) return value === 0n ? [] : [{ name: `arg${index}`, value }]
    const constant = arch === undefined ? undefined : constantOf(type, value, arch)
    return [{ name: type.name, value, ...(constant === undefined ? {} : { constant }) }]
  })
  const list = named.map(({ name, value, constant }, index) => {
    const width = info?.args[index]?.width ?? 64
    // Bits that the kernel does not read, and a filter may.
    const plain = value === BigInt.asUintN(width, value) || value === signExtended(value, width)
    const shown = constant === undefined || plain ? constant : `${hex(value)} (${constant})`
    return `${name}: ${shown ?? hex(value)}`
  })
  const name = syscall ?? `syscall ${call.number < 1 << 16 ? call.number : hex(call.number)}`
  const where = arch ?? `architecture ${hex(call.arch)}`
  const pointer = call.instructionPointer
  const from = pointer === 0n ? '' : ` from ${hex(pointer)}`
  return {
    ...call,
    ...(syscall === undefined ? {} : { syscall }),
    named,
    text: `${name}(${list.join(', ')}) on ${where}${from}`,
  }
}

/** The register that holds a negative value of so many bits. */
const signExtended = (value: bigint, width: number): bigint =>
  BigInt.asUintN(64, BigInt.asIntN(width, value))

/** As people write it. */
export const hex = (value: bigint | number): string =>
  value < 10 ? String(value) : `0x${value.toString(16)}`

/** The constant an argument's value stands for alone; of combined flags there is none. */
export function constantOf(type: ArgumentInfo, value: bigint, arch: Arch): string | undefined {
  const family = type.constants
  if (family === undefined) return undefined
  const word = BigInt.asUintN(type.width, value)
  return constantNames(family).find((name) => constantValue(family, name, arch) === word)
}
