import {
  comparePolicies,
  type ChangeKind,
  type PolicyComparison,
  type PolicyDifference,
} from '../../index'
import { expectArgs } from '../arguments'
import { defineCommand, JSON_OPTION } from '../command'
import { about, UsageError } from '../errors'
import { STDIN } from '../input'
import type { Output } from '../output'
import { ABOUT_POLICY, loadPolicy, mentionFindings, POLICY_OPTIONS, targetOf } from '../policy'

export const command = defineCommand({
  name: 'diff',
  summary: 'compares two policies by what they mean',
  usage: ['diff A B'],
  about: `What B changes against A: each system call that gets another answer, with a call that shows it. Order, spelling and dialect make no difference.

Exit code 1 if B lets a call through that A refuses; 0 if it does not, whatever else is different: B refuses more, or refuses in another way.

A and B are POLICIES, and read for the same target. ${ABOUT_POLICY}`,
  options: { ...POLICY_OPTIONS, ...JSON_OPTION },
  async run(context) {
    const { values, args, out } = context
    expectArgs(args, 'A', 'B')
    const [first = '', second = ''] = args
    if (first === STDIN && second === STDIN) {
      throw new UsageError('A and B cannot both be standard input')
    }
    const a = await loadPolicy(first, context)
    const b = await loadPolicy(second, context)
    mentionFindings(a, context)
    mentionFindings(b, context)
    const { arch } = targetOf(values)
    const target = arch === undefined ? {} : { arch }
    const comparison = await about(`${a.name} and ${b.name}`, () =>
      comparePolicies(a.policy, b.policy, target),
    )
    if (values.json) out.json({ a: a.name, b: b.name, ...comparison })
    else print(comparison, a.name, b.name, out)
    return comparison.differences.some(({ kind }) => kind === 'allows') ? 1 : 0
  },
})

function print(
  { equal, narrows, differences }: PolicyComparison,
  a: string,
  b: string,
  out: Output,
): void {
  if (equal) {
    out.line(`${out.style('green', 'equal:')} no call tells ${a} and ${b} apart`)
    return
  }
  const of = (kind: ChangeKind): readonly PolicyDifference[] =>
    differences.filter((each) => each.kind === kind)
  section(out, out.style('red', `${b} lets through what ${a} refuses:`), of('allows'))
  section(out, `${b} refuses what ${a} lets through:`, of('denies'))
  section(out, 'Neither, but with another outcome:', of('changes'))
  out.line(
    narrows
      ? `${out.style('green', 'narrower:')} nothing that ${a} refuses gets through ${b}, nor is it refused more gently`
      : `${of('allows').length} opened, ${of('denies').length} closed, ${of('changes').length} otherwise different`,
  )
}

function section(out: Output, title: string, differences: readonly PolicyDifference[]): void {
  if (differences.length === 0) return
  out.line(title)
  for (const { text } of differences) out.line(`  ${text}`)
  out.line()
}
