/** Two programs held against each other: not on samples, but for every call of an architecture there is. */
import { Diagrams } from '../../lib/analysis/diagram'
import { loadProgram } from '../../lib/analysis/check'
import { run, type Call } from '../../lib/analysis/interpreter'
import { difference } from '../../lib/analysis/proof'
import { explore, type Region } from '../../lib/analysis/symbolic'
import { verdictOf } from '../../lib/analysis/verdict'

/**
 * A call of this architecture, with a number in the range (inclusive), that the kernel would treat
 * differently under the two; or undefined, if there is none.
 *
 * @throws AnalysisError ERR_UNDECIDED
 */
export function differenceOfPrograms(
  one: Uint8Array,
  other: Uint8Array,
  arch: number,
  [first, last]: readonly [number, number],
): Call | undefined {
  const programs = [loadProgram(one), loadProgram(other)] as const
  const diagrams = new Diagrams()
  const here = ({ firstArch, lastArch, firstNumber, lastNumber }: Region): boolean =>
    firstArch <= arch && arch <= lastArch && firstNumber <= last && lastNumber >= first
  const [ours, theirs] = programs.map((program) => explore(program, diagrams).filter(here))
  let compared = 0
  for (const a of ours ?? []) {
    for (const b of theirs ?? []) {
      const firstNumber = Math.max(a.firstNumber, b.firstNumber, first)
      const lastNumber = Math.min(a.lastNumber, b.lastNumber, last)
      if (firstNumber > lastNumber) continue
      compared += lastNumber - firstNumber + 1
      const { verdicts } = a
      const common = { firstArch: arch, lastArch: arch, firstNumber, lastNumber, verdicts }
      const call = difference(diagrams, common, b.verdicts)
      if (call === undefined) continue
      const verdicts2 = programs.map((program) => verdictOf(run(program, call).value))
      if (verdicts2[0] === verdicts2[1]) throw new Error('a difference that a run does not confirm')
      return call
    }
  }
  // The regions are disjoint, and together all there is.
  if (compared !== last - first + 1) throw new Error(`only ${compared} numbers were compared`)
  return undefined
}
