/**
 * Random rules and random programs on the live kernel: every call gets what the interpreter, on which
 * the proof and all other tests rest, says it gets.
 */
import t, { type Test } from 'tap'
import { JEQ, JMP, LD_ABS, LD_IMM, RET_K, decode } from '../../lib/analysis/bpf'
import { evaluate } from '../../lib/analysis/evaluate'
import { run } from '../../lib/analysis/interpreter'
import { describeVerdict, runs, verdictOf } from '../../lib/analysis/verdict'
import { compileRules } from '../../lib/compiler/compile'
import { hostTarget, type Rules, type SyscallRules } from '../../lib/policy'
import { AUDIT_ARCH, findSyscall, type SyscallName } from '../../lib/syscalls'
import {
  ALLOW,
  argumentsNear,
  assemble,
  bordersOfSyscall,
  callNear,
  KILL,
  LOG,
  randomProgram,
  randomRules,
  type Random,
} from '../helpers/analysis'
import { UNPRIVILEGED } from '../helpers/victim'
import { callsOf, describeCase, expected, harmless, mayHaveRun, observe, type Case } from './kernel'
import { report, seeded, sized, TIMEOUT } from './size'

t.setTimeout(TIMEOUT)

const { arch } = hostTarget()
const auditArch = AUDIT_ARCH[arch]
const { plain, aboutOthers, withPointers } = callsOf(arch)
const numbers = [...plain, ...withPointers].sort((a, b) => a - b)

/** Not the errno of any call that ran. */
const errno = (value: number): number => 0x00050000 + value
const [TRAP, TRACE] = [0x00030000, 0x7ff00000]
const REFUSALS = [errno(3001), errno(3500), errno(3999), errno(4095), errno(0xffff)]
const ACTIONS = [ALLOW, ALLOW, LOG, ...REFUSALS, TRAP + 7, TRACE + 9]

/** What kernel.c needs to end and to return from a signal. */
const NEEDED = (['exit_group', 'rt_sigreturn'] as const).map((name: SyscallName) => ({
  name,
  number: findSyscall(name, arch)?.number ?? -1,
}))

function rulesForKernel(random: Random): Rules {
  // A call that is killed costs a process: few are.
  const actions = random.oneIn(8) ? [...ACTIONS, KILL, 0] : ACTIONS
  const rules = randomRules(random, { auditArch, actions, numbers, arity: 6 })
  const needed = NEEDED.map(({ name, number }): SyscallRules => {
    return { name, number, rules: [{ action: ALLOW, conditions: [], path: '' }] }
  })
  const syscalls = [...rules.syscalls, ...needed].sort((a, b) => a.number - b.number)
  return { ...rules, syscalls }
}

/** Numbers that no kernel has, and x32's of those it has: what answers them is the filter. */
const OTHERS = [600, 1000, 0x3fffffff, 0x40000000, 0x40000027, 0x80000027, 0xffffffff]

function callsFor(random: Random, { syscalls }: Rules, count: number): Case['calls'] {
  const borders = new Map(syscalls.map((each) => [each.number, bordersOfSyscall(each)]))
  return Array.from({ length: count }, () => {
    const number = random.oneIn(12) ? random.pick(OTHERS) : random.pick(numbers)
    const args = argumentsNear(random, borders.get(number) ?? [])
    return { number, args: withPointers.has(number) ? harmless(args) : args }
  })
}

interface Prepared extends Case {
  /** What it should answer to each call: a SECCOMP_RET_* value. */
  verdict(index: number, instructionPointer: bigint): number
}

/** Runs so many cases, and their calls without a filter, and compares. */
function compareOnKernel(
  t: Test,
  total: number,
  uid: number | undefined,
  prepare: () => Prepared,
): void {
  const counts = { programs: 0, calls: 0, mismatches: 0 }
  const verdicts: Record<string, number> = {}
  const failed: string[] = []
  while (counts.programs < total) {
    const size = Math.min(BATCH, total - counts.programs)
    const cases = Array.from({ length: size }, prepare)
    const { instructionPointer, outcomes, unfiltered } = observe(cases, uid)
    counts.programs += size
    for (const [index, each] of cases.entries()) {
      counts.calls += each.calls.length
      for (const [at, call] of each.calls.entries()) {
        const value = each.verdict(at, instructionPointer)
        const { action } = describeVerdict(value)
        verdicts[action] = (verdicts[action] ?? 0) + 1
        const actual = outcomes[index]![at]!
        const wanted = expected(value, unfiltered[index]![at]!)
        if (actual[0] === wanted[0] && actual[1] === wanted[1]) continue
        if (aboutOthers.has(call.number) && runs(verdictOf(value)) && mayHaveRun(actual)) continue
        counts.mismatches++
        const program = Buffer.from(each.program).toString('hex')
        failed.push(
          `${describeCase(call)}: ${actual.join(' ')}, not ${wanted.join(' ')}: ${program}`,
        )
      }
    }
  }
  report(t, { ...counts, ...verdicts })
  t.same(failed.slice(0, 3), [])
  t.equal(counts.mismatches, 0)
}

const BATCH = 200

for (const [who, uid] of [
  ['as root', undefined],
  ['unprivileged, with no_new_privs', UNPRIVILEGED],
] as const) {
  t.test(`random rules, ${who}`, async (t) => {
    const random = seeded(t)
    compareOnKernel(t, sized(150, 8_000), uid, () => {
      const rules = rulesForKernel(random)
      const { bytes } = compileRules(rules)
      const program = decode(bytes)
      const calls = callsFor(random, rules, 200)
      const verdict: Prepared['verdict'] = (index, instructionPointer) => {
        const call = { arch: auditArch, instructionPointer, ...calls[index]! }
        const { value } = run(program, call)
        if (value !== evaluate([rules], call).action) t.fail('the interpreter is not the rules')
        return value
      }
      return { program: bytes, calls, verdict }
    })
  })

  // Of the whole instruction set: what the kernel's own compiler makes of it.
  t.test(`random programs, ${who}`, async (t) => {
    const random = seeded(t)
    compareOnKernel(t, sized(150, 5_000), uid, () => {
      for (;;) {
        const bytes = Buffer.concat([guard(), randomProgram(random)])
        const program = decode(bytes)
        const verdictOn = (call: Case['calls'][number], instructionPointer: bigint): number =>
          run(program, { arch: auditArch, instructionPointer, ...call }).value
        const candidates = Array.from({ length: 24 }, () => {
          return { number: random.pick(plain), args: callNear(random, program).args }
        })
        // Most random programs say one thing to everything, and most numbers kill.
        const said = candidates.map((call) => verdictOf(verdictOn(call, 0n)))
        if (new Set(said).size < 2) continue
        const kills = (verdict: number): boolean =>
          describeVerdict(verdict).action.startsWith('kill')
        const calls = candidates.filter((_, i) => !kills(said[i]!) || random.oneIn(12))
        return {
          program: bytes,
          calls,
          verdict: (index, instructionPointer) => verdictOn(calls[index]!, instructionPointer),
        }
      }
    })
  })
}

/** Lets through what is needed, then leaves the accumulator as a program finds it. */
function guard(): Uint8Array {
  const [exit, sigreturn] = NEEDED.map(({ number }) => number)
  return assemble([
    [LD_ABS, 0],
    [JMP | JEQ, exit ?? 0, 1, 0],
    [JMP | JEQ, sigreturn ?? 0, 0, 1],
    [RET_K, ALLOW],
    [LD_IMM, 0],
  ])
}
