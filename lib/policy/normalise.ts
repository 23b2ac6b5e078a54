/**
 * Policy → rules for one architecture: every name a number, every comparator a set of words of the
 * width the kernel reads. From here on nothing knows how the policy was written.
 */
import { PolicyError } from '../errors'
import {
  AUDIT_ARCH,
  constantNames,
  constantValue,
  findSyscall,
  suggest,
  syscallNames,
  type Arch,
  type ArgumentInfo,
  type SyscallInfo,
  type SyscallName,
  type Width,
} from '../syscalls'
import type { ActionName } from './actions'
import {
  parsePolicy,
  type ParsedAction,
  type ParsedComparator,
  type ParsedPolicy,
  type ParsedRule,
} from './parse'
import { describeValue } from './snapshot'
import { between, complement, contains, isEmpty, maxOf, union, type ValueSet } from './values'

export interface Target {
  readonly arch: Arch
  /** The process id that `'SELF'` stands for. */
  readonly pid: number
}

export interface Condition {
  /** 0 … 5 */
  readonly argument: number
  readonly width: Width
  readonly set: ValueSet
}

export interface Rule {
  /** A SECCOMP_RET_* value with its data. */
  readonly action: number
  readonly conditions: readonly Condition[]
  /** Where in the policy it stands; `''` for a rule the library added. */
  readonly path: string
}

export interface SyscallRules {
  readonly name: SyscallName
  readonly number: number
  readonly rules: readonly Rule[]
}

/** Inclusive, with the action that all of these numbers get. */
export interface NumberRange {
  readonly first: number
  readonly last: number
  readonly action: number
}

export interface Rules {
  /** What the policy calls itself. */
  readonly name: string | undefined
  readonly arch: Arch
  readonly auditArch: number
  /** For every other architecture: 32-bit code on a 64-bit kernel, above all. */
  readonly foreignArchAction: number
  readonly defaultAction: number
  /** Numbers without a name in the policy that do not get the default. Sorted, disjoint. */
  readonly ranges: readonly NumberRange[]
  /** Sorted by number. */
  readonly syscalls: readonly SyscallRules[]
}

/** linux/seccomp.h */
export const RETURN_VALUE: Readonly<Record<ActionName, number>> = Object.freeze({
  kill: 0x80000000,
  killThread: 0x00000000,
  trap: 0x00030000,
  errno: 0x00050000,
  notify: 0x7fc00000,
  trace: 0x7ff00000,
  log: 0x7ffc0000,
  allow: 0x7fff0000,
})

const returnValue = ({ action, data }: ParsedAction): number => (RETURN_VALUE[action] | data) >>> 0

export const SECCOMP_RET_ALLOW = RETURN_VALUE.allow

const ENOSYS = (RETURN_VALUE.errno | 38) >>> 0

/** Whether the call still runs. Everything else is a restriction. */
const lets = (action: number): boolean =>
  action === RETURN_VALUE.allow || action === RETURN_VALUE.log

/** asm/unistd.h: __X32_SYSCALL_BIT. Such numbers reach x86-64 filters with the same arch value. */
const X32_SYSCALL_BIT = 0x40000000

/** @throws PolicyError */
export function normalise(policy: unknown, target: Target): Rules {
  return resolve(parsePolicy(policy), target)
}

export function resolve(policy: ParsedPolicy, target: Target): Rules {
  const { arch } = target
  const defaultAction = returnValue(policy.default)
  const syscalls: SyscallRules[] = []
  for (const [name, parsed] of policy.syscalls) {
    const info = findSyscall(name, arch)
    // A policy may name the calls of several architectures; here the others cannot be made.
    if (info === undefined) continue
    const rules = parsed.map((rule) => resolveRule(rule, info, target))
    refuseDeadRules(rules, name)
    syscalls.push({ name, number: info.number, rules })
  }
  syscalls.push(...hiddenCalls(policy, defaultAction, arch))
  syscalls.sort((a, b) => a.number - b.number)
  return {
    name: policy.name,
    arch,
    auditArch: AUDIT_ARCH[arch],
    foreignArchAction: RETURN_VALUE.kill,
    defaultAction,
    ranges: numberRanges(policy, arch, syscalls),
    syscalls,
  }
}

/**
 * Calls whose arguments lie behind a pointer, each with the calls that do the same in view of a
 * filter. libc tries these first and falls back on ENOSYS, but not on EPERM: glibc's pthread_create
 * aborts Node when clone3 says EPERM.
 */
