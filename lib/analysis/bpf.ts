/**
 * Classic BPF as seccomp(2) takes it: `struct sock_filter[]`, each `{ u16 code; u8 jt; u8 jf; u32 k }`
 * (linux/filter.h), little-endian on every architecture there are tables for.
 *
 * The opcodes are spelt out as numbers, from linux/bpf_common.h: class (LD 0, LDX 1, ST 2, STX 3,
 * ALU 4, JMP 5, RET 6, MISC 7), operation or mode in the upper bits, 8 where X is the operand.
 */
import { AnalysisError } from '../errors'

/** linux/bpf_common.h: BPF_MAXINSNS */
export const MAX_INSTRUCTIONS = 4096

/** linux/filter.h: BPF_MEMWORDS */
export const MEMORY_CELLS = 16

/** linux/seccomp.h: sizeof(struct seccomp_data) */
export const DATA_SIZE = 64

export const LD_ABS = 0x20
export const LD_LEN = 0x80
export const LD_IMM = 0x00
export const LD_MEM = 0x60
export const LDX_LEN = 0x81
export const LDX_IMM = 0x01
export const LDX_MEM = 0x61
export const ST = 0x02
export const STX = 0x03
export const TAX = 0x07
export const TXA = 0x87
export const JA = 0x05
export const RET_K = 0x06
export const RET_A = 0x16
export const NEG = 0x84

/** The class of an opcode, and its two classes of several operations. */
export const CLASS = 0x07
export const ALU = 0x04
export const JMP = 0x05

/** Set where the operand is X and not k. */
export const X = 0x08

/** What ALU and JMP opcodes do: these bits. */
export const OPERATION = 0xf0

export const ADD = 0x00
export const SUB = 0x10
export const MUL = 0x20
export const DIV = 0x30
export const OR = 0x40
export const AND = 0x50
export const LSH = 0x60
export const RSH = 0x70
export const XOR = 0xa0

export const JEQ = 0x10
export const JGT = 0x20
export const JGE = 0x30
export const JSET = 0x40

/** The words of `struct seccomp_data` (linux/seccomp.h): nr, arch, instruction_pointer, args[6]. */
export const NUMBER_WORD = 0
export const ARCH_WORD = 1
export const POINTER_WORD = 2
export const WORDS = DATA_SIZE / 4

/** The low word of argument 0 … 5; the high word follows. */
export const argumentWord = (argument: number): number => 4 + 2 * argument

/** Instructions in columns: what is looked at together lies together. */
export interface Instructions {
  readonly length: number
  readonly code: Uint16Array
  readonly jt: Uint8Array
  readonly jf: Uint8Array
  readonly k: Uint32Array
}

/** @throws AnalysisError ERR_INVALID_PROGRAM where the bytes are no whole number of instructions */
export function decode(bytes: Uint8Array): Instructions {
  const length = bytes.length / 8
  if (!Number.isInteger(length)) {
    throw new AnalysisError('ERR_INVALID_PROGRAM', {
      problem: `${bytes.length} bytes are no whole number of instructions of 8 bytes`,
      reason: 'size',
    })
  }
  const code = new Uint16Array(length)
  const jt = new Uint8Array(length)
  const jf = new Uint8Array(length)
  const k = new Uint32Array(length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let i = 0; i < length; i++) {
    code[i] = view.getUint16(8 * i, true)
    jt[i] = view.getUint8(8 * i + 2)
    jf[i] = view.getUint8(8 * i + 3)
    k[i] = view.getUint32(8 * i + 4, true)
  }
  return { length, code, jt, jf, k }
}

/** `unsigned` wherever the machine is: one comparison of two words. */
export function compareWords(operation: number, a: number, b: number): boolean {
  switch (operation) {
    case JEQ:
      return a === b
    case JGT:
      return a > b
    case JGE:
      return a >= b
    default:
      return (a & b) !== 0
  }
}

/** One ALU operation on two words; `b` is not 0 for DIV. */
export function calculate(operation: number, a: number, b: number): number {
  switch (operation) {
    case ADD:
      return (a + b) >>> 0
    case SUB:
      return (a - b) >>> 0
    case MUL:
      return Math.imul(a, b) >>> 0
    case DIV:
      return Math.floor(a / b)
    case OR:
      return (a | b) >>> 0
    case AND:
      return (a & b) >>> 0
    case XOR:
      return (a ^ b) >>> 0
    // By X the distance may be 32 or more; ___bpf_prog_run (kernel/bpf/core.c) takes it modulo 32,
    // and so does JavaScript.
    case LSH:
      return (a << b) >>> 0
    case RSH:
      return a >>> b
    default:
      return -a >>> 0 // NEG
  }
}
