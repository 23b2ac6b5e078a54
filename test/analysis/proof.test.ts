/** The proof: what was compiled right is proved, what was damaged is refuted, with a call to show it. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { t as tap } from 'tap'
import {
  ALU,
  AND,
  decode,
  JEQ,
  JGE,
  JGT,
  JMP,
  JSET,
  LD_ABS,
  RET_K,
  type Instructions,
} from '../../lib/analysis/bpf'
import { evaluate } from '../../lib/analysis/evaluate'
import { run, type Call } from '../../lib/analysis/interpreter'
import { proveRules, type Refuted } from '../../lib/analysis/proof'
import { verdictOf } from '../../lib/analysis/verdict'
import { compileRules, compileWords } from '../../lib/compiler/compile'
import { encodeRules } from '../../lib/compiler/encode'
import { native } from '../../lib/native'
import {
  allow,
  between,
  eq,
  errno,
  ge,
  gt,
  hasAny,
  hasNone,
  kill,
  le,
  log,
  lt,
  maskedEq,
  ne,
  noneOf,
  oneOf,
  rulesOf,
  trace,
  type Policy,
  type Rules,
} from '../../lib/policy'
import { noNewRings, webServer } from '../../lib/promises'
import {
  ALLOW,
  ARM64,
  assemble,
  callNear,
  callsNear,
  EPERM,
  KILL,
  mutate,
  Random,
  randomRules,
  X64,
  type Instruction,
} from '../helpers/analysis'
import { root } from '../helpers/victim'

const x64 = { arch: 'x86_64', pid: 4242 } as const

/** As the addon runs it, which shares nothing with what is tested here. */
const natively = (bytes: Uint8Array, { arch, number, args }: Call): number =>
  native().evaluate(bytes, arch, number, BigUint64Array.from(args))

const isProved = (rules: Rules | readonly Rules[], bytes: Uint8Array): boolean =>
  proveRules([rules].flat(), bytes).proved

/** Refuted, and rightly so. */
function refuted(
  t: Pick<typeof tap, 'fail' | 'equal' | 'not'>,
  rules: Rules,
  bytes: Uint8Array,
  name: string,
): Refuted | undefined {
  const result = proveRules([rules], bytes)
  if (result.proved) {
    t.fail(`${name}: proved`)
    return undefined
  }
  // The addon knows no instruction pointer.
  const own = result.call.instructionPointer !== 0n
  const value = own ? run(decode(bytes), result.call).value : natively(bytes, result.call)
  t.equal(value, result.actual, `${name}: the program says so`)
  t.equal(evaluate([rules], result.call).action, result.expected.action)
  t.not(verdictOf(result.actual), verdictOf(result.expected.action), name)
  return result
}

