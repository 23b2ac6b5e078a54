import type { ConstantNames, ErrnoName, SyscallArguments } from './generated/types'

export type { ErrnoName, SyscallArguments }

export type Arch = 'x86_64' | 'aarch64'

/** How many bits of a register the kernel uses for an argument. */
export type Width = 16 | 32 | 64

/** A system call that exists on at least one architecture. */
export type SyscallName = keyof SyscallArguments

/** A group of named constants that belong to the same kind of argument: `'AF'`, `'PROT'`. */
export type ConstantFamily = keyof ConstantNames

/** The names of a family: `Constants<'SHUT'>` is `'SHUT_RD' | 'SHUT_WR' | 'SHUT_RDWR'`. */
export type Constants<F extends ConstantFamily> = ConstantNames[F]

/**
 * The type of an argument that is a pointer. Nothing has this type: the one property says, in the
 * compiler's own error message, why no comparator can be written for such an argument.
 */
export interface Pointer {
  readonly 'seccomp sees the address, not what it points to': never
}

/** The type of an argument that is a number without named values: a descriptor, a size, an id. */
export interface Numeric {
  readonly 'a number without named values': never
}

/** Of a system call that takes no arguments, or whose arguments nobody knows. */
export type NoArguments = object

export interface ArgumentInfo {
  /** The kernel's name for it. */
  readonly name: string
  /** As the kernel declares it: `const char *`. */
  readonly ctype: string
  /**
   * How many low bits of the register count. It can be less than the C type has: the kernel takes
   * the descriptor of readv as an `unsigned long` and then uses 32 bits of it.
   */
  readonly width: Width
  readonly signed: boolean
  readonly pointer: boolean
  /** The constants that name its values. */
  readonly constants?: ConstantFamily
}

export interface SyscallInfo {
  readonly name: SyscallName
  readonly number: number
  /** The first kernel that has the call on this architecture, `'5.10'`; `'2.6'` if older than 3.0. */
  readonly since: string
  /** In the order of the registers. */
  readonly args: readonly ArgumentInfo[]
}
