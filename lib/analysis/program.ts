/** A program as it is handed about: the bytes alone, or what `compile` returns. */
import { isUint8Array } from 'node:util/types'
import { AnalysisError, SeccompError } from '../errors'
import type { PolicyTarget } from '../policy'
import { describeValue, readFields } from '../policy/snapshot'
import type { Arch } from '../syscalls'

export type ProgramBytes =
  Uint8Array | { readonly bytes: Uint8Array; readonly arch?: Arch; readonly pid?: number }

export interface GivenProgram {
  readonly bytes: Uint8Array
  /** What it says it was compiled for. */
  readonly target: PolicyTarget
}

/** Whether this is meant to be a program, and not a policy. */
export const isProgram = (value: unknown): value is ProgramBytes =>
  isUint8Array(value) ||
  (typeof value === 'object' && value !== null && Object.hasOwn(value, 'bytes'))

/** The bytes are a copy: nothing that happens to the original matters. @throws AnalysisError */
export function readProgram(input: unknown): GivenProgram {
  try {
    return read(input)
  } catch (cause) {
    if (cause instanceof SeccompError) throw cause
    throw new AnalysisError('ERR_INVALID_PROGRAM', { problem: 'could not be read', cause })
  }
}

function read(input: unknown): GivenProgram {
  if (isUint8Array(input)) return { bytes: new Uint8Array(input), target: {} }
  const { bytes, arch, pid } = isProgram(input)
    ? Object.fromEntries(readFields(input, 'program', 'a program'))
    : {}
  if (!isUint8Array(bytes)) {
    const got = describeValue(isProgram(input) ? bytes : input)
    throw new AnalysisError('ERR_INVALID_PROGRAM', {
      problem: `expected the bytes of a program, got ${got}`,
      hint: 'Give a Uint8Array of instructions, or what compile() returns.',
    })
  }
  return {
    bytes: new Uint8Array(bytes),
    // Checked by whoever makes a target of it.
    target: {
      ...(arch === undefined ? {} : { arch: arch as Arch }),
      ...(pid === undefined ? {} : { pid: pid as number }),
    },
  }
}
