/** The machine, held against the native one on random programs; and what the kernel caches. */
import t from 'tap'
import {
  ADD,
  ALU,
  AND,
  DIV,
  JEQ,
  JGE,
  JMP,
  JSET,
  LD_ABS,
  LD_IMM,
  LDX_IMM,
  LSH,
  RET_A,
  RET_K,
  RSH,
  TAX,
  X,
  decode,
} from '../../lib/analysis/bpf'
import { constantAllow, run, type Call } from '../../lib/analysis/interpreter'
import { cachedSyscalls } from '../../lib/analysis/cached'
import { compile } from '../../lib/compiler/compile'
import { native } from '../../lib/native'
import { allow, eq, errno, log } from '../../lib/policy'
import { webServer } from '../../lib/promises'
import { findSyscall, type Arch } from '../../lib/syscalls'
import { ALLOW, assemble, callNear, EPERM, Random, randomProgram, X64 } from '../helpers/analysis'
import type { Instruction } from '../helpers/analysis'

const call = (part: Partial<Call> = {}): Call => ({
  arch: X64,
  number: 0,
  args: [],
  instructionPointer: 0n,
  ...part,
})

const returned = (instructions: readonly Instruction[], part: Partial<Call> = {}): number =>
  run(decode(assemble(instructions)), call(part)).value

t.test('every word of a call', async (t) => {
  const full = call({
    number: 7,
    args: [0x1_0000_0002n, 0x3_0000_0004n, 5n, 6n, 7n, 0xffff_ffff_ffff_fffen],
    instructionPointer: 0x11_0000_0022n,
  })
  const word = (offset: number): number => returned([[LD_ABS, offset], [RET_A]], full)
  t.equal(word(0), 7)
  t.equal(word(4), X64)
  t.equal(word(8), 0x22)
  t.equal(word(12), 0x11)
  t.equal(word(16), 2)
  t.equal(word(20), 1)
  t.equal(word(24), 4)
  t.equal(word(56), 0xfffffffe)
  t.equal(word(60), 0xffffffff)
})

t.test('arithmetic is on 32 bits, unsigned', async (t) => {
  const calculated = (operation: number, a: number, b: number): number =>
    returned([[LD_IMM, a], [ALU | operation, b], [RET_A]])
  t.equal(calculated(ADD, 0xffffffff, 2), 1)
  t.equal(calculated(0x10, 1, 2), 0xffffffff, 'SUB')
  t.equal(calculated(0x20, 0xffffffff, 0xffffffff), 1, 'MUL')
  t.equal(calculated(DIV, 0xffffffff, 2), 0x7fffffff)
  t.equal(calculated(RSH, 0x80000000, 31), 1)
  t.equal(calculated(LSH, 3, 31), 0x80000000)
  t.equal(returned([[LD_IMM, 1], [0x84], [RET_A]]), 0xffffffff, 'NEG')
  const byX = (operation: number, a: number, x: number): number =>
    returned([[LDX_IMM, x], [LD_IMM, a], [ALU | operation | X], [RET_A]])
  t.equal(byX(DIV, ALLOW, 0), 0, 'division by a zero in X kills the thread')
  t.equal(byX(LSH, 1, 33), 2, 'a shift by X is modulo 32')
})

t.test('how many instructions run', async (t) => {
  const program = decode(
    assemble([[LD_ABS, 0], [JMP | JEQ, 1, 0, 1], [RET_K, ALLOW], [TAX], [RET_K, EPERM]]),
  )
  t.same(run(program, call({ number: 1 })), { value: ALLOW, executed: 3, dispatch: 3 })
  t.same(run(program, call({ number: 2 })), { value: EPERM, executed: 4, dispatch: 4 })
})

t.test('random programs, as the native interpreter runs them', async (t) => {
  const random = new Random(2)
  const seen = new Set<number>()
  for (let i = 0; i < 3000; i++) {
    const bytes = randomProgram(random)
    const program = decode(bytes)
    for (let j = 0; j < 10; j++) {
      const each = { ...callNear(random, program), instructionPointer: 0n }
      const args = BigUint64Array.from(each.args)
      const expected = native().evaluate(bytes, each.arch, each.number, args)
      const actual = run(program, each).value
      seen.add(actual)
      if (actual !== expected) {
        return t.fail(`${Buffer.from(bytes).toString('hex')}: ${actual}, not ${expected}`)
      }
    }
  }
  t.ok(seen.size > 100, `${seen.size} different answers`)
})

t.test('what the kernel recognises as always allowed: seccomp_is_const_allow', async (t) => {
  const constant = (...instructions: Instruction[]): boolean =>
    constantAllow(decode(assemble(instructions)), X64, 0x40000001)
  const ret: Instruction = [RET_K, ALLOW]
  t.ok(constant(ret))
  t.ok(constant([LD_ABS, 4], [JMP | JEQ, X64, 1, 0], [RET_K, 0], ret))
  t.ok(constant([LD_ABS, 0], [ALU | AND, 0xff], [JMP | JEQ, 1, 1, 0], [RET_K, 0], ret))
  t.ok(constant([LD_ABS, 0], [JMP | JSET, 0x40000000, 1, 0], [RET_K, 0], ret))
  t.notOk(constant([RET_K, 0x7fff0001]), 'data in the return value')
  t.notOk(constant([LD_IMM, ALLOW], [RET_A]), 'RET A')
  t.notOk(constant([LD_IMM, 0], ret), 'LD IMM')
  t.notOk(constant([LD_ABS, 16], ret), 'an argument')
  t.notOk(constant([LD_ABS, 8], ret), 'the instruction pointer')
  t.notOk(constant([LD_ABS, 0], [ALU | RSH, 1], ret), 'a shift')
  t.notOk(constant([LD_ABS, 0], [JMP | JGE | X, 0, 0, 0], ret), 'a comparison with X')
})

t.test('which numbers of a policy are cached', async (t) => {
  const policy = {
    default: errno('EPERM'),
    syscalls: { read: allow, write: log, close: allow, socket: allow.when({ family: eq(2) }) },
  } as const
  const { bytes } = compile(policy, { arch: 'x86_64' })
  t.same(cachedSyscalls(bytes, { arch: 'x86_64' }), ['close', 'read'])
  t.same(cachedSyscalls(bytes, { arch: 'aarch64' }), [])
  t.same(cachedSyscalls(compile(webServer, { arch: 'aarch64' })), alwaysAllowed('aarch64'))
  t.same(cachedSyscalls(compile(webServer, { arch: 'x86_64' })), alwaysAllowed('x86_64'))
})

/** What webServer allows without a condition, where the architecture has it. */
function alwaysAllowed(arch: Arch): string[] {
  const rules = Object.entries<unknown>(webServer.syscalls)
  return rules
    .filter(([name, rule]) => rule === allow && findSyscall(name, arch) !== undefined)
    .map(([name]) => name)
    .sort()
}
