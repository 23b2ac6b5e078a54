/**
 * Random policies as users write them, every comparator on arguments of every C type, at the values
 * where comparisons go wrong: what the policy says, what its rules say, and what the program says in
 * both interpreters.
 */
import t from 'tap'
import { decode } from '../../lib/analysis/bpf'
import { evaluate } from '../../lib/analysis/evaluate'
import { run, type Call } from '../../lib/analysis/interpreter'
import { compileRules } from '../../lib/compiler/compile'
import { native } from '../../lib/native'
import {
  AUDIT_ARCH,
  findSyscall,
  syscallName,
  syscallNames,
  type Arch,
  type ArgumentInfo,
  type SyscallInfo,
} from '../../lib/syscalls'
import { argumentsNear, wideAtBorders, type Random } from '../helpers/analysis'
import { liveRules } from './live'
import { report, seeded, sized, TIMEOUT } from './size'

t.setTimeout(TIMEOUT)

const OPERATORS = [
  ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'between', 'oneOf', 'noneOf'] as const),
  ...(['maskedEq', 'hasAll', 'hasAny', 'hasNone'] as const),
]

interface Condition {
  readonly index: number
  /** How the policy names the argument: by name, or arg0 … arg5. */
  readonly name: string
  readonly op: (typeof OPERATORS)[number]
  readonly operands: readonly bigint[]
  readonly width: number
  readonly signed: boolean
  /** Whether it has `width: 64`. */
  readonly whole: boolean
}

interface Rule {
  readonly errno: number
  readonly conditions: readonly Condition[]
}

type Rules = ReadonlyMap<SyscallInfo, readonly Rule[]>

function randomRules(random: Random, arch: Arch): Rules {
  const names = syscallNames(arch)
  const chosen = new Set(Array.from({ length: 12 }, () => random.pick(names)))
  const infos = [...chosen].flatMap((name) => findSyscall(name, arch) ?? [])
  let errno = 0
  return new Map(
    infos.map((info) => {
      const rules = Array.from({ length: 1 + random.below(3) }, () => {
        const named = Array.from({ length: 1 + random.below(2) }, () =>
          randomCondition(random, info),
        )
        const distinct = new Map(named.map((condition) => [condition.name, condition]))
        return { errno: ++errno, conditions: [...distinct.values()] }
      })
      return [info, rules]
    }),
  )
}

function randomCondition(random: Random, { args }: SyscallInfo): Condition {
  // prctl(2) and keyctl(2) name their second argument arg2: in a policy that is the third register.
  const numbers = args.filter(({ pointer, name }) => !pointer && !/^arg\d$/.test(name))
  const raw = numbers.length === 0 || random.oneIn(4)
  const type = raw ? undefined : random.pick<ArgumentInfo>(numbers)
  const index = type === undefined ? random.below(6) : args.indexOf(type)
  const whole = type !== undefined && random.oneIn(6)
  const width = type === undefined || whole ? 64 : type.width
  const signed = type !== undefined && !whole && type.signed
  const op = random.pick(OPERATORS)
  const value = (): bigint => {
    const word = BigInt.asUintN(width, wideAtBorders(random))
    // A signed one is written as the number it is, or as its word.
    return signed && random.oneIn(2) ? BigInt.asIntN(width, word) : word
  }
  const count = { between: 2, maskedEq: 2, oneOf: 3, noneOf: 3 }[op as string] ?? 1
  let operands = Array.from({ length: count }, value)
  if (op.startsWith('has')) operands = operands.map((each) => (each === 0n ? 1n : each))
  if (op === 'between') {
    const number = (each: bigint): bigint => (signed ? BigInt.asIntN(width, each) : each)
    operands.sort((a, b) => (number(a) < number(b) ? -1 : 1))
  }
  return { index, name: type?.name ?? `arg${index}`, op, operands, width, signed, whole }
}

/** As it is written in a policy. */
function written({ op, operands, whole }: Condition): object {
  const width = whole ? { width: 64 } : {}
  const [first, second] = operands
  switch (op) {
    case 'between':
      return { op, min: first, max: second, ...width }
    case 'oneOf':
    case 'noneOf':
      return { op, values: operands, ...width }
    case 'maskedEq':
      return { op, mask: first, value: second, ...width }
    case 'hasAll':
    case 'hasAny':
    case 'hasNone':
      return { op, flags: operands, ...width }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return { op, value: first, ...width }
  }
}

