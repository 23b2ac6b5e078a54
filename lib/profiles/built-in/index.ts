/** Policies that have a name: what a command, or a program, takes in the place of a file. */
import { PolicyError } from '../../errors'
import type { Policy } from '../../policy'
import { describeValue } from '../../policy/snapshot'
import { readyPolicies } from '../../promises'
import { suggest } from '../../syscalls/suggest'
import { parseTarget, type ParsedTarget, type ProfileTarget } from '../target'
import { containerdDefault, dockerDefault, podmanDefault } from './containers'
import { audit, strict, unconfined } from './plain'

export interface BuiltInPolicy {
  readonly name: string
  /** In one line. */
  readonly about: string
}

interface BuiltIn extends BuiltInPolicy {
  /** What it comes to for a target. */
  readonly policyFor: (target: ParsedTarget) => Policy
}

const READY: Readonly<Record<string, string>> = {
  webServer: 'a Node HTTP server, once it has started',
}

const BUILT_IN: readonly BuiltIn[] = [
  ...[...readyPolicies].map(([name, policy]) => ({
    name,
    about: READY[name] ?? 'a ready policy',
    policyFor: () => policy,
  })),
  {
    name: 'docker-default',
    about: 'what Docker applies to a container that names no profile',
    policyFor: dockerDefault,
  },
  {
    name: 'containerd-default',
    about: 'what RuntimeDefault is with containerd',
    policyFor: containerdDefault,
  },
  {
    name: 'podman-default',
    about: 'what Podman applies, and RuntimeDefault with CRI-O',
    policyFor: podmanDefault,
  },
  { name: 'unconfined', about: 'nothing is refused', policyFor: () => unconfined },
  { name: 'audit', about: 'nothing is refused, everything is logged', policyFor: () => audit },
  {
    name: 'strict',
    about: 'read, write, exit and rt_sigreturn, as in SECCOMP_MODE_STRICT; all else kills',
    policyFor: () => strict,
  },
]

/** All that there are, in the order in which they are best listed. */
export const builtInPolicies = (): readonly BuiltInPolicy[] =>
  BUILT_IN.map(({ name, about }) => Object.freeze({ name, about }))

/**
 * The policy of that name, for a target as `resolveProfile` takes it.
 *
 * @throws PolicyError ERR_POLICY_NOT_FOUND where there is none; ERR_OPTION and its like for a mistake in
 * the target
 */
export function builtInPolicy(name: string, target?: ProfileTarget): Policy {
  const parsed = parseTarget(target)
  const found = BUILT_IN.find((each) => each.name === name)
  if (found !== undefined) return found.policyFor(parsed)
  const names = BUILT_IN.map((each) => each.name)
  throw new PolicyError('ERR_POLICY_NOT_FOUND', {
    path: 'name',
    problem: `there is no built-in policy ${describeValue(name)}`,
    suggestion: typeof name === 'string' ? suggest(name, names) : undefined,
    hint: `There are ${names.join(', ')}.`,
  })
}
