/**
 * What the kernel asks of a program before it takes it: bpf_check_classic and check_load_and_stores
 * (net/core/filter.c), and seccomp_check_filter (kernel/seccomp.c), whose list of opcodes is the
 * narrower one.
 */
import { AnalysisError } from '../errors'
import {
  ADD,
  ALU,
  AND,
  CLASS,
  DATA_SIZE,
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
  MAX_INSTRUCTIONS,
  MEMORY_CELLS,
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
} from './bpf'

/** Which rule is broken. */
export type FaultReason =
  /** No instruction at all, or more than 4,096. */
  | 'length'
  /** An opcode that seccomp does not take. */
  | 'opcode'
  /** A load from outside of `struct seccomp_data`, or not at a word. */
  | 'load'
  /** A division by the constant 0. */
  | 'division'
  /** A shift by a constant of 32 or more. */
  | 'shift'
  /** A cell of scratch memory that does not exist. */
  | 'memory'
  /** A jump behind the last instruction. */
  | 'jump'
  /** The last instruction is not a return. */
  | 'end'
  /** A load from a cell of scratch memory that some path to it has not written. */
  | 'unwritten'

export interface Fault {
  readonly reason: FaultReason
  /** Counted from 0. */
  readonly instruction: number
}

const OPERANDS = [0, X]

/** seccomp_check_filter's list. */
const OPCODES: ReadonlySet<number> = new Set([
  ...[LD_ABS, LD_LEN, LD_IMM, LD_MEM, LDX_LEN, LDX_IMM, LDX_MEM, ST, STX, TAX, TXA],
  ...[JA, RET_K, RET_A, NEG],
  ...[ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, XOR].flatMap((operation) =>
    OPERANDS.map((operand) => ALU | operation | operand),
  ),
  ...[JEQ, JGT, JGE, JSET].flatMap((operation) =>
    OPERANDS.map((operand) => JMP | operation | operand),
  ),
])

const PROBLEMS: Readonly<Record<FaultReason, string>> = {
  length: `a program has 1 to ${MAX_INSTRUCTIONS} instructions`,
  opcode: 'an opcode that seccomp does not take',
  load: 'loads from outside of seccomp_data, or not at a word',
  division: 'divides by zero',
  shift: 'shifts by 32 or more',
  memory: 'a cell of scratch memory that does not exist',
  jump: 'jumps behind the last instruction',
  end: 'the last instruction is not a return',
  unwritten: 'loads a cell of scratch memory that some path has not written',
}

/** The first rule of the kernel's that the program breaks, or undefined: the kernel takes it. */
export function check(program: Instructions): Fault | undefined {
  const { length } = program
  if (length === 0 || length > MAX_INSTRUCTIONS) return { reason: 'length', instruction: 0 }
  for (let i = 0; i < length; i++) {
    const reason = faultAt(program, i)
    if (reason !== undefined) return { reason, instruction: i }
  }
  const last = program.code[length - 1]
  if (last !== RET_K && last !== RET_A) return { reason: 'end', instruction: length - 1 }
  return unwrittenLoad(program)
}

function faultAt(program: Instructions, i: number): FaultReason | undefined {
  const code = program.code[i] ?? 0
  const k = program.k[i] ?? 0
  if (!OPCODES.has(code)) return 'opcode'
  const after = program.length - 1 - i
  switch (code) {
    case LD_ABS:
      return k >= DATA_SIZE || k % 4 !== 0 ? 'load' : undefined
    case ALU | DIV:
      return k === 0 ? 'division' : undefined
    case ALU | LSH:
    case ALU | RSH:
      return k >= 32 ? 'shift' : undefined
    case LD_MEM:
    case LDX_MEM:
    case ST:
    case STX:
      return k >= MEMORY_CELLS ? 'memory' : undefined
    case JA:
      return k >= after ? 'jump' : undefined
    default:
      if ((code & CLASS) !== JMP) return undefined
      return (program.jt[i] ?? 0) >= after || (program.jf[i] ?? 0) >= after ? 'jump' : undefined
  }
}

/**
 * check_load_and_stores: one pass in which every jump tells its targets which cells were written.
 * All jumps go forward, so all who come to an instruction have spoken when it is reached. After a
 * jump nothing falls through, and what nobody reaches may assume every cell.
 */
function unwrittenLoad({ length, code, jt, jf, k }: Instructions): Fault | undefined {
  const all = (1 << MEMORY_CELLS) - 1
  const writtenAt = new Uint16Array(length).fill(all)
  let written = 0
  const tell = (target: number): void => {
    writtenAt[target] = (writtenAt[target] ?? 0) & written
  }
  for (let i = 0; i < length; i++) {
    written &= writtenAt[i] ?? 0
    const opcode = code[i] ?? 0
    const operand = k[i] ?? 0
    if (opcode === ST || opcode === STX) {
      written |= 1 << operand
    } else if (opcode === LD_MEM || opcode === LDX_MEM) {
      if (((written >>> operand) & 1) === 0) return { reason: 'unwritten', instruction: i }
    } else if (opcode === JA) {
      tell(i + 1 + operand)
      written = all
    } else if ((opcode & CLASS) === JMP) {
      tell(i + 1 + (jt[i] ?? 0))
      tell(i + 1 + (jf[i] ?? 0))
      written = all
    }
  }
  return undefined
}

/** Bytes → a program that the kernel would take. @throws AnalysisError ERR_INVALID_PROGRAM */
export function loadProgram(bytes: Uint8Array): Instructions {
  const program = decode(bytes)
  const fault = check(program)
  if (fault === undefined) return program
  throw new AnalysisError('ERR_INVALID_PROGRAM', {
    problem: PROBLEMS[fault.reason],
    reason: fault.reason,
    instruction: fault.reason === 'length' ? undefined : fault.instruction,
  })
}
