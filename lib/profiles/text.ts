/** What is given for a text, before anything is made of it. */
import { PolicyError } from '../errors'
import { describeValue } from '../policy/snapshot'
import type { Lines } from './tree'

/**
 * @param none says what is wrong, of a text that is not known yet
 * @throws PolicyError ERR_OPTION for what is neither text nor bytes; ERR_PROFILE_LIMIT and ERR_PROFILE_SYNTAX,
 * as `none` has them
 */
export function decodeText(input: unknown, none: Lines, most: number): string {
  if (typeof input !== 'string' && !(input instanceof Uint8Array)) {
    throw new PolicyError('ERR_OPTION', {
      path: 'text',
      problem: `expected text or bytes, got ${describeValue(input)}`,
    })
  }
  // First: 50 MB would be decoded, and split into lines.
  limitSize(input, most, none)
  if (typeof input === 'string') return input
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input)
  } catch (cause) {
    throw none.error('ERR_PROFILE_SYNTAX', 0, { problem: 'is not text in UTF-8', cause })
  }
}

export function limitSize({ length }: string | Uint8Array, most: number, lines: Lines): void {
  if (length <= most) return
  throw lines.error('ERR_PROFILE_LIMIT', 0, {
    problem: `is ${length} long, more than the ${most} that are read`,
    hint: 'No profile is.',
  })
}