const HIDDEN: readonly { readonly name: SyscallName; readonly twins: readonly SyscallName[] }[] = [
  { name: 'clone3', twins: ['clone'] },
  { name: 'openat2', twins: ['openat', 'open'] },
]

/** io_uring performs other calls out of any filter's sight: the twin is every call there is. */
const IO_URING: readonly SyscallName[] = ['io_uring_setup', 'io_uring_enter', 'io_uring_register']

function hiddenCalls(policy: ParsedPolicy, defaultAction: number, arch: Arch): SyscallRules[] {
  const restricted = (rules: readonly ParsedRule[] | undefined): boolean =>
    rules?.some((rule) => !lets(returnValue(rule))) ?? false
  const conditional = (rules: readonly ParsedRule[] | undefined): boolean =>
    rules?.some((rule) => rule.conditions.size > 0) ?? false
  const denies = !lets(defaultAction)
  let anyRestricted = denies
  for (const rules of policy.syscalls.values()) anyRestricted ||= restricted(rules)

  const hidden = HIDDEN.filter(
    ({ twins }) =>
      denies ||
      twins.some((twin) => {
        const rules = policy.syscalls.get(twin)
        return restricted(rules) || conditional(rules)
      }),
  ).map(({ name }) => name)
  return [...hidden, ...(anyRestricted ? IO_URING : [])].flatMap((name) => {
    const info = findSyscall(name, arch)
    if (info === undefined || policy.syscalls.has(name)) return []
    const rules = [{ action: ENOSYS, conditions: [], path: '' }]
    return [{ name, number: info.number, rules }]
  })
}

/** Whether any rule, or the default, lets some call of this name through. */
export function letsThrough(rules: Rules, name: SyscallName): boolean {
  const number = findSyscall(name, rules.arch)?.number
  const named = rules.syscalls.find((syscall) => syscall.number === number)
  const actions =
    named === undefined
      ? [rules.defaultAction]
      : [...named.rules.map((rule) => rule.action), rules.defaultAction]
  const decided = named?.rules.findIndex((rule) => rule.conditions.length === 0) ?? -1
  const reachable = decided === -1 ? actions : actions.slice(0, decided + 1)
  return reachable.some(lets)
}

/** What x32 and, with a baseline or a ceiling, unknown and newer numbers get. */
function numberRanges(
  { baseline, ceiling }: ParsedPolicy,
  arch: Arch,
  syscalls: readonly SyscallRules[],
): NumberRange[] {
  const last = arch === 'x86_64' ? X32_SYSCALL_BIT - 1 : 0xffffffff
  const highest = ceiling === undefined ? last : ceilingOf(ceiling, arch)
  const named = syscalls.map(({ number }) => number)
  const ranges =
    baseline === undefined
      ? gaps(named, highest + 1, last)
      : gaps([...named, ...knownNumbers(baseline, highest, arch)], 0, last)
  if (arch === 'x86_64') ranges.push({ first: X32_SYSCALL_BIT, last: 0xffffffff, action: ENOSYS })
  return ranges
}

/** @throws PolicyError */
function ceilingOf(name: SyscallName, arch: Arch): number {
  const info = findSyscall(name, arch)
  if (info !== undefined) return info.number
  throw new PolicyError('ERR_UNKNOWN_SYSCALL', {
    path: '$.ceiling',
    problem: `'${name}' is no system call of ${arch}, so no number there is above it`,
  })
}

/** Of the calls that a kernel has, up to a number. */
const knownNumbers = (version: string, highest: number, arch: Arch): number[] =>
  syscallNames(arch)
    .map((name) => findSyscall(name, arch))
    .filter((info): info is SyscallInfo => info !== undefined)
    .filter(({ number, since }) => number <= highest && !isNewer(since, version))
    .map(({ number }) => number)

/** ENOSYS for every number from `first` to `last` that is not among these. */
function gaps(numbers: readonly number[], first: number, last: number): NumberRange[] {
  const ranges: NumberRange[] = []
  let next = first
  for (const number of [...numbers].sort((a, b) => a - b)) {
    if (number < next) continue
    if (number > next) ranges.push({ first: next, last: number - 1, action: ENOSYS })
    next = number + 1
  }
  if (next <= last) ranges.push({ first: next, last, action: ENOSYS })
  return ranges
}

