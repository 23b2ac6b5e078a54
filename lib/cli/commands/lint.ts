import { extname } from 'node:path'
import {
  builtInPolicies,
  lint,
  toSarif,
  type Dialect,
  type LintFinding,
  type LintSeverity,
  type ReviewOptions,
} from '../../index'
import { suggest } from '../../syscalls/suggest'
import { didYouMean } from '../arguments'
import { defineCommand, JSON_OPTION, type Context } from '../command'
import { about, UsageError } from '../errors'
import { nameOf, readInput, STDIN } from '../input'
import type { Output } from '../output'
import { ABOUT_POLICY, POLICY_OPTIONS, resolveSource, readSource, targetOf } from '../policy'

/** No profile is larger: readProfile refuses it. This is more, so that it is readProfile that says so. */
const MOST = 1_100_000

const SEVERITIES: readonly LintSeverity[] = ['note', 'warning', 'error']

const OPTIONS = {
  ...POLICY_OPTIONS,
  'fail-on': {
    type: 'string',
    value: 'SEVERITY',
    help: 'the least severity for exit code 1: note, warning (the default) or error',
  },
  node: {
    type: 'boolean',
    help: 'Node is to run under it: say what it cannot do without (as is said of policies of this package)',
  },
  ...JSON_OPTION,
  sarif: { type: 'boolean', help: 'print the result as SARIF 2.1.0, for code scanning' },
} as const

export const command = defineCommand({
  name: 'lint',
  summary: 'finds what is wrong with a profile or a policy, or open in it',
  usage: ['lint POLICY …'],
  about: `Mistakes of the text, rules that do nothing or contradict each other, what a runtime or Node cannot do without, and what is open although it seems refused; each with its place and what to write. docs/lint.md has every rule.

A profile is judged by what the runtime that usually reads its dialect makes of it, or the one of --runtime.

Exit code 1 if there is a warning or an error, or what --fail-on says.

${ABOUT_POLICY}`,
  options: OPTIONS,
  async run(context) {
    const { values, args, out } = context
    if (args.length === 0) throw new UsageError('POLICY is missing')
    if (args.filter((each) => each === STDIN).length > 1) {
      throw new UsageError('standard input can be read only once')
    }
    if (values.json && values.sarif) throw new UsageError('--json and --sarif exclude each other')
    const least = SEVERITIES.indexOf(severityOf(values['fail-on']))
    const files: { file: string; findings: LintFinding[] }[] = []
    for (const argument of args) {
      files.push({ file: nameOf(argument), findings: await lintOne(argument, context) })
    }
    if (values.json) out.json({ files })
    else if (values.sarif) out.json(toSarif(files))
    else print(files, out)
    const counted = files.flatMap(({ findings }) => findings)
    return counted.some(({ severity }) => SEVERITIES.indexOf(severity) >= least) ? 1 : 0
  },
})

function severityOf(given = 'warning'): LintSeverity {
  const found = SEVERITIES.find((each) => each === given)
  if (found !== undefined) return found
  const meant = didYouMean(suggest(given, SEVERITIES))
  throw new UsageError(`--fail-on: expected note, warning or error, got '${given}'${meant}`)
}

async function lintOne(argument: string, context: Context<typeof OPTIONS>): Promise<LintFinding[]> {
  const { values, stdin } = context
  const target = targetOf(values)
  const options: ReviewOptions = { ...target, ...(values.node ? { node: true } : {}) }
  const builtIn = builtInPolicies().some(({ name }) => name === argument)
  if (builtIn || /^\.[cm]?[jt]s$/.test(extname(argument))) {
    const source = await readSource(argument, context)
    const subject =
      source.kind === 'profile' ? source.profile : (await resolveSource(source, target)).policy
    return about(source.name, () => lint(subject, options))
  }
  // The text itself: a policy that is refused is a finding, with its place.
  const { dialect, document } = values
  const bytes = await readInput(argument, stdin, MOST)
  return about(nameOf(argument), () =>
    lint(bytes, {
      ...options,
      ...(dialect === undefined ? {} : { dialect: dialect as Dialect }),
      ...(document === undefined ? {} : { document }),
    }),
  )
}

const COLOUR = { error: 'red', warning: 'yellow', note: 'bold' } as const

function print(
  files: readonly { readonly file: string; readonly findings: readonly LintFinding[] }[],
  out: Output,
): void {
  const counts = { error: 0, warning: 0, note: 0 }
  for (const { file, findings } of files) {
    for (const { rule, severity, path, line, column, message, fix } of findings) {
      counts[severity]++
      const where = line === undefined ? `${file}: ${path}` : `${file}:${line}:${column ?? 1}`
      out.line(`${where}: ${out.style(COLOUR[severity], severity)}: ${message} [${rule}]`)
      if (fix !== undefined) out.line(`    fix: ${fix}`)
    }
  }
  const { error, warning, note } = counts
  out.line(
    error + warning + note === 0
      ? `${out.style('green', 'nothing found')} in ${files.map(({ file }) => file).join(', ')}`
      : `${plural(error, 'error')}, ${plural(warning, 'warning')}, ${plural(note, 'note')}`,
  )
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`
