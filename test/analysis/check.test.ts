/** What the kernel refuses, one table row for each rule, held against the native check as well. */
import t from 'tap'
import {
  ALU,
  DIV,
  JA,
  JEQ,
  JMP,
  LD_ABS,
  LD_IMM,
  LD_MEM,
  LDX_MEM,
  LSH,
  RET_A,
  RET_K,
  RSH,
  ST,
  STX,
  X,
  decode,
} from '../../lib/analysis/bpf'
import { check, loadProgram, type FaultReason } from '../../lib/analysis/check'
import { native } from '../../lib/native'
import { ALLOW, assemble, Random, type Instruction } from '../helpers/analysis'

const ret: Instruction = [RET_K, ALLOW]

const refused: Record<string, [instructions: Instruction[], reason: FaultReason, at: number]> = {
  'no instruction': [[], 'length', 0],
  '4,097 instructions': [Array.from({ length: 4097 }, () => ret), 'length', 0],
  'an opcode of packet filters': [[[0x28, 0], ret], 'opcode', 0],
  'a load of a byte': [[[0x30, 0], ret], 'opcode', 0],
  'a load by X': [[[0x40, 0], ret], 'opcode', 0],
  'ALU | MOD': [[[0x94, 3], ret], 'opcode', 0],
  'RET X': [[[0x0e, 0]], 'opcode', 0],
  'JA with X': [[[0x0d, 0], ret], 'opcode', 0],
  'a code of more than a byte': [[[0x120, 0], ret], 'opcode', 0],
  'a load behind seccomp_data': [[[LD_ABS, 64], ret], 'load', 0],
  'a load between two words': [[[LD_ABS, 2], ret], 'load', 0],
  'an ancillary load': [[[LD_ABS, 0xfffff004], ret], 'load', 0],
  'a division by 0': [[[ALU | DIV, 0], ret], 'division', 0],
  'a left shift by 32': [[[ALU | LSH, 32], ret], 'shift', 0],
  'a right shift by 32': [[[ALU | RSH, 32], ret], 'shift', 0],
  'cell 16, stored': [[[ST, 16], ret], 'memory', 0],
  'cell 16, stored from X': [[[STX, 16], ret], 'memory', 0],
  'cell 16, loaded': [[[LD_MEM, 16], ret], 'memory', 0],
  'a jump behind the end': [[ret, [JA, 1], ret], 'jump', 1],
  'a jump that would wrap around': [[[JA, 0xffffffff], ret], 'jump', 0],
  'jt behind the end': [[[JMP | JEQ, 0, 1, 0], ret], 'jump', 0],
  'jf behind the end': [[[JMP | JEQ | X, 0, 0, 1], ret], 'jump', 0],
  'no return at the end': [[ret, [LD_IMM, 0]], 'end', 1],
  'a jump at the end': [[ret, [JMP | JEQ, 0, 0, 0]], 'jump', 1],
  'memory that was never written': [[[LD_MEM, 0], ret], 'unwritten', 0],
  'memory that X was never stored to': [[[ST, 1], [LDX_MEM, 0], ret], 'unwritten', 1],
  'memory written on one path only': [
    [[JMP | JEQ, 0, 0, 1], [ST, 0], [LD_MEM, 0], ret],
    'unwritten',
    2,
  ],
  // Nothing falls through a return, but the kernel's pass does not know that.
  'memory in code that nobody reaches': [[ret, [LD_MEM, 0], ret], 'unwritten', 1],
  'memory written after the jump around it': [
    [[JMP | JEQ, 0, 1, 0], [JA, 1], [ST, 0], [LD_MEM, 0], ret],
    'unwritten',
    3,
  ],
}

t.test('what the kernel refuses', async (t) => {
  for (const [name, [instructions, reason, instruction]] of Object.entries(refused)) {
    const bytes = assemble(instructions)
    t.same(check(decode(bytes)), { reason, instruction }, name)
    t.throws(() => native().evaluate(bytes, 0, 0, new BigUint64Array(6)), `${name}: natively`)
    t.throws(() => loadProgram(bytes), { code: 'ERR_INVALID_PROGRAM', reason }, name)
  }
  t.throws(() => decode(new Uint8Array(9)), { code: 'ERR_INVALID_PROGRAM', reason: 'size' })
})

t.test('what it takes', async (t) => {
  const taken: Record<string, Instruction[]> = {
    '4,096 instructions': Array.from({ length: 4096 }, () => ret),
    'RET A': [[RET_A]],
    'memory written on both paths': [
      [JMP | JEQ, 0, 0, 2],
      [ST, 0],
      [JA, 1],
      [STX, 0],
      [LD_MEM, 0],
      ret,
    ],
    'the last word of seccomp_data': [[LD_ABS, 60], ret],
    'a shift by 31': [[ALU | LSH, 31], ret],
    'a division by X': [[ALU | DIV | X, 0], ret],
    'a jump to the last instruction': [[JA, 1], ret, ret],
  }
  for (const [name, instructions] of Object.entries(taken)) {
    const bytes = assemble(instructions)
    t.equal(check(decode(bytes)), undefined, name)
    t.doesNotThrow(() => native().evaluate(bytes, 0, 0, new BigUint64Array(6)), name)
  }
})

t.test('the native check decides alike on random bytes', async (t) => {
  const random = new Random(1)
  let taken = 0
  for (let i = 0; i < 20_000; i++) {
    const length = 1 + random.below(5)
    const codes = [LD_ABS, LD_MEM, LDX_MEM, ST, STX, JA, JMP | JEQ, ALU | DIV, ALU | LSH, LD_IMM]
    const bytes = assemble(
      Array.from({ length }, (_, index): Instruction => {
        const code = random.oneIn(20) ? random.below(256) : random.pick(codes)
        const last = index === length - 1 && !random.oneIn(9)
        return [
          last ? RET_K : code,
          random.pick([0, 0, 1, 2, 4, 8, 15, 16, 31, 32, 60, 64]),
          random.below(3),
          random.below(3),
        ]
      }),
    )
    const own = check(decode(bytes)) === undefined
    let theirs = true
    try {
      native().evaluate(bytes, 0, 0, new BigUint64Array(6))
    } catch {
      theirs = false
    }
    if (own !== theirs) return t.fail(`on ${Buffer.from(bytes).toString('hex')}: ${String(own)}`)
    if (own) taken++
  }
  t.ok(taken > 1000, `${taken} were taken`)
})
