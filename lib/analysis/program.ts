/** A program as it is handed about: the bytes alone, or what `compile` returns. */
import { AnalysisError } from '../errors'
import type { PolicyTarget } from '../policy'
import { describeValue, readFields, reading } from '../policy/snapshot'
import type { Arch } from '../syscalls'

export type ProgramBytes = Uint8Array | { readonly bytes: Uint8Array; readonly arch?: Arch }

export interface GivenProgram {
  readonly bytes: Uint8Array
  /** What it says it was compiled for. */
  readonly target: PolicyTarget
}

/** Whether this is meant to be a program, and not a policy. */
export const isProgram = (value: unknown): value is ProgramBytes =>
  value instanceof Uint8Array ||
  (typeof value === 'object' && value !== null && Object.hasOwn(value, 'bytes'))

/** @throws AnalysisError ERR_INVALID_PROGRAM for what is none */
export function readProgram(input: unknown): GivenProgram {
  if (input instanceof Uint8Array) return { bytes: input, target: {} }
  const { bytes, arch } = isProgram(input)
    ? reading('program', () => Object.fromEntries(readFields(input, 'program', 'a program')))
    : {}
  if (!(bytes instanceof Uint8Array)) {
    const got = describeValue(isProgram(input) ? bytes : input)
    throw new AnalysisError('ERR_INVALID_PROGRAM', {
      problem: `expected the bytes of a program, got ${got}`,
      hint: 'Give a Uint8Array of instructions, or what compile() returns.',
    })
  }
  return { bytes, target: arch === undefined ? {} : { arch: arch as Arch } }
}
