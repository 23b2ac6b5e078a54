/** A policy on its way to the kernel: its program, and what else about it decides the way. */
import { compileUnprepared } from '../deferred'
import type { Policy, Target } from '../policy'
import type { Program } from './compile'
import { findPrepared, programOf } from './prepared'

export interface CompiledPolicy {
  /** What the policy calls itself. */
  readonly name: string | undefined
  readonly program: Program
  /** Whether some call of io_uring_enter(2) gets through. */
  readonly letsIoUringEnter: boolean
}

/** @throws PolicyError, LockdownError */
export function compilePolicy(policy: Policy, target: Target): CompiledPolicy {
  const prepared = findPrepared(policy, target.arch)
  if (prepared === undefined) return compileUnprepared(policy, target)
  const { letsIoUringEnter } = prepared
  return { name: policy.name, program: programOf(prepared, target), letsIoUringEnter }
}