/** Kernel versions as major.minor. */
function isNewer(version: string, than: string): boolean {
  const major = Number.parseInt(version, 10)
  const thanMajor = Number.parseInt(than, 10)
  return major === thanMajor ? minorOf(version) > minorOf(than) : major > thanMajor
}

const minorOf = (version: string): number => Number(version.slice(version.indexOf('.') + 1))

/** Of the nine rules in ten that have none. */
const NO_CONDITIONS: readonly Condition[] = Object.freeze([])

function resolveRule(rule: ParsedRule, info: SyscallInfo, target: Target): Rule {
  if (rule.conditions.size === 0) {
    return { action: returnValue(rule), conditions: NO_CONDITIONS, path: rule.path }
  }
  const conditions = [...rule.conditions].map(([name, comparator]) =>
    resolveCondition(name, comparator, info, target),
  )
  return { action: returnValue(rule), conditions, path: rule.path }
}

function resolveCondition(
  name: string,
  comparator: ParsedComparator,
  info: SyscallInfo,
  target: Target,
): Condition {
  const { argument, type } = findArgument(name, comparator.path, info)
  if (type?.pointer === true) {
    throw new PolicyError('ERR_POINTER_ARGUMENT', {
      path: comparator.path,
      problem: `'${name}' of ${info.name}(2) is a pointer (${type.ctype}): a filter sees the address, not what it points to`,
      hint: `Filter on another argument, or compare the address itself with arg${argument}.`,
    })
  }
  const wide = comparator.wide || type === undefined
  const width = wide ? 64 : type.width
  const signed = !wide && type.signed
  const values = comparator.operands.map((list) =>
    list.map(({ value, path }) => resolveValue(value, path, { width, signed, type, target })),
  )
  const set = valueSet(comparator, values, width, signed)
  if (isEmpty(set)) {
    throw new PolicyError('ERR_UNREACHABLE_RULE', {
      path: comparator.path,
      problem: `no value satisfies '${comparator.op}' here, so the rule can never hold`,
    })
  }
  return { argument, width, set }
}

/** An argument by the name the call has for it, or as `arg0` … `arg5`. @throws PolicyError */
export function findArgument(
  name: string,
  path: string,
  info: SyscallInfo,
): { argument: number; type: ArgumentInfo | undefined } {
  const raw = /^arg([0-5])$/.exec(name)
  if (raw !== null) return { argument: Number(raw[1]), type: undefined }
  const { args } = info
  const argument = args.findIndex((candidate) => candidate.name === name)
  const type = args[argument]
  if (type === undefined) {
    const names = args.map((candidate) => candidate.name)
    const list = names.length === 0 ? 'none by name' : names.join(', ')
    throw new PolicyError('ERR_UNKNOWN_ARGUMENT', {
      path,
      problem: `${info.name}(2) has no argument '${name}'`,
      suggestion: suggest(name, names),
      hint: `Arguments: ${list}; or arg0 … arg5 for the bare registers.`,
    })
  }
  return { argument, type }
}

export interface ValueContext {
  readonly width: number
  readonly signed: boolean
  readonly type: ArgumentInfo | undefined
  readonly target: Target
}

/** A value as an unbounded integer within what the argument can hold. @throws PolicyError */
export function resolveValue(value: unknown, path: string, context: ValueContext): bigint {
  const { width, signed } = context
  const number = toInteger(value, path, context)
  const least = signed ? -(1n << BigInt(width - 1)) : 0n
  // A signed argument may also be written as the word it is: 0xffffffff for -1.
  if (number < least || number > maxOf(width)) {
    throw new PolicyError('ERR_VALUE_RANGE', {
      path,
      problem: `${describeValue(value)} does not fit ${width} bits (${least} … ${maxOf(width)})`,
    })
  }
  return number
}

function toInteger(value: unknown, path: string, { type, target }: ValueContext): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return BigInt(value)
    throw new PolicyError('ERR_VALUE_TYPE', {
      path,
      problem: `${describeValue(value)} is not an exact integer`,
      hint: 'Above 2^53 − 1 write a bigint, or a string such as "0xffffffffffffffff" in JSON.',
    })
  }
  if (typeof value === 'string') {
    if (/^-?(0x[0-9a-fA-F]{1,32}|\d{1,40})$/.test(value)) {
      return value.startsWith('-') ? -BigInt(value.slice(1)) : BigInt(value)
    }
    if (value === 'SELF' && type?.ctype === 'pid_t') return BigInt(target.pid)
    return toConstant(value, path, type, target.arch)
  }
  throw new PolicyError('ERR_VALUE_TYPE', {
    path,
    problem: `expected an integer or the name of a constant, got ${describeValue(value)}`,
  })
}