/** What the comparator says of a register, from the documentation alone. */
function holds(
  { op, operands, width, signed, index }: Condition,
  args: readonly bigint[],
): boolean {
  const word = BigInt.asUintN(width, args[index] ?? 0n)
  const number = (each: bigint): bigint =>
    signed ? BigInt.asIntN(width, each) : BigInt.asUintN(width, each)
  const value = number(word)
  const [first = 0n, second = 0n] = operands.map(number)
  const [bits = 0n, wanted = 0n] = operands.map((each) => BigInt.asUintN(width, each))
  switch (op) {
    case 'eq':
      return value === first
    case 'ne':
      return value !== first
    case 'lt':
      return value < first
    case 'le':
      return value <= first
    case 'gt':
      return value > first
    case 'ge':
      return value >= first
    case 'between':
      return first <= value && value <= second
    case 'oneOf':
      return operands.some((each) => number(each) === value)
    case 'noneOf':
      return operands.every((each) => number(each) !== value)
    case 'maskedEq':
      return (word & bits) === wanted
    case 'hasAll':
      return (word & bits) === bits
    case 'hasAny':
      return (word & bits) !== 0n
    case 'hasNone':
      return (word & bits) === 0n
  }
}

const DEFAULT = 4000
const answer = (errno: number): number => 0x00050000 + errno

/** Every condition's borders in its register, the others near what the rules ask of them. */
function* callsAt(random: Random, auditArch: number, rules: Rules): Generator<Call> {
  for (const [info, list] of rules) {
    const conditions = list.flatMap((rule) => rule.conditions)
    const near = conditions
      .flatMap(({ operands }) => operands)
      .flatMap((each) => [each - 1n, each, each + 1n])
    for (const { index, operands, width } of conditions) {
      const top = 1n << BigInt(width - 1)
      const edges = [...operands, 0n, top, 2n * top].flatMap((each) => [each - 1n, each, each + 1n])
      for (const edge of edges) {
        for (const garbage of [0n, ~0n, random.wide()]) {
          const above = width === 64 ? 0n : garbage << BigInt(width)
          const low = width === 64 ? edge : BigInt.asUintN(width, edge)
          const value = BigInt.asUintN(64, low | above)
          const args = argumentsNear(random, near).with(index, value)
          yield { arch: auditArch, number: info.number, args, instructionPointer: 0n }
        }
      }
    }
  }
}

t.test('random policies', async (t) => {
  const random = seeded(t)
  const counts = {
    policies: 0,
    rules: 0,
    'dead rules': 0,
    calls: 0,
    'a rule decided': 0,
    mismatches: 0,
  }
  const failed: string[] = []
  for (let i = sized(60, 4_000); i > 0; i--) {
    const arch = random.pick(['x86_64', 'aarch64'] as const)
    const given = randomRules(random, arch)
    const syscalls = [...given].map(([{ name }, rules]) => [
      name,
      rules.map(({ errno, conditions }) => ({
        action: 'errno',
        errno,
        when: Object.fromEntries(conditions.map((each) => [each.name, written(each)])),
      })),
    ])
    const policy = {
      default: { action: 'errno', errno: DEFAULT },
      syscalls: Object.fromEntries(syscalls) as Record<string, object[]>,
    }
    const { rules, dead } = liveRules(policy, { arch, pid: 1 })
    const { bytes } = compileRules(rules)
    const program = decode(bytes)
    const byNumber = new Map([...given].map(([{ number }, list]) => [number, list]))
    counts.policies++
    counts['dead rules'] += dead
    counts.rules += [...given.values()].flat().length
    for (const call of callsAt(random, AUDIT_ARCH[arch], given)) {
      const { number, args } = call
      const decides = byNumber
        .get(number)
        ?.find(({ conditions }) => conditions.every((each) => holds(each, args)))
      const wanted = answer(decides?.errno ?? DEFAULT)
      const said = [
        evaluate([rules], call).action,
        run(program, call).value,
        native().evaluate(bytes, call.arch, number, BigUint64Array.from(args)),
      ]
      counts.calls++
      if (decides !== undefined) counts['a rule decided']++
      if (said.every((each) => each === wanted)) continue
      counts.mismatches++
      const hex = (each: bigint | number): string => `0x${each.toString(16)}`
      failed.push(
        `${number}(${args.map(hex).join(', ')}): ${said.map(hex).join(' ')}, not ${hex(wanted)}, of ${JSON.stringify(
          syscalls.find(([name]) => name === syscallName(number, arch)),
          (_, each: unknown) => (typeof each === 'bigint' ? hex(each) : each),
        )}`,
      )
    }
  }
  report(t, counts)
  t.same(failed.slice(0, 3), [])
  t.ok(counts['a rule decided'] > counts.calls / 5, 'rules decide often enough')
})
