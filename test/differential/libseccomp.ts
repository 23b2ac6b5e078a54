/**
 * seccomp-ts and libseccomp side by side: one list of rules (bench/profile.js), three programs, and
 * every way there is to find a difference between them.
 *
 * What is compared are native calls, of numbers below 0x40000000. About all others the two differ
 * on purpose: x32 gets ENOSYS from us and is killed by libseccomp, which lets number -1 through to
 * the default; other architectures are killed by both, but with different actions.
 */
import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  toPolicy,
  toText,
  type ProfileCondition,
  type ProfileRule,
  type ProfileRules,
} from '../../bench/profile'
import { decode } from '../../lib/analysis/bpf'
import { evaluate } from '../../lib/analysis/evaluate'
import { run, type Call } from '../../lib/analysis/interpreter'
import { verdictOf } from '../../lib/analysis/verdict'
import { compileRules } from '../../lib/compiler/compile'
import { native } from '../../lib/native'
import type { Rules } from '../../lib/policy'
import { AUDIT_ARCH, findSyscall } from '../../lib/syscalls'
import { cProgram } from '../../scripts/c-program'
import { differenceOfPrograms } from './equality'
import { liveRules, type PlainPolicy } from './live'

/** SECCOMP_RET_ERRNO with ENOSYS. */
const ENOSYS = 0x00050026

/** The first number that is not native: asm/unistd.h, __X32_SYSCALL_BIT. */
export const X32 = 0x40000000

export const harness = (): string => {
  if (process.arch !== 'x64') {
    throw new Error('The harness is for x86-64: names are resolved to the numbers of the host.')
  }
  return cProgram(join(__dirname, 'libseccomp.c'), {
    libraries: ['-lseccomp'],
    missing: 'It takes libseccomp: apt-get install libseccomp-dev',
  })
}

export const libseccompVersion = (): string =>
  execFileSync(harness(), ['version'], { encoding: 'utf8' }).trim()

/** Programs at both of its levels, the rule it does not take, or that it came to no end. */
export type Theirs =
  | TheirPrograms
  | { readonly outcome: 'refused'; readonly rule: ProfileRule; readonly errno: number }
  | { readonly outcome: 'endless' }

export interface TheirPrograms {
  readonly outcome: 'program'
  readonly O1: Uint8Array
  readonly O2: Uint8Array
}

/** By number: not every name that we know is known to every libseccomp. */
const numbered = ({ rules, ...list }: ProfileRules): ProfileRules => ({
  ...list,
  rules: rules.map((rule) => {
    const number = findSyscall(rule.name, 'x86_64')?.number
    return { ...rule, name: number === undefined ? rule.name : String(number) }
  }),
})

/** All lists in one process. */
export function compileTheirs(lists: readonly ProfileRules[]): Theirs[] {
  const file = join(tmpdir(), `seccomp-ts-rules-${process.pid}.txt`)
  writeFileSync(file, lists.map((list) => toText(numbered(list))).join(''))
  let lines: string[]
  try {
    lines = execFileSync(harness(), ['compile', file], { encoding: 'utf8', maxBuffer: 1 << 30 })
      .trim()
      .split('\n')
  } finally {
    rmSync(file)
  }
  if (lines.length !== lists.length) throw new Error(`${lines.length} answers to ${lists.length}`)
  return lines.map((line, index): Theirs => {
    const [outcome, one = '', other = ''] = line.split(' ')
    if (outcome === 'program') {
      return { outcome, O1: Buffer.from(one, 'hex'), O2: Buffer.from(other, 'hex') }
    }
    if (outcome === 'died' && one === String(constants.signals.SIGPROF))
      return { outcome: 'endless' }
    const rule = lists[index]?.rules[Number(one)]
    if (outcome !== 'refused' || rule === undefined) throw new Error(`unexpected: ${line}`)
    return { outcome, rule, errno: Number(other) }
  })
}

export interface OurProgram {
  readonly rules: Rules
  readonly bytes: Uint8Array
}

export interface Ours extends OurProgram {
  /** Rules that can never decide: a mistake in a policy, to libseccomp nothing special. */
  readonly dead: number
}

/** Our program, without the rules that can never decide, which we would refuse. */
export function compileOurs(list: ProfileRules): Ours {
  const policy = toPolicy(list) as unknown as PlainPolicy
  const { rules, dead } = liveRules(policy, { arch: 'x86_64', pid: 1 })
  return { rules, bytes: compileRules(rules).bytes, dead }
}

/** The list as it is read, in 64 bits, by code that is neither ours nor theirs: who is right. */
export function readList(list: ProfileRules, { number, args }: Call): number {
  if (number > (list.ceiling ?? Infinity)) return ENOSYS
  const rule = list.rules.find(
    ({ name, conditions }) =>
      findSyscall(name, 'x86_64')?.number === number &&
      conditions.every((condition) => holds(condition, args[condition.index] ?? 0n)),
  )
  return rule?.action ?? list.default
}

function holds({ op, value, valueTwo }: ProfileCondition, argument: bigint): boolean {
  const operand = BigInt(value)
  switch (op) {
    case 'eq':
      return argument === operand
    case 'ne':
      return argument !== operand
    case 'lt':
      return argument < operand
    case 'le':
      return argument <= operand
    case 'gt':
      return argument > operand
    case 'ge':
      return argument >= operand
    case 'maskedEq':
      return (argument & operand) === BigInt(valueTwo)
  }
}

