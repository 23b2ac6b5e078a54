/**
 * How much the tests of this folder do. By default what fits into every run of the tests, from a seed
 * that is always the same; with SECCOMP_TS_DIFFERENTIAL=nightly some fifty times as much, from a seed of
 * its own. Both print the seed, and SECCOMP_TS_SEED=N repeats a run.
 */
import { Random } from '../helpers/analysis'

const mode = process.env['SECCOMP_TS_DIFFERENTIAL'] ?? 'ci'
if (mode !== 'ci' && mode !== 'nightly') {
  throw new RangeError(`SECCOMP_TS_DIFFERENTIAL is 'ci' or 'nightly', not '${mode}'`)
}

const given = process.env['SECCOMP_TS_SEED']
const seed = given === undefined ? (mode === 'ci' ? 1 : Date.now() % 2 ** 31) : Number(given)
if (!Number.isSafeInteger(seed)) throw new RangeError(`SECCOMP_TS_SEED is not a number: ${given}`)

export const sized = (ci: number, nightly: number): number => (mode === 'ci' ? ci : nightly)

/** Milliseconds that one file may take. */
export const TIMEOUT = 60 * 60 * 1000

interface Test {
  readonly name: string
  comment(text: string): void
}

/** Each test draws from a sequence of its own. */
export function seeded(t: Test): Random {
  t.comment(`seed ${seed}, size ${mode}`)
  let own = seed
  for (const character of t.name) own = Math.imul(own, 31) + (character.codePointAt(0) ?? 0)
  return new Random(own >>> 0)
}

/** What was done, as a line of the output: `policies 300, calls 90000, mismatches 0`. */
export function report(t: Test, counts: Readonly<Record<string, number | string>>): void {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  t.comment(parts.join(', '))
}
