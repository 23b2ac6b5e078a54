/** The machine itself: one call through a program, as the kernel would run it. */
import {
  ALU,
  AND,
  ARCH_WORD,
  argumentWord,
  calculate,
  CLASS,
  compareWords,
  DATA_SIZE,
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
  MEMORY_CELLS,
  NUMBER_WORD,
  OPERATION,
  POINTER_WORD,
  RET_A,
  RET_K,
  ST,
  STX,
  TAX,
  TXA,
  WORDS,
  X,
  type Instructions,
} from './bpf'
import { SECCOMP_RET_ALLOW } from '../policy'

/** What a filter sees of a system call: `struct seccomp_data`. */
export interface Call {
  /** AUDIT_ARCH_* */
  readonly arch: number
  readonly number: number
  /** The six registers, 64 bits each; those that are missing are 0. */
  readonly args: readonly bigint[]
  readonly instructionPointer: bigint
}

export interface Execution {
  /** What the program returned: a SECCOMP_RET_* value with its data. */
  readonly value: number
  /** How many instructions that took. */
  readonly executed: number
  /** How many of them before the first that loads an argument: what finding the system call took. */
  readonly dispatch: number
}

/** offsetof(struct seccomp_data, args) */
const ARGUMENTS = 4 * argumentWord(0)

/** The sixteen words of `struct seccomp_data`, little-endian. */
export function wordsOfCall({ arch, number, args, instructionPointer }: Call): Uint32Array {
  const words = new Uint32Array(WORDS)
  const put = (word: number, value: bigint): void => {
    words[word] = Number(value & 0xffffffffn)
    words[word + 1] = Number((value >> 32n) & 0xffffffffn)
  }
  words[NUMBER_WORD] = number
  words[ARCH_WORD] = arch
  put(POINTER_WORD, instructionPointer)
  args.slice(0, 6).forEach((value, index) => {
    put(argumentWord(index), value)
  })
  return words
}

/** The program must have passed `check`: then it ends, since every jump goes forward. */
export function run(program: Instructions, call: Call): Execution {
  const { code, jt, jf, k } = program
  const data = wordsOfCall(call)
  const memory = new Uint32Array(MEMORY_CELLS)
  // bpf_convert_filter (net/core/filter.c) clears both registers.
  let a = 0
  let x = 0
  let executed = 0
  let dispatch: number | undefined
  for (let pc = 0; pc < program.length;) {
    const opcode = code[pc] ?? 0
    const constant = k[pc] ?? 0
    executed++
    switch (opcode) {
      case RET_K:
        return { value: constant, executed, dispatch: dispatch ?? executed }
      case RET_A:
        return { value: a, executed, dispatch: dispatch ?? executed }
      case LD_ABS:
        if (constant >= ARGUMENTS) dispatch ??= executed - 1
        a = data[constant >>> 2] ?? 0
        break
      case LD_IMM:
        a = constant
        break
      case LD_LEN:
        a = DATA_SIZE
        break
      case LD_MEM:
        a = memory[constant] ?? 0
        break
      case LDX_IMM:
        x = constant
        break
      case LDX_LEN:
        x = DATA_SIZE
        break
      case LDX_MEM:
        x = memory[constant] ?? 0
        break
      case ST:
        memory[constant] = a
        break
      case STX:
        memory[constant] = x
        break
      case TAX:
        x = a
        break
      case TXA:
        a = x
        break
      case JA:
        pc += constant
        break
      default: {
        const operand = (opcode & X) === 0 ? constant : x
        const operation = opcode & OPERATION
        if ((opcode & CLASS) === JMP) {
          pc += (compareWords(operation, a, operand) ? jt[pc] : jf[pc]) ?? 0
        } else if (operation === DIV && operand === 0) {
          // bpf_convert_filter: a zero in X ends the program with 0, SECCOMP_RET_KILL_THREAD.
          return { value: 0, executed, dispatch: dispatch ?? executed }
        } else {
          a = calculate(operation, a, operand)
        }
      }
    }
    pc++
  }
  throw new RangeError('the program does not end: it was not checked')
}

/**
 * Whether the kernel (since 5.11) will see that this number is allowed whatever its arguments are,
 * and never run the program for it: seccomp_is_const_allow (kernel/seccomp.c). It follows loads of
 * the number and the architecture, jumps, AND by a constant and returns, and gives up at anything
 * else.
 */
export function constantAllow(program: Instructions, auditArch: number, number: number): boolean {
  const { code, jt, jf, k } = program
  let a = 0
  for (let pc = 0; pc < program.length; pc++) {
    const constant = k[pc] ?? 0
    const opcode = code[pc] ?? 0
    switch (opcode) {
      case LD_ABS:
        if (constant >>> 2 === NUMBER_WORD) a = number
        else if (constant >>> 2 === ARCH_WORD) a = auditArch
        else return false
        break
      case RET_K:
        // The very value: with data in its lower half it allows too, but is not cached.
        return constant === SECCOMP_RET_ALLOW
      case JA:
        pc += constant
        break
      case JMP | JEQ:
      case JMP | JGE:
      case JMP | JGT:
      case JMP | JSET:
        pc += (compareWords(opcode & OPERATION, a, constant) ? jt[pc] : jf[pc]) ?? 0
        break
      case ALU | AND:
        a = (a & constant) >>> 0
        break
      default:
        return false
    }
  }
  return false
}
