/** What a program answers, without running it: against running it. */
import t from 'tap'
import {
  ADD,
  ALU,
  AND,
  DIV,
  JEQ,
  JGE,
  JGT,
  JMP,
  JSET,
  LD_ABS,
  LD_IMM,
  LD_MEM,
  LSH,
  MUL,
  OR,
  RET_A,
  RET_K,
  RSH,
  ST,
  SUB,
  TAX,
  X,
  XOR,
  decode,
} from '../../lib/analysis/bpf'
import { Diagrams } from '../../lib/analysis/diagram'
import { run, wordsOfCall, type Call } from '../../lib/analysis/interpreter'
import { explore, type Region } from '../../lib/analysis/symbolic'
import { verdictOf } from '../../lib/analysis/verdict'
import { AnalysisError } from '../../lib/errors'
import {
  ALLOW,
  assemble,
  callNear,
  EPERM,
  Random,
  randomProgram,
  valueAt,
  type Instruction,
} from '../helpers/analysis'

const holds = (region: Region, { arch, number }: Call): boolean =>
  region.firstArch <= arch &&
  arch <= region.lastArch &&
  region.firstNumber <= number &&
  number <= region.lastNumber

/** The first call near the program's constants that explore and run see differently. */
function disagreement(bytes: Uint8Array, random: Random, calls: number): string | undefined {
  const program = decode(bytes)
  const diagrams = new Diagrams({ nodes: 1 << 16, steps: 1 << 18 })
  const regions = explore(program, diagrams)
  for (let i = 0; i < calls; i++) {
    const call = callNear(random, program)
    const own = regions.filter((region) => holds(region, call))
    if (own.length !== 1) return `${own.length} regions for a call`
    const expected = verdictOf(run(program, call).value)
    const actual = valueAt(diagrams, (own[0] as Region).verdicts, wordsOfCall(call))
    if (actual !== expected) return `${actual}, not ${expected}`
  }
  return undefined
}

t.test('random programs of all instructions', async (t) => {
  const random = new Random(4)
  let undecided = 0
  const count = 3000
  for (let i = 0; i < count; i++) {
    const bytes = randomProgram(random, i % 2 === 0)
    try {
      const wrong = disagreement(bytes, random, 60)
      if (wrong !== undefined) return t.fail(`${Buffer.from(bytes).toString('hex')}: ${wrong}`)
    } catch (error) {
      if (!(error instanceof AnalysisError) || error.code !== 'ERR_UNDECIDED') throw error
      undecided++
    }
  }
  t.ok(undecided < count / 20, `${undecided} of ${count} were not decided`)
})

t.test('regions are disjoint and complete, in order', async (t) => {
  const program = decode(
    assemble([
      [LD_ABS, 0],
      [JMP | JGE, 10, 0, 3],
      [LD_ABS, 4],
      [JMP | JEQ, 7, 0, 2],
      [RET_K, ALLOW],
      [JMP | JGT, 3, 1, 0],
      [RET_K, EPERM],
      [RET_K, 0],
    ]),
  )
  const regions = explore(program, new Diagrams())
  const cells = (regions: readonly Region[]): bigint =>
    regions.reduce(
      (sum, { firstArch, lastArch, firstNumber, lastNumber }) =>
        sum + BigInt(lastArch - firstArch + 1) * BigInt(lastNumber - firstNumber + 1),
      0n,
    )
  t.equal(cells(regions), 1n << 64n, 'every architecture and number')
  t.equal(regions.length, 5)
})

