/** What would happen to a call: by a policy's rules, or by a program's instructions. */
import { parseTarget, rulesOf, type Policy, type PolicyTarget, type Target } from '../policy'
import { archOf, parseCall, type CallDescription } from './call'
import { loadProgram } from './check'
import { evaluate, type Decision } from './evaluate'
import { constantAllow, run, type Call } from './interpreter'
import { isProgram, readProgram, type ProgramBytes } from './program'
import { describeVerdict, type Verdict } from './verdict'

export interface PolicySimulation extends Verdict {
  /** What decided. `number`: what the policy says of numbers that it does not name. */
  readonly by: Decision['by']
  /**
   * Where in the policy the deciding rule stands: `$.syscalls.socket[0]`, `$.default`. Absent where
   * no part of it does: other architectures, x32, and what the library adds.
   */
  readonly path?: string
}

export interface ProgramSimulation extends Verdict {
  /** How many instructions ran. */
  readonly executed: number
  /** Whether Linux 5.11 and later answer from their cache, without running the program. */
  readonly cached: boolean
}

/**
 * What a policy or a program does with a call.
 *
 * @throws PolicyError for a mistake in the policy or the call, AnalysisError ERR_INVALID_PROGRAM
 */
export function simulate(
  policy: Policy,
  call: CallDescription,
  target?: PolicyTarget,
): PolicySimulation
export function simulate(
  program: ProgramBytes,
  call: CallDescription,
  target?: PolicyTarget,
): ProgramSimulation
export function simulate(
  subject: Policy | ProgramBytes,
  call: CallDescription,
  target?: PolicyTarget,
): PolicySimulation | ProgramSimulation {
  if (isProgram(subject)) {
    const { bytes, target: own } = readProgram(subject)
    return simulateProgram(bytes, parseCall(call, parseTarget(target, own)))
  }
  const here = parseTarget(target)
  return simulatePolicy(subject, parseCall(call, here), here)
}

function simulateProgram(bytes: Uint8Array, call: Call): ProgramSimulation {
  const program = loadProgram(bytes)
  const { value, executed } = run(program, call)
  const cached = constantAllow(program, call.arch, call.number)
  return { ...describeVerdict(value), executed, cached }
}

function simulatePolicy(policy: Policy, call: Call, target: Target): PolicySimulation {
  // A policy speaks of more than one architecture; each is compiled to a program of its own.
  const arch = archOf(call.arch) ?? target.arch
  const rules = rulesOf(policy, { ...target, arch })
  const { action, by, rule } = evaluate([rules], call)
  const path = pathOf(by, rule?.path)
  return { ...describeVerdict(action), by, ...(path === undefined ? {} : { path }) }
}

/** Where in the policy it says so. */
export function pathOf(by: Decision['by'], rulePath: string | undefined): string | undefined {
  if (by === 'default') return '$.default'
  return rulePath === undefined || rulePath === '' ? undefined : rulePath
}
