import { LockdownError, PolicyError } from '../errors'
import { native } from '../native'
import { hostTarget, rulesOf, type Policy, type Rules, type Target } from '../policy'
import { describeValue, readFields, reading, refuseUnknownKeys } from '../policy/snapshot'
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

export function compile(policy: Policy, target?: CompileTarget): Program {
  return compileRules(rulesOf(policy, parseTarget(target)))
}

/** include/linux/threads.h: PID_MAX_LIMIT on 64-bit kernels. */
const MAX_PID = 4194304

function parseTarget(input: unknown): Target {
  return reading('target', () => {
    const fields = readFields(input ?? {}, 'target', 'an object')
    refuseUnknownKeys(fields, ['arch', 'pid'], 'target', 'a target')
    const { arch = hostTarget().arch, pid = process.pid } = Object.fromEntries(fields)
    if (arch !== 'x86_64' && arch !== 'aarch64') {
      throw new PolicyError('ERR_OPTION', {
        path: 'target.arch',
        problem: `expected x86_64 or aarch64, got ${describeValue(arch)}`,
      })
    }
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1 || pid > MAX_PID) {
      throw new PolicyError('ERR_OPTION', {
        path: 'target.pid',
        problem: `expected a process id, got ${describeValue(pid)}`,
      })
    }
    return { arch, pid }
  })
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