/** Who said what of a call. */
export interface Mismatch {
  readonly call: Call
  readonly right: number
  readonly ours: number
  readonly O1: number
  readonly O2: number
}

export interface Comparison {
  /** Calls that were run through all three. */
  readonly calls: number
  /** Calls of which ours is not what the list says, and of which theirs is not. */
  readonly ours: readonly Mismatch[]
  readonly theirs: readonly Mismatch[]
}

/** Runs calls through the programs, ours in both interpreters, and reads rules and list. */
export function compareOnCalls(
  list: ProfileRules,
  { rules, bytes }: OurProgram,
  theirs: TheirPrograms,
  calls: Iterable<Call>,
): Comparison {
  const [ours, O1, O2] = [bytes, theirs.O1, theirs.O2].map(decode)
  if (ours === undefined || O1 === undefined || O2 === undefined) throw new Error('no programs')
  const wrong: { ours: Mismatch[]; theirs: Mismatch[] } = { ours: [], theirs: [] }
  let count = 0
  for (const call of calls) {
    count++
    const value = run(ours, call).value
    const natively = native().evaluate(
      bytes,
      call.arch,
      call.number,
      BigUint64Array.from(call.args),
    )
    if (value !== natively || value !== evaluate([rules], call).action) {
      throw new Error(`our interpreters and rules are not of one mind on ${describe(call)}`)
    }
    const right = readList(list, call)
    const [one, other] = [run(O1, call).value, run(O2, call).value]
    const mismatch = { call, right, ours: value, O1: one, O2: other }
    if (verdictOf(value) !== verdictOf(right)) wrong.ours.push(mismatch)
    if ([one, other].some((each) => verdictOf(each) !== verdictOf(right))) {
      wrong.theirs.push(mismatch)
    }
  }
  return { calls: count, ...wrong }
}

/** For every native call there is: a call on which ours is not theirs. */
export function findDifference({ bytes }: OurProgram, { O1, O2 }: TheirPrograms): Call | undefined {
  const arch = AUDIT_ARCH.x86_64
  return (
    differenceOfPrograms(bytes, O1, arch, [0, X32 - 1]) ??
    differenceOfPrograms(bytes, O2, arch, [0, X32 - 1])
  )
}

/** Where 64-bit comparisons go wrong: both halves' ends, and their signs. */
const EXTREMES = [
  ...[0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n],
  ...[0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffff00000000n, 0xffffffffffffffffn],
]

/**
 * For every rule: all conditions met, then each argument in turn at and around its operands, with
 * garbage in the upper half, and at the extremes; the same with the other arguments at 0.
 */
export function* boundaryCalls(list: ProfileRules): Generator<Call> {
  const call = (number: number, args: readonly bigint[]): Call => ({
    arch: AUDIT_ARCH.x86_64,
    number,
    args,
    instructionPointer: 0n,
  })
  const named = new Map<number, ProfileRule[]>()
  for (const rule of list.rules) {
    const number = findSyscall(rule.name, 'x86_64')?.number ?? -1
    named.set(number, [...(named.get(number) ?? []), rule])
  }
  const neighbours = [...named.keys()].flatMap((number) => [number - 1, number, number + 1])
  const numbers = new Set([0, X32 - 1, ...neighbours].filter((number) => number >= 0))
  for (const number of numbers) {
    for (const value of EXTREMES) yield call(number, Array<bigint>(6).fill(value))
    const rules = named.get(number) ?? []
    const around = new Map<number, Set<bigint>>()
    for (const { conditions } of rules) {
      for (const { index, value, valueTwo } of conditions) {
        const values = around.get(index) ?? new Set(EXTREMES)
        for (const each of [BigInt(value), BigInt(valueTwo)]) {
          for (const near of [each - 1n, each, each + 1n, ~each])
            values.add(BigInt.asUintN(64, near))
          values.add(each ^ (1n << 32n))
          values.add((each & 0xffffffffn) | (0xdeadbeefn << 32n))
          values.add(((each >> 32n) << 32n) | (~each & 0xffffffffn))
        }
        around.set(index, values)
      }
    }
    for (const { conditions } of rules) {
      const met = Array<bigint>(6).fill(0n)
      for (const condition of conditions) met[condition.index] = satisfying(condition)
      for (const background of [met, Array<bigint>(6).fill(0n), Array<bigint>(6).fill(~0n)]) {
        const full = background.map((value) => BigInt.asUintN(64, value))
        yield call(number, full)
        for (const [index, values] of around) {
          for (const value of values) yield call(number, full.with(index, value))
        }
      }
    }
  }
}

/** A value for which the condition holds, if there is one. */
function satisfying({ op, value, valueTwo }: ProfileCondition): bigint {
  const number = BigInt(value)
  if (op === 'maskedEq') return BigInt(valueTwo) | BigInt.asUintN(64, ~number)
  const near = op === 'lt' ? -1n : op === 'ne' || op === 'gt' ? 1n : 0n
  return BigInt.asUintN(64, number + near)
}

export const describe = ({ arch, number, args }: Call): string =>
  `${number}(${args.map((value) => `0x${value.toString(16)}`).join(', ')}) of 0x${arch.toString(16)}`

export const describeMismatch = ({ call, right, ours, O1, O2 }: Mismatch): string =>
  `${describe(call)}: 0x${right.toString(16)} is right, ours 0x${ours.toString(16)}, O1 0x${O1.toString(16)}, O2 0x${O2.toString(16)}`
