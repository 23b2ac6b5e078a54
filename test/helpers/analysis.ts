/** For the tests of lib/analysis: programs by hand, and random programs, rules and calls, seeded. */
import {
  ADD,
  ALU,
  AND,
  decode,
  DIV,
  JA,
  JEQ,
  JGE,
  JGT,
  JMP,
  JSET,
  LD_ABS,
  LD_IMM,
  LD_LEN,
  LD_MEM,
  LDX_IMM,
  LDX_LEN,
  LDX_MEM,
  LSH,
  MUL,
  NEG,
  OR,
  RET_A,
  RET_K,
  RSH,
  ST,
  STX,
  SUB,
  TAX,
  TXA,
  X,
  XOR,
  type Instructions,
} from '../../lib/analysis/bpf'
import { check } from '../../lib/analysis/check'
import { LEAF, type Diagram, type Diagrams } from '../../lib/analysis/diagram'
import type { Call } from '../../lib/analysis/interpreter'
import { bitAt, wordAt } from '../../lib/analysis/words'
import { union } from '../../lib/policy/values'
import type { Condition, Rule, Rules, SyscallRules } from '../../lib/policy'
import { AUDIT_ARCH, syscallName, type SyscallName } from '../../lib/syscalls'

export const ALLOW = 0x7fff0000
export const KILL = 0x80000000
export const LOG = 0x7ffc0000
export const EPERM = 0x00050001
export const ENOSYS = 0x00050026

export const X64 = AUDIT_ARCH.x86_64
export const ARM64 = AUDIT_ARCH.aarch64

/** code, k, jt, jf */
export type Instruction = readonly [code: number, k?: number, jt?: number, jf?: number]

export function assemble(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(8 * instructions.length)
  const view = new DataView(bytes.buffer)
  instructions.forEach(([code, k = 0, jt = 0, jf = 0], i) => {
    view.setUint16(8 * i, code, true)
    view.setUint8(8 * i + 2, jt)
    view.setUint8(8 * i + 3, jf)
    view.setUint32(8 * i + 4, k, true)
  })
  return bytes
}

/** mulberry32: small, fast, and the same everywhere. */
export class Random {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }

  below(bound: number): number {
    return Math.floor((this.next() / 0x100000000) * bound)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  oneIn(bound: number): boolean {
    return this.below(bound) === 0
  }

  wide(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next())
  }
}