function toConstant(
  name: string,
  path: string,
  type: ArgumentInfo | undefined,
  arch: Arch,
): bigint {
  const family = type?.constants
  const number = family === undefined ? undefined : constantValue(family, name, arch)
  if (number !== undefined) return number
  const known = family === undefined ? [] : constantNames(family)
  throw new PolicyError('ERR_UNKNOWN_CONSTANT', {
    path,
    problem:
      family === undefined
        ? `'${name}' is not an integer, and this argument has no named constants`
        : `'${name}' is no ${family} constant on ${arch}`,
    suggestion: suggest(name, known),
    hint: known.length > 0 && known.length <= 12 ? `Known: ${known.join(', ')}.` : undefined,
  })
}

function valueSet(
  { op, path }: ParsedComparator,
  operands: readonly (readonly bigint[])[],
  width: number,
  signed: boolean,
): ValueSet {
  const word = (value: bigint): bigint => value & maxOf(width)
  const ordered = (value: bigint): bigint => (signed ? BigInt.asIntN(width, value) : value)
  const [values = [], more = []] = operands
  const [first = 0n] = values
  const [second = 0n] = more
  const least = signed ? -(1n << BigInt(width - 1)) : 0n
  const greatest = signed ? (1n << BigInt(width - 1)) - 1n : maxOf(width)
  const span = (min: bigint, max: bigint): ValueSet => ({
    kind: 'ranges',
    ranges: between(min, max, width, signed),
  })
  const exactly = values.map((value) => [word(value), word(value)] as const)
  const combine = (list: readonly bigint[]): bigint =>
    list.reduce((all, bit) => all | word(bit), 0n)
  const bits = combine(values)

  switch (op) {
    case 'eq':
    case 'oneOf':
      return { kind: 'ranges', ranges: union(exactly) }
    case 'ne':
    case 'noneOf':
      return { kind: 'ranges', ranges: complement(exactly, width) }
    case 'lt':
      return span(least, ordered(first) - 1n)
    case 'le':
      return span(least, ordered(first))
    case 'gt':
      return span(ordered(first) + 1n, greatest)
    case 'ge':
      return span(ordered(first), greatest)
    case 'between':
      return span(ordered(first), ordered(second))
    case 'maskedEq':
      // A bit that is asked for but masked away can never be seen.
      if ((combine(more) & ~bits) !== 0n) return { kind: 'ranges', ranges: [] }
      return { kind: 'masked', mask: bits, expected: combine(more), negate: false }
    case 'hasAll':
    case 'hasAny':
    case 'hasNone':
      if (bits === 0n) {
        throw new PolicyError('ERR_VALUE_RANGE', {
          path: `${path}.flags`,
          problem: 'the flags have no bit set, so the comparator says nothing',
        })
      }
      return {
        kind: 'masked',
        mask: bits,
        expected: op === 'hasAll' ? bits : 0n,
        negate: op === 'hasAny',
      }
    default:
      throw new PolicyError('ERR_UNKNOWN_COMPARATOR', { path, problem: `no comparator '${op}'` })
  }
}

/** Rules that can never decide are mistakes: what they were meant to say would silently not hold. */
function refuseDeadRules(rules: readonly Rule[], name: SyscallName): void {
  if (rules.length < 2) return
  rules.forEach((rule, index) => {
    const before = rules.findIndex((candidate) => covers(candidate, rule))
    const earlier = rules[before]
    if (earlier === undefined || before >= index) return
    const same = covers(rule, earlier)
    throw new PolicyError(same ? 'ERR_DUPLICATE_RULE' : 'ERR_UNREACHABLE_RULE', {
      path: rule.path,
      problem: same
        ? `asks the same of ${name}(2) as ${earlier.path}, which is tried first`
        : `can never decide: ${earlier.path} is tried first and holds whenever this does`,
      hint: 'Rules are tried in order: put the narrower one first, or remove it.',
    })
  })
}

/** True when `outer` holds for every call for which `inner` does. Loops, since rules may be many. */
function covers(outer: Rule, inner: Rule): boolean {
  for (const wanted of outer.conditions) {
    let implied = false
    for (const given of inner.conditions) {
      implied ||=
        given.argument === wanted.argument &&
        given.width === wanted.width &&
        contains(wanted.set, given.set)
    }
    if (!implied) return false
  }
  return true
}