const policies: Record<string, Policy> = {
  webServer,
  'no new io_urings': noNewRings,
  'no system call': { default: kill },
  'everything allowed': { default: allow },
  'every action': {
    default: errno('EACCES'),
    syscalls: { read: allow, write: log, open: trace(7), close: kill, stat: errno(0) },
  },
  'contradictory rules: the first decides': {
    default: errno('EPERM'),
    syscalls: {
      socket: [
        errno('EACCES').when({ family: eq('AF_INET') }),
        allow.when({ family: oneOf('AF_INET', 'AF_INET6') }),
        kill.when({ type: eq(1) }),
      ],
    },
  },
  'a rule after rules that cover it together': {
    default: errno('EPERM'),
    syscalls: {
      lseek: [
        allow.when({ offset: lt(10) }),
        errno('EACCES').when({ offset: between(8, 30) }),
        kill.when({ offset: between(5, 20) }),
      ],
    },
  },
  'two ranges on one argument': {
    default: errno('EPERM'),
    syscalls: { lseek: allow.when({ offset: ge(10), arg1: le(20) }) },
  },
  'signed borders': {
    default: errno('EPERM'),
    syscalls: {
      socket: allow.when({ family: lt(0) }),
      lseek: [allow.when({ offset: gt(-2) }), log.when({ offset: le(-0x8000000000000000n) })],
      kill: allow.when({ pid: between(-1, 1) }),
    },
  },
  'unsigned borders': {
    default: errno('EPERM'),
    syscalls: {
      mmap: allow.when({ len: gt(0xffffffffn) }),
      munmap: allow.when({ len: ge(0x8000000000000000n) }),
      mprotect: allow.when({ len: le(0xffffffff), prot: ne(4) }),
      chmod: allow.when({ mode: le(0o7777) }),
    },
  },
  masks: {
    default: errno('EPERM'),
    syscalls: {
      openat: allow.when({ flags: maskedEq(['O_ACCMODE', 'O_CREAT'], 'O_RDONLY') }),
      mmap: allow.when({ prot: hasNone('PROT_EXEC'), flags: hasAny(0x20, 0x10) }),
      clone: errno('EPERM').when({ clone_flags: maskedEq(0xffff0000, 0) }),
    },
  },
  sets: {
    default: kill,
    syscalls: {
      ioctl: allow.when({ cmd: oneOf(...Array.from({ length: 300 }, (_, i) => 7919 * i)) }),
      fcntl: allow.when({ cmd: noneOf(1, 3, 5, 7, 0x7fffffff, 0xffffffff) }),
    },
  },
  'an older kernel': { default: errno('EPERM'), baseline: '5.4', syscalls: { read: allow } },
  'a ceiling': { default: kill, ceiling: 'statx', syscalls: { read: allow, cachestat: allow } },
}

t.test('compiled policies are proved', async (t) => {
  for (const [name, policy] of Object.entries(policies)) {
    for (const arch of ['x86_64', 'aarch64'] as const) {
      const rules = rulesOf(policy, { arch, pid: 4242 })
      t.ok(isProved(rules, compileRules(rules).bytes), `${name}, ${arch}`)
    }
  }
})

t.test('one program for two architectures', async (t) => {
  const rules = (['x86_64', 'aarch64'] as const).map((arch) =>
    rulesOf(webServer, { arch, pid: 4242 }),
  )
  const { bytes } = compileWords(encodeRules(rules), 'x86_64')
  t.ok(isProved(rules, bytes))
  t.notOk(isProved(rules.slice(0, 1), bytes), 'for one of them alone it lets the other through')
  t.notOk(isProved(rules, compileRules(rules[0] as Rules).bytes), 'half a program')
  t.throws(() => proveRules([], bytes), RangeError)
  const [one, other] = rules as [Rules, Rules]
  t.throws(() => proveRules([one, { ...other, foreignArchAction: ALLOW }], bytes), RangeError)
})

t.test('random rules are proved, and mean what they say', async (t) => {
  const random = new Random(6)
  for (let i = 0; i < 500; i++) {
    const rules = random.oneIn(4)
      ? [randomRules(random), randomRules(random, { auditArch: ARM64 })]
      : [randomRules(random)]
    const { bytes } = compileWords(encodeRules(rules), 'x86_64')
    if (!isProved(rules, bytes)) return t.fail(`seed 6, rules ${i}`)
    for (const call of callsNear(random, rules, 100)) {
      if (natively(bytes, call) !== evaluate(rules, call).action) return t.fail(`call of ${i}`)
    }
  }
})

/** The first call near what either looks at that tells them apart. */
function sampledDifference(
  random: Random,
  rules: readonly Rules[],
  mutant: Uint8Array,
): Call | undefined {
  const program: Instructions = decode(mutant)
  const calls = [
    ...callsNear(random, rules, 1500),
    ...Array.from({ length: 500 }, () => callNear(random, program)),
  ]
  return calls.find(
    (call) => verdictOf(natively(mutant, call)) !== verdictOf(evaluate(rules, call).action),
  )
}