/** Where comparisons go wrong. */
export const WORDS_AT_BORDERS = [
  ...[0, 1, 2, 3, 5, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000],
  ...[0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
]

export const wideAtBorders = (random: Random): bigint =>
  (BigInt(random.oneIn(2) ? 0 : random.pick(WORDS_AT_BORDERS)) << 32n) |
  BigInt(random.pick(WORDS_AT_BORDERS))

const ACTIONS = [ALLOW, ALLOW, ALLOW, EPERM, ENOSYS, KILL, LOG]

/** Few, and next to each other or far apart. */
const NUMBERS = [0, 1, 2, 3, 5, 8, 16, 41, 257, 435]

export interface RandomRulesOptions {
  readonly auditArch?: number
  readonly actions?: readonly number[]
  readonly numbers?: readonly number[]
  /** How many arguments conditions are on, from the first. */
  readonly arity?: number
}

/** Rules such as normalise makes, with small alphabets: they overlap, contradict and shadow. */
export function randomRules(
  random: Random,
  { auditArch = X64, actions = ACTIONS, numbers = NUMBERS, arity = 3 }: RandomRulesOptions = {},
): Rules {
  const arch = auditArch === X64 ? 'x86_64' : 'aarch64'
  const syscalls = numbers
    .filter(() => random.oneIn(2))
    .map((number): SyscallRules => {
      const rules = Array.from({ length: 1 + random.below(3) }, (_, index): Rule => {
        const count = random.oneIn(3) ? 0 : 1 + random.below(2)
        const conditions = Array.from({ length: count }, () => randomCondition(random, arity))
        return { action: random.pick(actions), conditions, path: `[${index}]` }
      })
      return { name: syscallName(number, arch) as SyscallName, number, rules }
    })
  const action = random.pick(actions)
  return {
    name: undefined,
    arch,
    auditArch,
    foreignArchAction: KILL,
    defaultAction: random.pick(actions),
    ranges: random.oneIn(2) ? [] : [{ first: 0x40000000, last: 0xffffffff, action }],
    syscalls,
  }
}

function randomCondition(random: Random, arity: number): Condition {
  const width = random.pick([16, 32, 32, 64] as const)
  const argument = random.below(arity)
  const word = (): bigint => BigInt.asUintN(width, wideAtBorders(random))
  if (random.oneIn(3)) {
    const mask = random.oneIn(2) ? word() : 1n << BigInt(random.below(width))
    const expected = random.oneIn(2) ? mask : mask & word()
    return { argument, width, set: { kind: 'masked', mask, expected, negate: random.oneIn(3) } }
  }
  const ends = Array.from({ length: 2 * (1 + random.below(3)) }, word)
  const sorted = [...new Set(ends)].sort((a, b) => (a < b ? -1 : 1))
  const ranges: [bigint, bigint][] = []
  for (let i = 0; i < sorted.length; i += 2) {
    const first = sorted[i] as bigint
    const last = random.oneIn(2) ? first : (sorted[i + 1] ?? first)
    ranges.push([first, last])
  }
  return { argument, width, set: { kind: 'ranges', ranges: union(ranges) } }
}

/** The constants of rules, and their neighbours. */
function bordersOf(rules: readonly Rules[]): bigint[] {
  return rules.flatMap(({ syscalls }) => syscalls).flatMap(bordersOfSyscall)
}

export function bordersOfSyscall({ rules }: SyscallRules): bigint[] {
  const values = rules
    .flatMap(({ conditions }) => conditions)
    .flatMap(({ set }) =>
      set.kind === 'ranges' ? set.ranges.flat() : [set.mask, set.expected, ~set.mask],
    )
  return values.flatMap((value) => [value - 1n, value, value + 1n])
}

/** Calls where something may change: at the constants, with one bit more or less, with garbage above. */
export function* callsNear(
  random: Random,
  rules: readonly Rules[],
  count: number,
): Generator<Call> {
  const borders = bordersOf(rules)
  const numbers = rules.flatMap(({ syscalls }) => syscalls.map(({ number }) => number))
  for (let i = 0; i < count; i++) {
    const arch = random.oneIn(12) ? random.pick([0, ARM64, 0x40000003]) : X64
    const known = numbers.length > 0 && !random.oneIn(6)
    const number = known ? random.pick(numbers) : random.pick([...NUMBERS, 4, ...WORDS_AT_BORDERS])
    yield { arch, number, args: argumentsNear(random, borders), instructionPointer: 0n }
  }
}

/** Six of them, at values given or at borders in general, some with a bit turned or garbage above. */
export const argumentsNear = (random: Random, values: readonly bigint[]): bigint[] =>
  Array.from({ length: 6 }, () => {
    let value = values.length > 0 && !random.oneIn(4) ? random.pick(values) : wideAtBorders(random)
    if (random.oneIn(4)) value ^= 1n << BigInt(random.below(64))
    if (random.oneIn(4)) value = (value & 0xffffffffn) | (random.wide() << 32n)
    return BigInt.asUintN(64, value)
  })

const OPERATIONS = [ADD, SUB, OR, AND, AND, LSH, RSH, XOR, MUL, DIV]
const TESTS = [JEQ, JEQ, JGT, JGE, JSET]

/** A program that the kernel would take, of any instructions there are. */
export function randomProgram(random: Random, simple = false): Uint8Array {
  for (;;) {
    const length = 2 + random.below(simple ? 14 : 24)
    const bytes = assemble(
      Array.from({ length }, (_, i) => randomInstruction(random, length - 1 - i, simple)),
    )
    if (check(decode(bytes)) === undefined) return bytes
  }
}

function randomInstruction(random: Random, after: number, simple: boolean): Instruction {
  if (after === 0) return [RET_K, random.pick(ACTIONS)]
  const k = random.pick(WORDS_AT_BORDERS)
  const small = random.below(8)
  const load: Instruction = [LD_ABS, 4 * random.pick([0, 1, 4, 5, 6, 7, random.below(16)])]
  const jump = (source: number): Instruction => [
    JMP | random.pick(TESTS) | source,
    k,
    random.below(Math.min(after, 6)),
    random.below(Math.min(after, 6)),
  ]
  const calculation = (): Instruction => {
    const operation = random.pick(OPERATIONS)
    const shift = operation === LSH || operation === RSH
    const constant = shift ? random.below(32) : operation === DIV ? 1 << small : k
    return [ALU | operation | (random.oneIn(4) && operation !== DIV ? X : 0), constant]
  }
  const kinds: (() => Instruction)[] = [
    () => load,
    () => load,
    () => jump(0),
    () => jump(0),
    () => jump(0),
    () => [RET_K, random.pick(ACTIONS)],
    () => [ALU | AND, k],
  ]
  if (!simple) {
    kinds.push(
      calculation,
      calculation,
      () => jump(X),
      () => [JA, random.below(Math.min(after, 4))],
      () => [ST, random.below(3)],
      () => [STX, random.below(3)],
      () => [LD_MEM, random.below(3)],
      () => [LDX_MEM, random.below(3)],
      () => [LD_IMM, k],
      () => [LDX_IMM, random.oneIn(2) ? k : small],
      () => [random.pick([TAX, TXA, LD_LEN, LDX_LEN])],
      () => [NEG | 0],
      () => [RET_A],
    )
  }
  return random.pick(kinds)()
}

/** A call at the constants of a program, or next to them. */
export function callNear(random: Random, program: Instructions): Call {
  const constants = [...program.k].flatMap((k) => [k, k + 1, k - 1, ~k])
  const word = (): number => {
    let value = random.oneIn(3) ? random.pick(WORDS_AT_BORDERS) : random.pick(constants)
    if (random.oneIn(4)) value ^= 1 << random.below(32)
    return value >>> 0
  }
  const wide = (): bigint => (BigInt(word()) << 32n) | BigInt(word())
  return {
    arch: random.oneIn(2) ? X64 : word(),
    number: word(),
    args: Array.from({ length: 6 }, wide),
    instructionPointer: random.oneIn(2) ? 0n : wide(),
  }
}

/** One instruction is another: its opcode, its constant or one of its jumps. Still valid. */
export function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  const length = bytes.length / 8
  for (;;) {
    const mutant = Uint8Array.from(bytes)
    const view = new DataView(mutant.buffer)
    const at = 8 * random.below(length)
    const code = view.getUint16(at, true)
    const isJump = (code & 7) === JMP && code !== JA
    switch (random.below(isJump ? 5 : 2)) {
      case 0: {
        const k = view.getUint32(at + 4, true)
        const changed = random.pick([k + 1, k - 1, k ^ (1 << random.below(32)), k ^ 4, k + 8])
        view.setUint32(at + 4, changed >>> 0, true)
        break
      }
      case 1:
        view.setUint16(
          at,
          isJump ? JMP | random.pick(TESTS) : random.pick([0x20, 0x54, 0x06]),
          true,
        )
        break
      case 2:
        view.setUint8(at + 2, random.below(Math.min(256, length)))
        break
      case 3:
        view.setUint8(at + 3, random.below(Math.min(256, length)))
        break
      default:
        view.setUint8(at + 2, bytes[at + 3] as number)
        view.setUint8(at + 3, bytes[at + 2] as number)
    }
    const same = mutant.every((byte, index) => byte === bytes[index])
    if (!same && check(decode(mutant)) === undefined) return mutant
  }
}

/** The word a diagram has for a call. */
export function valueAt(diagrams: Diagrams, diagram: Diagram, words: Uint32Array): number {
  let node = diagram
  for (;;) {
    const level = diagrams.level(node)
    if (level === LEAF) return diagrams.wordOf(node)
    const bit = ((words[wordAt(level)] as number) >>> bitAt(level)) & 1
    node = bit === 1 ? diagrams.high(node, level) : diagrams.low(node, level)
  }
}
