import { LockdownError, PolicyError } from '../errors'
import { native } from '../native'
import { parseTarget, rulesOf, type Policy, type PolicyTarget, type Rules } from '../policy'
import { syscallName, type Arch } from '../syscalls'
import { encodeRules } from './encode'

/** linux/bpf_common.h: BPF_MAXINSNS */
const MAX_INSTRUCTIONS = 4096

/** A classic BPF program, as seccomp(2) takes it. */
export interface Program {
  readonly arch: Arch
  /** `struct sock_filter[]` in native byte order: what `bwrap --seccomp` reads too. */
  readonly bytes: Uint8Array
  /** How many instructions; the kernel takes at most 4,096. */
  readonly length: number
  /** The process id that `'SELF'` stands for in it: what `compile` was given. */
  readonly pid?: number
}

export function compile(policy: Policy, target?: PolicyTarget): Program {
  const { arch, pid } = parseTarget(target)
  return Object.freeze({ ...compileRules(rulesOf(policy, { arch, pid })), pid })
}

export const compileRules = (rules: Rules): Program =>
  compileWords(encodeRules([rules]), rules.arch)

export function compileWords(words: Uint32Array, arch: Arch): Program {
  const result = native().compile(words)
  if (result.outcome === 'program') {
    return Object.freeze({
      arch,
      bytes: result.program,
      length: result.program.length / 8,
    })
  }
  if (result.outcome === 'malformed') {
    throw new LockdownError('ERR_INTERNAL', {
      problem: `the compiler refused the rules at word ${result.offset}: ${result.message}`,
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
    problem: `the program would have ${result.instructions} instructions, and the kernel takes ${MAX_INSTRUCTIONS}`,
    hint: `The largest contributors: ${list}. Use ranges or masks instead of long lists of values.`,
    contributors,
  })
}
