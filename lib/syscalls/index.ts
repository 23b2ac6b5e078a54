/**
 * The system calls of Linux on x86-64 and aarch64: numbers, arguments, and the constants that are
 * arguments' values. Generated; `docs/syscall-tables.md` tells from what.
 */
export {
  AUDIT_ARCH,
  constantNames,
  constantValue,
  errnoName,
  errnoNames,
  errnoValue,
  findSyscall,
  isSyscallName,
  syscallName,
  syscallNames,
} from './tables'
export { suggest } from './suggest'
export type {
  Arch,
  ArgumentInfo,
  ConstantFamily,
  Constants,
  ErrnoName,
  Numeric,
  Pointer,
  SyscallArguments,
  SyscallInfo,
  SyscallName,
  Width,
} from './types'