t.test('one damaged instruction, a thousand times', async (t) => {
  const random = new Random(7)
  const counts = { refuted: 0, accepted: 0 }
  for (let i = 0; i < 1000; i++) {
    const rules = randomRules(random)
    const mutant = mutate(random, compileRules(rules).bytes)
    const result = proveRules([rules], mutant)
    if (result.proved) {
      counts.accepted++
      const call = sampledDifference(random, [rules], mutant)
      if (call !== undefined) return t.fail(`mutant ${i} was proved, and differs`)
    } else {
      counts.refuted++
      const value = natively(mutant, { ...result.call, instructionPointer: 0n })
      // The addon's interpreter sees no instruction pointer.
      if (result.call.instructionPointer === 0n && value !== result.actual) {
        return t.fail(`mutant ${i}: the witness is none`)
      }
      const expected = evaluate([rules], result.call).action
      if (verdictOf(expected) === verdictOf(result.actual)) return t.fail(`mutant ${i}`)
    }
  }
  t.ok(counts.refuted > 500, `${counts.refuted} were refuted`)
  t.ok(counts.accepted > 20, `${counts.accepted} change nothing`)
})

/** read and write, and 41 only for arg0 = 2: what the mistakes below are made in. */
const guarded: Policy = {
  default: errno('EPERM'),
  syscalls: {
    read: allow,
    write: allow,
    socket: allow.when({ family: eq(2) }),
    ...{ clone3: errno('EPERM'), openat2: errno('EPERM'), io_uring_setup: errno('EPERM') },
    ...{ io_uring_enter: errno('EPERM'), io_uring_register: errno('EPERM') },
  },
}

const archGuard: Instruction[] = [
  [LD_ABS, 4],
  [JMP | JEQ, X64, 1, 0],
  [RET_K, KILL],
]
const x32Guard: Instruction[] = [
  [LD_ABS, 0],
  [JMP | JGE, 0x40000000, 0, 1],
  [RET_K, 0x00050026],
]

const right: Instruction[] = [
  ...archGuard,
  ...x32Guard,
  [JMP | JEQ, 0, 5, 0],
  [JMP | JEQ, 1, 4, 0],
  [JMP | JEQ, 41, 0, 2],
  [LD_ABS, 16],
  [JMP | JEQ, 2, 1, 0],
  [RET_K, EPERM],
  [RET_K, ALLOW],
]