const decided: Record<string, Instruction[]> = {
  'a number under the x32 mask': [
    [LD_ABS, 0],
    [JMP | JSET, 0x40000000, 2, 0],
    [ALU | AND, 0xff],
    [JMP | JEQ, 3, 1, 0],
    [RET_K, EPERM],
    [RET_K, ALLOW],
  ],
  'odd numbers, 2^31 of them': [
    [LD_ABS, 0],
    [JMP | JSET, 1, 0, 1],
    [RET_K, EPERM],
    [JMP | JGE, 100, 0, 1],
    [RET_K, ALLOW],
    [RET_K, 0],
  ],
  'every bit of the number, one after the other': [
    [LD_ABS, 0],
    ...Array.from({ length: 32 }, (_, bit): Instruction[] => [
      [JMP | JSET, (1 << bit) >>> 0, 0, 1],
      [RET_K, 0x00050000 + bit],
    ]).flat(),
    [RET_K, ALLOW],
  ],
  'a bitmap by the low bits of the number': [
    [LD_ABS, 0],
    [ALU | AND, 31],
    [TAX],
    [LD_IMM, 1],
    [ALU | LSH | X],
    [ALU | AND, 0x10305],
    [JMP | JEQ, 0, 0, 1],
    [RET_K, EPERM],
    [RET_K, ALLOW],
  ],
  'an argument shifted and added to': [
    [LD_ABS, 16],
    [ALU | RSH, 4],
    [ALU | ADD, 0x1000],
    [ALU | XOR, 0x55],
    [JMP | JGT, 0x2000, 0, 1],
    [RET_K, EPERM],
    [RET_K, ALLOW],
  ],
  'a difference of an argument, through memory': [
    [LD_ABS, 16],
    [ALU | SUB, 100],
    [ST, 3],
    [LD_ABS, 20],
    [TAX],
    [LD_MEM, 3],
    [JMP | JGE, 50, 0, 1],
    [RET_K, EPERM],
    [RET_K, ALLOW],
  ],
  'an argument divided by a power of two': [
    [LD_ABS, 16],
    [ALU | DIV, 8],
    [JMP | JEQ, 3, 0, 1],
    [RET_K, EPERM],
    [RET_K, ALLOW],
  ],
  'a product': [
    [LD_ABS, 16],
    [ALU | AND, 0xff],
    [ALU | MUL, 12],
    [JMP | JGT, 1000, 0, 1],
    [RET_K, EPERM],
    [RET_K, ALLOW],
  ],
  'an errno made of an argument': [[LD_ABS, 16], [ALU | AND, 7], [ALU | OR, 0x50000], [RET_A]],
}

t.test('by name', async (t) => {
  for (const [name, instructions] of Object.entries(decided)) {
    t.equal(disagreement(assemble(instructions), new Random(5), 3000), undefined, name)
  }
})

t.test('what is not decided is an error with its instruction, never an answer', async (t) => {
  const undecided: Record<string, [instructions: Instruction[], instruction?: number]> = {
    'a division by 3': [
      [
        [LD_ABS, 16],
        [ALU | DIV, 3],
        [JMP | JEQ, 3, 0, 1],
        [RET_K, EPERM],
        [RET_K, ALLOW],
      ],
      1,
    ],
    'a division by an argument': [[[LD_ABS, 16], [TAX], [LD_IMM, 9], [ALU | DIV | X], [RET_A]], 3],
    'a whole argument returned': [[[LD_ABS, 16], [RET_A]], 1],
    'two arguments compared': [
      [[LD_ABS, 16], [TAX], [LD_ABS, 24], [JMP | JEQ | X, 0, 0, 1], [RET_K, EPERM], [RET_K, ALLOW]],
    ],
    'the square of an argument': [
      [
        [LD_ABS, 16],
        [TAX],
        [ALU | MUL | X],
        [JMP | JEQ, 1521, 0, 1],
        [RET_K, EPERM],
        [RET_K, ALLOW],
      ],
    ],
  }
  for (const [name, [instructions, instruction]] of Object.entries(undecided)) {
    const at = instruction === undefined ? {} : { instruction }
    const expected = { name: 'AnalysisError', code: 'ERR_UNDECIDED', ...at }
    const small = new Diagrams({ nodes: 1 << 16, steps: 1 << 18 })
    t.throws(() => explore(decode(assemble(instructions)), small), expected, name)
  }
})
