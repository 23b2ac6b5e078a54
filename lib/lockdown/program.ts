/** A policy on its way to the kernel: its program, and what else about it decides the way. */
import type { Program } from '../compiler/compile'
import { findPrepared, programOf } from '../compiler/prepared'
import { compileUnprepared } from '../deferred'
import type { Policy, Target } from '../policy'

export interface PolicyProgram {
  /** What the policy calls itself. */
  readonly name: string | undefined
  readonly program: Program
  /** Whether some call of io_uring_enter(2) gets through. */
  readonly letsIoUringEnter: boolean
}

/**
 * @param prove refuse a program that is not proved to do what the policy says. That of a ready policy
 * was when the package was built
 * @throws PolicyError, LockdownError
 */
export function compilePolicy(policy: Policy, target: Target, prove: boolean): PolicyProgram {
  const prepared = findPrepared(policy, target.arch)
  if (prepared === undefined) return compileUnprepared(policy, target, prove)
  const { letsIoUringEnter } = prepared
  return { name: policy.name, program: programOf(prepared, target), letsIoUringEnter }
}
