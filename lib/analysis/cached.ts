import { parseTarget, type PolicyTarget } from '../policy'
import { AUDIT_ARCH, findSyscall, syscallNames, type SyscallName } from '../syscalls'
import { loadProgram } from './check'
import { constantAllow } from './interpreter'
import { readProgram, type ProgramBytes } from './program'

/**
 * The system calls that the kernel (since 5.11) allows without running the program: those of which it
 * sees when the filter is installed that no argument matters. Sorted by name.
 *
 * @throws AnalysisError ERR_INVALID_PROGRAM
 */
export function cachedSyscalls(program: ProgramBytes, target?: PolicyTarget): SyscallName[] {
  const { bytes, target: own } = readProgram(program)
  const { arch } = parseTarget(target, own)
  const instructions = loadProgram(bytes)
  return syscallNames(arch).filter((name) => {
    const number = findSyscall(name, arch)?.number
    return number !== undefined && constantAllow(instructions, AUDIT_ARCH[arch], number)
  })
}