const wrong: Record<string, { program: Instruction[]; call: Partial<Call> & { arg0?: bigint } }> = {
  'no check of the architecture': { program: right.slice(3), call: {} },
  'the architecture compared by greater': {
    program: right.with(1, [JMP | JGT, X64, 0, 1]).with(2, [RET_K, KILL]),
    call: { arch: 0 },
  },
  'the architecture compared by greater or equal': {
    program: right.with(1, [JMP | JGE, X64, 1, 0]),
    call: { arch: X64 + 1 },
  },
  'no check for x32': { program: [...archGuard, [LD_ABS, 0], ...right.slice(6)], call: {} },
  'the x32 bit checked as one bit of many': {
    program: [...archGuard, [LD_ABS, 0], [JMP | JGT, 0x40000000, 0, 1], ...right.slice(5)],
    call: { number: 0x40000000 },
  },
  'the x32 bit checked by itself': {
    program: [...archGuard, [LD_ABS, 0], [JMP | JSET, 0x40000000, 0, 1], ...right.slice(5)],
    call: { number: 0x80000000 },
  },
  'the number compared where the argument is still in the accumulator': {
    program: [
      ...archGuard,
      ...x32Guard,
      [JMP | JEQ, 41, 0, 2],
      [LD_ABS, 16],
      [JMP | JEQ, 2, 3, 0],
      // Comes from the failed comparison of the argument, too.
      [JMP | JEQ, 0, 2, 0],
      [JMP | JEQ, 1, 1, 0],
      [RET_K, EPERM],
      [RET_K, ALLOW],
    ],
    call: { number: 41, arg0: 0n },
  },
  'the argument compared in 64 bits': {
    program: [
      ...right.slice(0, 6),
      [JMP | JEQ, 0, 7, 0],
      [JMP | JEQ, 1, 6, 0],
      [JMP | JEQ, 41, 0, 4],
      [LD_ABS, 20],
      [JMP | JEQ, 0, 0, 2],
      ...right.slice(9),
    ],
    call: { number: 41 },
  },
  'only the lower byte of the argument compared': {
    program: [
      ...right.slice(0, 6),
      [JMP | JEQ, 0, 6, 0],
      [JMP | JEQ, 1, 5, 0],
      [JMP | JEQ, 41, 0, 3],
      [LD_ABS, 16],
      [ALU | AND, 0xff],
      ...right.slice(10),
    ],
    call: { number: 41 },
  },
  'the wrong argument': { program: right.with(9, [LD_ABS, 24]), call: { number: 41 } },
  'the upper half of the argument': { program: right.with(9, [LD_ABS, 20]), call: { number: 41 } },
  'one number more': {
    program: right.with(7, [JMP | JGE, 1, 4, 0]),
    call: {},
  },
  'another errno': { program: right.with(11, [RET_K, 0x0005000d]), call: {} },
  'logs instead of allowing': { program: right.with(12, [RET_K, 0x7ffc0000]), call: {} },
  'the instruction pointer decides': {
    program: right.with(9, [LD_ABS, 8]),
    call: { number: 41 },
  },
}

t.test('mistakes of compilers, by name', async (t) => {
  const rules = rulesOf(guarded, x64)
  t.ok(isProved(rules, assemble(right)), 'the program they are made in is right')
  for (const [name, { program, call }] of Object.entries(wrong)) {
    const found = refuted(t, rules, assemble(program), name)
    if (call.arch !== undefined) t.equal(found?.call.arch, call.arch, `${name}: on what`)
    if (call.number !== undefined) t.equal(found?.call.number, call.number, `${name}: where`)
    if (call.arg0 !== undefined) t.equal(found?.call.args[0], call.arg0, `${name}: on what`)
  }
})

t.test('what the kernel does not tell apart is not told apart', async (t) => {
  const rules = rulesOf(guarded, x64)
  t.ok(isProved(rules, assemble(right.with(12, [RET_K, ALLOW + 5]))), 'data of allow')
  const killing = { ...rules, defaultAction: 0x00050fff }
  t.ok(
    isProved(killing, compileRules({ ...killing, defaultAction: 0x0005ffff }).bytes),
    'errnos are clamped',
  )
})

t.test('an invalid program is neither proved nor refuted', async (t) => {
  const rules = rulesOf(guarded, x64)
  const invalid = { code: 'ERR_INVALID_PROGRAM' }
  t.throws(() => proveRules([rules], assemble(right.slice(0, -2))), invalid)
  t.throws(() => proveRules([rules], new Uint8Array(0)), { ...invalid, reason: 'length' })
})

t.test('what is too much is neither', async (t) => {
  const rules = rulesOf(webServer, x64)
  const { bytes } = compileRules(rules)
  t.throws(() => proveRules([rules], bytes, { nodes: 1000, steps: 1 << 23 }), {
    code: 'ERR_UNDECIDED',
    message: /more nodes than were given/,
  })
  t.throws(() => proveRules([rules], bytes, { nodes: 1 << 20, steps: 100 }), {
    code: 'ERR_UNDECIDED',
    message: /more steps than were given/,
  })
})

t.test('the analysis knows neither the compiler nor the addon', async (t) => {
  const directory = join(root, 'lib/analysis')
  for (const file of readdirSync(directory)) {
    t.notMatch(
      readFileSync(join(directory, file), 'utf8'),
      /from '.*(compiler|native|lockdown)/,
      file,
    )
  }
})
