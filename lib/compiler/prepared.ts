/**
 * Ready policies, resolved and encoded when the package is built (scripts/build-ts.js): reading and
 * resolving one takes several milliseconds in a process that has just started, and the result is
 * always the same. From the sources, where nothing was built, they are resolved like any other;
 * test/compiler/prepared.test.ts holds the two to the same words.
 */
import type { Policy, Target } from '../policy'
import { preparedPolicies } from '../promises'
import type { Arch } from '../syscalls'

export interface PreparedPolicy {
  /** The words of encode.ts, little-endian, in base64. */
  readonly words: string
  /** Where in the words the process id stands that `'SELF'` means. */
  readonly pid: readonly number[]
  readonly letsIoUringEnter: boolean
}

/** What the build writes to dist/prepared.js. */
export type Prepared = Readonly<Record<string, Readonly<Record<Arch, PreparedPolicy>>>>

let loaded: Prepared | undefined

export function findPrepared(policy: Policy, { arch }: Target): PreparedPolicy | undefined {
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

export function wordsOf({ words, pid }: PreparedPolicy, target: Target): Uint32Array {
  const bytes = Buffer.from(words, 'base64')
  const array = new Uint32Array(bytes.length / 4)
  for (let i = 0; i < array.length; i++) array[i] = bytes.readUInt32LE(4 * i)
  for (const position of pid) array[position] = target.pid
  return array
}
