/** As program.ts, for policies that were not compiled when the package was built. */
import { describeRefutation, proveRules, type Proved, type Refuted } from '../analysis'
import { compileRules, type Program } from '../compiler/compile'
import { AnalysisError, LockdownError } from '../errors'
import {
  SECCOMP_RET_ALLOW,
  letsThrough,
  rulesOf,
  type Policy,
  type Rules,
  type Target,
} from '../policy'
import type { SyscallName } from '../syscalls'
import type { PolicyProgram } from './program'

export function compileUnprepared(policy: Policy, target: Target, prove: boolean): PolicyProgram {
  const rules = rulesOf(policy, target)
  return {
    name: rules.name,
    program: programFor(rules, prove),
    letsIoUringEnter: letsThrough(rules, 'io_uring_enter'),
  }
}

/** The program of a policy that lets one call through, whatever it says of it. */
export function compileAllowing(
  policy: Policy,
  target: Target,
  name: SyscallName,
  prove: boolean,
): Program {
  const rules = rulesOf(policy, target)
  const always = [{ action: SECCOMP_RET_ALLOW, conditions: [], path: '' }]
  const syscalls = rules.syscalls.map((each) =>
    each.name === name ? { ...each, rules: always } : each,
  )
  return programFor({ ...rules, syscalls }, prove)
}

function programFor(rules: Rules, prove: boolean): Program {
  const program = compileRules(rules)
  if (prove) requireProof(rules, program)
  return program
}

/** @throws LockdownError ERR_UNPROVED, ERR_INTERNAL */
export function requireProof(rules: Rules, { bytes }: Program): void {
  const result = tryToProve(rules, bytes)
  if (result.proved) return
  throw new LockdownError('ERR_INTERNAL', {
    problem: `the compiled program does not do what the policy says. ${describeRefutation(result).text}`,
    hint: 'Nothing was installed. This is a bug in seccomp-ts: please report it with the policy.',
  })
}

function tryToProve(rules: Rules, bytes: Uint8Array): Proved | Refuted {
  try {
    return proveRules([rules], bytes)
  } catch (cause) {
    if (!(cause instanceof AnalysisError)) throw cause
    throw new LockdownError('ERR_UNPROVED', {
      problem: `it could be neither proved nor refuted that the program does what the policy says (${cause.message})`,
      hint: 'Nothing was installed. Simplify the policy, or pass prove: false: status() then says that it was not proved.',
      cause,
    })
  }
}
