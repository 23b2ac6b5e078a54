import { PolicyError } from '../errors'
import type { Policy } from '../policy'
import { describeValue } from '../policy/snapshot'
import { readProfile } from './read'
import { resolveProfile } from './resolve'
import type { ProfileTarget } from './target'

/**
 * A container profile as a policy, in one step: `resolveProfile(readProfile(input))`, without the
 * findings. Any dialect is taken.
 *
 * @param input the text of a profile, its bytes, or what JSON.parse made of it (where integers above
 * 2^53 − 1 are refused: they are no longer what was written)
 * @throws ProfileError, PolicyError as those two do
 */
export function fromOci(input: string | Uint8Array | object, target?: ProfileTarget): Policy {
  const text = typeof input === 'string' || input instanceof Uint8Array ? input : toText(input)
  return resolveProfile(readProfile(text).profile, target).policy
}

function toText(input: unknown): string {
  const wrong = (problem: string, cause?: unknown): PolicyError =>
    new PolicyError('ERR_OPTION', { path: 'input', problem, cause })
  if (typeof input !== 'object' || input === null) {
    throw wrong(`expected a profile, got ${describeValue(input)}`)
  }
  try {
    return JSON.stringify(input, (key, value: unknown) => {
      if (typeof value === 'number' && !Number.isSafeInteger(value)) {
        throw wrong(`${describeValue(value)} of '${key}' is not an exact integer`)
      }
      return value
    })
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause
    throw wrong('is not plain data', cause)
  }
}
