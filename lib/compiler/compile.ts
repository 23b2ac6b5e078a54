import { LockdownError, PolicyError } from '../errors'
import { native } from '../native'
import { hostTarget, rulesOf, type Policy, type Rules } from '../policy'
import { syscallName, type Arch } from '../syscalls'
import { encodeRules } from './encode'

/** linux/bpf_common.h: BPF_MAXINSNS */
const MAX_INSTRUCTIONS = 4096

/** What to compile for, where it is not this process. */
export interface CompileTarget {
  readonly arch?: Arch
  /** The process id that `'SELF'` stands for. */
  readonly pid?: number
}

/** A classic BPF program, as seccomp(2) takes it. */
export interface Program {
  readonly arch: Arch
  /** `struct sock_filter[]` in native byte order: what `bwrap --seccomp` reads too. */
  readonly bytes: Uint8Array
  /** How many instructions; the kernel takes at most 4,096. */
  readonly length: number
}

/**
 * Compiles a policy to BPF. The same policy gives the same bytes on every machine.
 *
 * @throws PolicyError for a mistake in the policy, or ERR_PROGRAM_TOO_LARGE
 * @throws LockdownError where the addon cannot be loaded (off Linux)
 */
export function compile(policy: Policy, target: CompileTarget = {}): Program {
  const host = hostTarget()
  return compileRules(
    rulesOf(policy, { arch: target.arch ?? host.arch, pid: target.pid ?? host.pid }),
  )
}

/** @internal */
export const compileRules = (rules: Rules): Program =>
  compileWords(encodeRules([rules]), rules.arch)

/** @internal */
export function compileWords(words: Uint32Array, arch: Arch): Program {
  const result = native().compile(words)
  if ('program' in result) {
    return Object.freeze({
      arch,
      bytes: result.program,
      length: result.program.length / 8,
    })
  }
  if ('malformed' in result) {
    throw new LockdownError('ERR_INTERNAL', {
      problem: `the compiler refused the rules at word ${result.offset}: ${result.malformed}`,
      hint: 'This is a bug in seccomp-ts: please report it with the policy.',
    })
  }
  const contributors = result.contributors.map(({ number, instructions }) => ({
    syscall: syscallName(number, arch) ?? String(number),
    instructions,
  }))
  const list = contributors.map((each) => `${each.syscall} (${each.instructions})`).join(', ')
  throw new PolicyError('ERR_PROGRAM_TOO_LARGE', {
    path: '$.syscalls',
    problem: `the program would have ${result.tooLarge} instructions, and the kernel takes ${MAX_INSTRUCTIONS}`,
    hint: `The largest contributors: ${list}. Use ranges or masks instead of long lists of values.`,
    contributors,
  })
}
