/**
 * Random policies, written for every target and read again: the same on every call that was tried, or
 * less where that was said; whatever order it was written in, one text; and what was read again is
 * written as the same text.
 */
import t, { type Test } from 'tap'
import { compareRules } from '../../lib/analysis'
import { evaluate } from '../../lib/analysis/evaluate'
import type { Call } from '../../lib/analysis/interpreter'
import { permissiveness, verdictOf } from '../../lib/analysis/verdict'
import { PolicyError } from '../../lib/errors'
import { rulesOf, type Policy, type Rules } from '../../lib/policy'
import {
  convert,
  readProfile,
  resolveProfile,
  type ConversionTarget,
  type ConvertResult,
} from '../../lib/profiles'
import { AUDIT_ARCH, findSyscall, syscallNames, type Arch } from '../../lib/syscalls'
import { callsNear, wideAtBorders, type Random } from '../helpers/analysis'
import { report, seeded, sized, TIMEOUT } from './size'

t.setTimeout(TIMEOUT)

const ACTIONS: readonly object[] = [
  ...[{ action: 'allow' }, { action: 'allow' }, { action: 'errno', errno: 'EPERM' }],
  ...[{ action: 'errno', errno: 'ENOSYS' }, { action: 'errno', errno: 4000 }, { action: 'kill' }],
  ...[{ action: 'errno', errno: 0 }, { action: 'killThread' }, { action: 'trap' }],
  ...[{ action: 'log' }, { action: 'trace', data: 7 }, { action: 'notify' }],
]

const OPERATORS = [
  ...['eq', 'eq', 'ne', 'lt', 'le', 'gt', 'ge', 'between', 'oneOf', 'oneOf', 'noneOf'],
  ...['maskedEq', 'hasAll', 'hasAny', 'hasNone'],
] as const

function randomComparator(random: Random, width: number): object {
  const value = (): bigint => BigInt.asUintN(Math.min(width, 63), wideAtBorders(random))
  const bit = (): bigint => 1n << BigInt(random.below(Math.min(width, 63)))
  const [a, b] = [value(), value()]
  const [low, high] = a < b ? [a, b] : [b, a]
  const op = random.pick(OPERATORS)
  switch (op) {
    case 'between':
      return { op, min: low, max: high }
    case 'oneOf':
    case 'noneOf':
      return { op, values: Array.from({ length: 1 + random.below(4) }, value) }
    case 'maskedEq':
      return { op, mask: a, value: a & b }
    case 'hasAll':
    case 'hasAny':
    case 'hasNone':
      return { op, flags: [bit(), bit()] }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return { op, value: a }
  }
}

function randomRule(random: Random, name: string, arch: Arch): object {
  const action = random.pick(ACTIONS)
  if (random.oneIn(3)) return action
  // Signed words have no room for the largest operands; registers have.
  const types = findSyscall(name, arch)?.args ?? []
  const numbers = types.filter(({ pointer, signed }) => !pointer && !signed)
  const conditions = Array.from({ length: 1 + random.below(2) }, () => {
    const type = numbers.length === 0 || random.oneIn(3) ? undefined : random.pick(numbers)
    const raw = `arg${random.below(6)}`
    return [type?.name ?? raw, randomComparator(random, type?.width ?? 64)] as const
  })
  return { ...action, when: Object.fromEntries(conditions) }
}

function randomPolicy(random: Random, arch: Arch): Policy {
  const names = syscallNames(arch)
  for (;;) {
    const chosen = Array.from({ length: 1 + random.below(8) }, () => random.pick(names))
    if (random.oneIn(3)) chosen.push('clone3', 'openat2')
    const syscalls = Object.fromEntries(
      [...new Set(chosen)].map((name) => [
        name,
        Array.from({ length: 1 + random.below(3) }, () => randomRule(random, name, arch)),
      ]),
    )
    const fallback = random.pick(ACTIONS)
    const errno = (fallback as { action: string }).action === 'errno'
    const baseline = errno && random.oneIn(3) ? { baseline: random.pick(['4.14', '5.10']) } : {}
    const policy = { default: fallback, ...baseline, syscalls } as Policy
    try {
      rulesOf(policy, { arch, pid: 1 })
      return policy
    } catch (error) {
      // A rule that can never hold, or after another that always does.
      if (!(error instanceof PolicyError)) throw error
    }
  }
}

