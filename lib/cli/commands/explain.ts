import { textOf } from '../../analysis/verdict-text'
import { explain, type ExplainedDanger, type ExplainedPlace, type Explanation } from '../../index'
import { ABOUT_CALL, callOf } from '../call'
import { defineCommand, JSON_OPTION } from '../command'
import { about, UsageError } from '../errors'
import { wrap, type Output } from '../output'
import {
  ABOUT_POLICY,
  POLICY_OPTIONS,
  readSource,
  resolveSource,
  targetOf,
  type Source,
} from '../policy'

export const command = defineCommand({
  name: 'explain',
  summary: 'says what happens to a call, why, and what else would',
  usage: ['explain POLICY SYSCALL [NAME=VALUE …]'],
  about: `What a policy does with a call: the rule that decides and where it stands, what other arguments get, which calls do the same, what Node does without it. Of a dangerous call also what an attacker does with it, what that takes, and which other control would stop it.

  seccomp-ts explain profile.json ptrace
  seccomp-ts explain profile.json socket family=40

${ABOUT_CALL}

${ABOUT_POLICY}`,
  options: { ...POLICY_OPTIONS, ...JSON_OPTION },
  async run(context) {
    const { values, args, out } = context
    const [argument, ...words] = args
    if (argument === undefined) throw new UsageError('POLICY is missing')
    const call = callOf(words)
    const source = await readSource(argument, context)
    const target = targetOf(values)
    // A profile itself, since it knows its lines.
    const subject =
      source.kind === 'profile' ? source.profile : (await resolveSource(source, target)).policy
    const explanation = await about(source.name, () => explain(subject, call, target))
    if (values.json) out.json(explanation)
    else print(explanation, source, out)
    return 0
  },
})

function placeText({ name }: Source, place: ExplainedPlace): string {
  return place.line === undefined
    ? `${place.path} of ${name}`
    : `${name}:${place.line}:${place.column ?? 1} (${place.path})`
}

const BY: Readonly<Record<Explanation['by'], string>> = {
  rule: 'a rule that the library adds: a call whose arguments no filter sees',
  number: 'what the policy says of numbers without a name',
  default: 'the default: nothing names it, or no condition of what does holds',
  architecture: 'what every policy says of other architectures',
}

function print(explanation: Explanation, source: Source, out: Output): void {
  const { call, verdict, runs, by, place, bypass, node, needed } = explanation
  const colour = runs ? 'green' : 'red'
  out.line(`${call.text}: ${out.style(colour, textOf(verdict))}`)
  const decided = place === undefined ? BY[by] : placeText(source, place)
  out.line(`  by ${by === 'default' && place !== undefined ? `the default, ${decided}` : decided}`)
  printRules(explanation, source, out)
  if (bypass !== undefined) {
    section(out, 'Got past by', [
      `${bypass.allowed.text}, which the kernel takes for ${bypass.refused.text}`,
    ])
  }
  const twins = explanation.twins.map(
    ({ does, calls }) =>
      `to ${does}: ${calls.map(({ syscall, open }) => `${syscall} (${OPEN[open]})`).join(', ')}`,
  )
  section(out, 'The same is done by', twins)
  if (node !== undefined) {
    const lead = node.refused ? 'Node without it' : 'If it were refused (EPERM), Node'
    section(out, lead, [`${node.effect}: ${node.how}`])
  }
  section(out, 'Node needs it to', needed)
  for (const danger of explanation.dangers) printDanger(danger, out)
}

const OPEN = { always: 'open', sometimes: 'open in part', never: 'refused' } as const

function printRules({ rules, otherwise }: Explanation, source: Source, out: Output): void {
  const lines = rules.map(({ verdict, when, ...place }) => {
    const condition = when === undefined ? 'always' : `where ${when}`
    return `${textOf(verdict)} ${condition}, ${placeText(source, place)}`
  })
  section(out, 'Its rules, in order', lines)
  section(
    out,
    'Other arguments',
    otherwise.map(({ text }) => text),
  )
}

function printDanger(danger: ExplainedDanger, out: Output): void {
  const { title, attack, needs, open, call, controls, references } = danger
  out.line()
  out.line(out.style('bold', `${title.slice(0, 1).toUpperCase()}${title.slice(1)}:`))
  wrapped(out, `an attacker ${attack}`)
  wrapped(out, `It takes ${needs}.`)
  wrapped(out, open && call !== undefined ? `It is open here: ${call.text}.` : 'It is closed here.')
  out.table(
    controls.map(({ control, effect, how }) => [
      `  ${CONTROL[control]}`,
      how === undefined ? EFFECT[effect] : `${EFFECT[effect]}: ${how}`,
    ]),
  )
  wrapped(out, `See ${references.join(', ')}.`)
}

const EFFECT = { stops: 'stops it', partly: 'in part', no: 'no' } as const

const CONTROL: Readonly<Record<ExplainedDanger['controls'][number]['control'], string>> = {
  capabilities: 'dropping capabilities',
  apparmor: 'AppArmor',
  selinux: 'SELinux',
  landlock: 'Landlock',
  'read-only-root': 'a read-only root',
  'no-new-privs': 'no_new_privs',
  'no-user-namespaces': 'no user namespaces',
}

const WIDEST = 100

function section(out: Output, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return
  out.line(out.style('bold', `${title}:`))
  for (const line of lines) wrapped(out, line)
}

function wrapped(out: Output, text: string): void {
  const columns = Math.min(out.columns, WIDEST) - 2
  for (const line of wrap(text, columns)) out.line(`  ${line}`)
}
