/** A program as text: labels for jumps, names for numbers. */
import { AnalysisError } from '../errors'
import {
  findSyscall,
  syscallName,
  type Arch,
  type ArgumentInfo,
  type SyscallInfo,
} from '../syscalls'
import {
  ALU,
  AND,
  ADD,
  ARCH_WORD,
  CLASS,
  compareWords,
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
  MUL,
  NEG,
  NUMBER_WORD,
  OPERATION,
  OR,
  POINTER_WORD,
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
import { archOf, constantOf, hex } from './call'
import { loadProgram } from './check'
import { Diagrams } from './diagram'
import { readProgram, type ProgramBytes } from './program'
import { explore, type Region } from './symbolic'
import { verdictText } from './verdict'

/**
 * The listing of a program, an instruction a line: its index, its label if something jumps to it, what
 * it does, and as a comment the names of the numbers in it. `jeq 2, L5, next` goes to L5 where A is 2
 * and to the next line elsewhere. Arguments have names where only one system call gets there.
 *
 * @throws AnalysisError ERR_INVALID_PROGRAM for what the kernel would not take
 */
export function disassemble(program: ProgramBytes): string {
  const instructions = loadProgram(readProgram(program).bytes)
  const labels = labelsOf(instructions)
  const held = heldWords(instructions)
  const names = namesOf(instructions, held)
  const lines = Array.from({ length: instructions.length }, (_, pc) => {
    const index = String(pc).padStart(4)
    const label = labels.has(pc) ? `${labels.get(pc) ?? ''}:` : ''
    const decimal = held[pc] === NUMBER_WORD
    const text = textOf(instructions, pc, decimal, (target) => labels.get(target) ?? 'next')
    const name = names(pc)
    const comment = name === '' ? '' : `; ${name}`
    return `${index}  ${label.padEnd(6)} ${text.padEnd(comment === '' ? 0 : 30)} ${comment}`.trimEnd()
  })
  return `${lines.join('\n')}\n`
}

/** L1, L2, … from the top, for what is jumped to and does not merely come next. */
function labelsOf({ length, code, jt, jf, k }: Instructions): Map<number, string> {
  const targets = new Set<number>()
  for (let pc = 0; pc < length; pc++) {
    const opcode = code[pc] ?? 0
    if ((opcode & CLASS) !== JMP) continue
    const distances = opcode === JA ? [k[pc] ?? 0] : [jt[pc] ?? 0, jf[pc] ?? 0]
    for (const distance of distances) if (distance > 0) targets.add(pc + 1 + distance)
  }
  const sorted = [...targets].sort((a, b) => a - b)
  return new Map(sorted.map((target, index) => [target, `L${index + 1}`]))
}

const MNEMONICS: ReadonlyMap<number, string> = new Map([
  [ALU | ADD, 'add'],
  [ALU | SUB, 'sub'],
  [ALU | MUL, 'mul'],
  [ALU | DIV, 'div'],
  [ALU | OR, 'or'],
  [ALU | AND, 'and'],
  [ALU | LSH, 'lsh'],
  [ALU | RSH, 'rsh'],
  [ALU | XOR, 'xor'],
  [JMP | JEQ, 'jeq'],
  [JMP | JGT, 'jgt'],
  [JMP | JGE, 'jge'],
  [JMP | JSET, 'jset'],
])

function textOf(
  { code, jt, jf, k }: Instructions,
  pc: number,
  /** Numbers of system calls are known by their decimals. */
  decimal: boolean,
  labelOf: (target: number) => string,
): string {
  const opcode = code[pc] ?? 0
  const constant = k[pc] ?? 0
  const target = (distance: number): string =>
    distance === 0 ? 'next' : labelOf(pc + 1 + distance)
  switch (opcode) {
    case RET_K:
      return `ret   ${verdictText(constant)}`
    case RET_A:
      return 'ret   A'
    case LD_ABS:
      return `ld    ${wordName(constant >>> 2)}`
    case LD_IMM:
      return `ld    ${hex(constant)}`
    case LD_LEN:
      return 'ld    length'
    case LD_MEM:
      return `ld    M[${constant}]`
    case LDX_IMM:
      return `ldx   ${hex(constant)}`
    case LDX_LEN:
      return 'ldx   length'
    case LDX_MEM:
      return `ldx   M[${constant}]`
    case ST:
      return `st    M[${constant}]`
    case STX:
      return `stx   M[${constant}]`
    case TAX:
      return 'tax'
    case TXA:
      return 'txa'
    case NEG:
      return 'neg'
    case JA:
      return `ja    ${target(constant)}`
    default: {
      const value = decimal && constant <= 0xffff ? String(constant) : hex(constant)
      const operand = (opcode & X) === 0 ? value : 'X'
      const mnemonic = (MNEMONICS.get(opcode & ~X) ?? '?').padEnd(5)
      const jump = (opcode & CLASS) === JMP
      const ways = jump ? `, ${target(jt[pc] ?? 0)}, ${target(jf[pc] ?? 0)}` : ''
      return `${mnemonic} ${operand}${ways}`
    }
  }
}

function wordName(word: number): string {
  if (word === NUMBER_WORD) return 'number'
  if (word === ARCH_WORD) return 'arch'
  const part = word % 2 === 0 ? 'low' : 'high'
  return word < 4 ? `pointer.${part}` : `arg${(word - 4) >>> 1}.${part}`
}

/** What A holds when an instruction is reached: a word of the call, or something else. */
const OTHER = -1
const NOTHING = -2

function heldWords({ length, code, jt, jf, k }: Instructions): Int16Array {
  const held = new Int16Array(length).fill(NOTHING)
  held[0] = OTHER
  const flow = (target: number, word: number): void => {
    const before = held[target] ?? NOTHING
    held[target] = before === NOTHING || before === word ? word : OTHER
  }
  for (let pc = 0; pc < length; pc++) {
    const opcode = code[pc] ?? 0
    const word = held[pc] ?? OTHER
    if (opcode === JA) {
      flow(pc + 1 + (k[pc] ?? 0), word)
    } else if ((opcode & CLASS) === JMP) {
      flow(pc + 1 + (jt[pc] ?? 0), word)
      flow(pc + 1 + (jf[pc] ?? 0), word)
    } else if (opcode !== RET_K && opcode !== RET_A) {
      const keeps = opcode === TAX || opcode === ST || opcode === STX || (opcode & CLASS) === 1
      // Under a mask an argument keeps its name; a number is another number.
      const masks = opcode === (ALU | AND) && word > ARCH_WORD
      if (opcode === LD_ABS) flow(pc + 1, (k[pc] ?? 0) >>> 2)
      else flow(pc + 1, keeps || masks ? word : OTHER)
    }
  }
  return held
}

/** Whose instruction it is: one system call's, or several's. */
interface Owner {
  readonly arch: Arch | undefined
  readonly syscall: SyscallInfo | undefined
}

const SEVERAL: Owner = { arch: undefined, syscall: undefined }

/** The comment for each instruction. */
function namesOf(program: Instructions, held: Int16Array): (pc: number) => string {
  const owners = ownersOf(program, held)
  return (pc) => {
    const opcode = program.code[pc] ?? 0
    const constant = program.k[pc] ?? 0
    const { arch, syscall } = owners[pc] ?? SEVERAL
    if (opcode === LD_ABS) {
      const argument = argumentOf(syscall, constant >>> 2)
      return argument === undefined ? '' : `${syscall?.name ?? ''}: ${argument.name}`
    }
    if ((opcode & CLASS) !== JMP || opcode === JA || (opcode & X) !== 0) return ''
    const word = held[pc] ?? OTHER
    if (word === ARCH_WORD) return archOf(constant) ?? ''
    if (arch === undefined) return ''
    if (word === NUMBER_WORD) return syscallName(constant, arch) ?? ''
    const argument = argumentOf(syscall, word)
    // The low word of a narrow argument is all of it.
    if (argument === undefined || argument.width > 32 || word % 2 === 1) return ''
    return constantOf(argument, BigInt(constant), arch) ?? ''
  }
}

const argumentOf = (syscall: SyscallInfo | undefined, word: number): ArgumentInfo | undefined =>
  word > POINTER_WORD + 1 ? syscall?.args[(word - 4) >>> 1] : undefined

/** Who gets to each instruction: at least those who do, so that a name is never wrong. */
function ownersOf(program: Instructions, held: Int16Array): (Owner | undefined)[] {
  const owners = Array.from<Owner | undefined>({ length: program.length })
  for (const region of regionsOf(program)) {
    const { firstArch, lastArch, firstNumber, lastNumber } = region
    const arch = firstArch === lastArch ? archOf(firstArch) : undefined
    const name =
      arch === undefined || firstNumber !== lastNumber ? undefined : syscallName(firstNumber, arch)
    const syscall = arch === undefined || name === undefined ? undefined : findSyscall(name, arch)
    const own: Owner = { arch, syscall }
    for (const pc of reachedBy(program, region, held)) {
      const before = owners[pc]
      owners[pc] =
        before === undefined
          ? own
          : { arch: before.arch === arch ? arch : undefined, syscall: undefined }
    }
  }
  return owners
}

/** Without regions there are no names, but there is still a listing. */
function regionsOf(program: Instructions): Region[] {
  try {
    return explore(program, new Diagrams())
  } catch (error) {
    if (error instanceof AnalysisError) return []
    throw error
  }
}

/** The instructions that some call of a region reaches, and perhaps some that none does. */
function reachedBy(program: Instructions, region: Region, held: Int16Array): number[] {
  const { length, code, jt, jf, k } = program
  const reached = new Uint8Array(length)
  reached[0] = 1
  const list: number[] = []
  for (let pc = 0; pc < length; pc++) {
    if (reached[pc] !== 1) continue
    list.push(pc)
    const opcode = code[pc] ?? 0
    if (opcode === RET_K || opcode === RET_A) continue
    if (opcode === JA) {
      reached[pc + 1 + (k[pc] ?? 0)] = 1
    } else if ((opcode & CLASS) === JMP) {
      const outcome = outcomeOf(opcode, k[pc] ?? 0, held[pc] ?? OTHER, region)
      if (outcome !== false) reached[pc + 1 + (jt[pc] ?? 0)] = 1
      if (outcome !== true) reached[pc + 1 + (jf[pc] ?? 0)] = 1
    } else {
      reached[pc + 1] = 1
    }
  }
  return list
}

/** Of a comparison of the number or architecture: undefined where it may go either way. */
function outcomeOf(
  opcode: number,
  constant: number,
  word: number,
  { firstArch, lastArch, firstNumber, lastNumber }: Region,
): boolean | undefined {
  const operation = opcode & OPERATION
  if ((opcode & X) !== 0 || (word !== NUMBER_WORD && word !== ARCH_WORD)) return undefined
  const first = word === ARCH_WORD ? firstArch : firstNumber
  const last = word === ARCH_WORD ? lastArch : lastNumber
  if (first !== last) {
    if (operation === JSET) return undefined
    if (operation === JEQ && first <= constant && constant <= last) return undefined
  }
  const outcome = compareWords(operation, first, constant)
  return outcome === compareWords(operation, last, constant) ? outcome : undefined
}