/** The same, written in another order wherever that says nothing. */
function shuffled(random: Random, policy: Policy): Policy {
  const mix = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const entries = Object.entries(value).map(([key, each]) => [key, mix(each)] as const)
    return Object.fromEntries(entries.sort(() => (random.oneIn(2) ? 1 : -1)))
  }
  return mix(policy) as Policy
}

const DIALECTS = {
  oci: 'oci',
  docker: 'moby',
  podman: 'containers-common',
  kubernetes: 'containerd',
  spo: 'spo',
  systemd: 'systemd',
  json: 'seccomp-ts',
} as const

type ReadTarget = keyof typeof DIALECTS

/** Undefined where the target refuses it, as some may. */
function tryConvert(policy: Policy, to: ConversionTarget, arch: Arch): ConvertResult | undefined {
  try {
    return convert(policy, { to, arch, name: 'random' })
  } catch (error) {
    if (error instanceof PolicyError && error.code === 'ERR_INEXPRESSIBLE') return undefined
    throw error
  }
}

function readAgain(text: string, to: ReadTarget, arch: Arch): Rules {
  const { profile } = readProfile(text, { dialect: DIALECTS[to] })
  return rulesOf(resolveProfile(profile, { arch, kernel: '6.1' }).policy, { arch, pid: 1 })
}

/** Calls for which the second says more than the first, and for which it says something else. */
function differing(
  one: Rules,
  other: Rules,
  calls: Iterable<Call>,
): { more: Call[]; otherwise: Call[] } {
  const more: Call[] = []
  const otherwise: Call[] = []
  for (const call of calls) {
    const [a, b] = [one, other].map((rules) => verdictOf(evaluate([rules], call).action))
    if (a === b) continue
    otherwise.push(call)
    if (permissiveness(b ?? 0) > permissiveness(a ?? 0)) more.push(call)
  }
  return { more, otherwise }
}

/** Whether a loss says so of this call. */
function isSaid({ losses }: ConvertResult, { number }: Call, arch: Arch): boolean {
  const name = syscallNames(arch).find((each) => findSyscall(each, arch)?.number === number)
  return name === undefined
    ? losses.some(({ code, path }) => code === 'unnamed-numbers' || path === '$.default')
    : losses.some(({ path, message }) => path === '$.default' || message.includes(name))
}

function check(t: Test, to: ReadTarget, total: number): void {
  const random = seeded(t)
  const counts = { policies: 0, refused: 0, exact: 0, calls: 0 }
  for (; counts.policies < total; counts.policies++) {
    const arch = random.pick(['x86_64', 'aarch64'] as const)
    const policy = randomPolicy(random, arch)
    const text = JSON.stringify(policy, (_, value: unknown) =>
      typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
    )
    const result = tryConvert(policy, to, arch)
    const again = tryConvert(shuffled(random, policy), to, arch)
    t.equal(again?.text, result?.text, `the same text: ${text}`)
    if (result?.text === undefined) {
      counts.refused++
      continue
    }
    const rules = rulesOf(policy, { arch, pid: 1 })
    const back = readAgain(result.text, to, arch)
    const calls = [...callsNear(random, [rules], 200)].map((call) => ({
      ...call,
      arch: AUDIT_ARCH[arch],
    }))
    counts.calls += calls.length
    const { more, otherwise } = differing(rules, back, calls)
    t.strictSame(more.slice(0, 1), [], `nothing is permitted that was not: ${text}`)
    const silent = otherwise.filter((call) => !isSaid(result, call, arch))
    t.strictSame(silent.slice(0, 1), [], `nothing is lost in silence: ${text}`)
    if (compareRules(rules, back).equal) counts.exact++
    else t.ok(result.losses.length > 0, `what is lost is said: ${text}`)
    // There and back: what was read again has nothing to lose.
    const { profile } = readProfile(result.text, { dialect: DIALECTS[to] })
    const second = convert(profile, { to, arch, kernel: '6.1', name: 'random' })
    t.equal(second.text, result.text, `written again: ${text}`)
  }
  report(t, counts)
  // What a target can express is written exactly: of those with arguments, most of what there is.
  const least = { spo: 0.3, systemd: 0.05 }[to as string] ?? 0.6
  t.ok(counts.exact / counts.policies >= least, `${counts.exact} of ${counts.policies} exactly`)
}

for (const to of Object.keys(DIALECTS) as ReadTarget[]) {
  t.test(`${to}: there and back`, async (t) => {
    check(t, to, sized(40, 2_000))
  })
}
