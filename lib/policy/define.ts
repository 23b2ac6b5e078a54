import { PolicyError } from '../errors'
import { normalise, type Rules, type Target } from './normalise'
import { describeValue, forEachField, readList, reading } from './snapshot'
import { hostTarget } from './target'
import type { Policy } from './types'

/** Policies this module froze, with what they came to, so that the work is done once. */
const frozen = new WeakMap<object, { readonly target: Target; readonly rules: Rules }>()

export function definePolicy(policy: Policy): Policy {
  const copy = reading('$', () => freezeCopy(policy, '$', 0)) as Policy
  const target = hostTarget()
  frozen.set(copy, { target, rules: normalise(copy, target) })
  return copy
}

/** The rules of a policy for a target. @throws PolicyError */
export function rulesOf(policy: Policy, target: Target): Rules {
  const known = frozen.get(policy)
  return known?.target.arch === target.arch && known.target.pid === target.pid
    ? known.rules
    : normalise(policy, target)
}

/** Levels in a policy: root, syscalls, rules, rule, when, comparator, values. */
const DEEPEST = 8

/** As many system calls or rules or values as any policy could use. */
const LONGEST = 65536

function freezeCopy(value: unknown, path: string, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw new PolicyError('ERR_POLICY_SHAPE', {
        path,
        problem: `${describeValue(value)} is not data`,
      })
    }
    return value
  }
  if (depth === DEEPEST) {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path,
      problem: 'is nested deeper than a policy goes, or refers to itself',
    })
  }
  if (Array.isArray(value)) {
    const list = readList(value, path, 'a list', LONGEST)
    return Object.freeze(
      list.map((element, index) => freezeCopy(element, `${path}[${index}]`, depth + 1)),
    )
  }
  const copy: Record<string, unknown> = {}
  forEachField(value, path, 'an object', (key, field) => {
    // Defined, not assigned: a key called __proto__ is data like any other.
    Object.defineProperty(copy, key, {
      value: freezeCopy(field, `${path}.${key}`, depth + 1),
      enumerable: true,
    })
  })
  return Object.freeze(copy)
}
