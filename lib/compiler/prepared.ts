/**
 * Ready policies, compiled when the package is built (scripts/build-ts.js): reading, resolving and
 * compiling one takes several milliseconds in a process that has just started, and the result is
 * always the same. From the sources, where nothing was built, they are compiled like any other;
 * test/compiler/prepared.test.ts holds the two to the same bytes.
 */
import type { Policy, Target } from '../policy'
import { preparedPolicies } from '../promises'
import type { Arch } from '../syscalls'
import type { Program } from './compile'

export interface PreparedPolicy {
  /** The program in base64. */
  readonly program: string
  /** Which of its instructions compare with the process id that `'SELF'` means. */
  readonly pid: readonly number[]
  readonly letsIoUringEnter: boolean
}

/** What the build puts in the place of `./prepared.js`: by the policy's own name. */
export type Prepared = Readonly<Record<string, Readonly<Record<Arch, PreparedPolicy>>>>

let loaded: Prepared | undefined

export function findPrepared(policy: Policy, arch: Arch): PreparedPolicy | undefined {
  // By identity: a copy of a ready policy may have been changed.
  if (!preparedPolicies.includes(policy)) return undefined
  loaded ??= load()
  return loaded[policy.name ?? '']?.[arch]
}

function load(): Prepared {
  try {
    return require('./prepared.js') as Prepared
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return {}
    throw error
  }
}

/** struct sock_filter, linux/filter.h: code, jt, jf, and k in the last four of eight bytes. */
const INSTRUCTION_SIZE = 8
const OFFSET_OF_K = 4

export function programOf({ program, pid }: PreparedPolicy, target: Target): Program {
  const bytes = Buffer.from(program, 'base64')
  // Not Buffer's own writer, which a process that has just started would have to compile first.
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (const index of pid) view.setUint32(INSTRUCTION_SIZE * index + OFFSET_OF_K, target.pid, true)
  return Object.freeze({ arch: target.arch, bytes, length: bytes.length / INSTRUCTION_SIZE })
}
