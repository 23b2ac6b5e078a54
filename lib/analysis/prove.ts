/** The proof for people: a policy, a program, and if they differ, on what. */
import { parseTarget, rulesOf, type Policy, type PolicyTarget } from '../policy'
import { describeCall, type CallReport } from './call'
import { readProgram, type ProgramBytes } from './program'
import { proveRules, type Proved, type Refuted } from './proof'
import { pathOf } from './simulate'
import { describeVerdict, verdictText, type Verdict } from './verdict'

export interface Refutation {
  readonly proved: false
  readonly witness: {
    readonly call: CallReport
    readonly expected: Verdict
    readonly actual: Verdict
    /** The rule that decides, as in `simulate`. */
    readonly path?: string
  }
  /** All of that in one line. */
  readonly text: string
}

/**
 * Whether a program does what a policy says, for every call there can be. What could not be decided is
 * an error, never a proof.
 *
 * @param target what the program was compiled for: the program's own architecture, or this process's
 * @throws PolicyError for a mistake in the policy
 * @throws AnalysisError ERR_INVALID_PROGRAM, ERR_UNDECIDED
 */
export function prove(
  policy: Policy,
  program: ProgramBytes,
  target?: PolicyTarget,
): Proved | Refutation {
  const { bytes, target: own } = readProgram(program)
  const rules = rulesOf(policy, parseTarget(target, own))
  const result = proveRules([rules], bytes)
  return result.proved ? result : describeRefutation(result)
}

/** A refutation in names. */
export function describeRefutation(result: Refuted): Refutation {
  const { by, rule, action } = result.expected
  const call = describeCall(result.call)
  const path = pathOf(by, rule?.path)
  const where = path === undefined ? '' : ` (${path})`
  return {
    proved: false,
    witness: {
      call,
      expected: describeVerdict(action),
      actual: describeVerdict(result.actual),
      ...(path === undefined ? {} : { path }),
    },
    text: `${call.text}: the policy says ${verdictText(action)}${where}, the program ${verdictText(result.actual)}`,
  }
}
