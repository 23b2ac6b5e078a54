import { diagnose, LogError, readLog, type Diagnosis, type LogSummary } from '../../index'
import { defineCommand, JSON_OPTION } from '../command'
import { about, UsageError } from '../errors'
import { nameOf, readInput, STDIN } from '../input'
import type { Output } from '../output'

/** What a container printed, or the end of the kernel's log: more is for logs, which reads any length. */
const MOST = 64 * 1024 * 1024

export const command = defineCommand({
  name: 'diagnose',
  summary: 'says which call a filter refused to a process that died, and which rule is missing',
  usage: ['diagnose [FILE …] [--exit-code N] [--signal NAME]'],
  about: `Each FILE (- for standard input) is what is left of it: what it printed, what the runtime said, lines of the kernel's log, in any mixture. The kernel's own records tell for certain; what was printed, and the exit code alone, tell what it looks like.

  seccomp-ts diagnose --exit-code 159 container.log
  dmesg | seccomp-ts diagnose -

Exit code 1 if a cause was found; 0 if nothing is known to look like that, which is no proof that the filter was not the reason.`,
  options: {
    'exit-code': {
      type: 'string',
      short: 'c',
      value: 'N',
      help: 'as a shell or an engine tells it: 128 and the signal, where there was one',
    },
    signal: { type: 'string', value: 'NAME', help: 'the signal that ended it, such as SIGSYS' },
    ...JSON_OPTION,
  },
  async run({ values, args, out, stdin }) {
    const exitCode = exitCodeOf(values['exit-code'])
    const signal = signalOf(values.signal)
    if (exitCode === undefined && signal === undefined && args.length === 0) {
      throw new UsageError('there is nothing to go by: give a FILE, --exit-code or --signal')
    }
    const texts: string[] = []
    for (const file of args) texts.push(Buffer.from(await readInput(file, stdin, MOST)).toString())
    const text = texts.join('\n')
    const summary = text === '' ? undefined : await summaryOf(text, args)
    const found = diagnose({ exitCode, signal, text, summary })
    if (values.json) out.json({ diagnoses: found })
    else print(found, out)
    return found.length === 0 ? 0 : 1
  },
})

function exitCodeOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (/^\d{1,3}$/.test(given) && Number(given) < 256) return Number(given)
  throw new UsageError(`--exit-code: expected 0 to 255, got '${given}'`)
}

function signalOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined
  const name = given.toUpperCase()
  return name.startsWith('SIG') ? name : `SIG${name}`
}

/** Undefined where no line is a record: most of what a program prints is none. */
async function summaryOf(text: string, files: readonly string[]): Promise<LogSummary | undefined> {
  return about(files.map((file) => (file === STDIN ? nameOf(file) : file)).join(', '), async () => {
    try {
      return (await readLog(text)).summary
    } catch (error) {
      if (error instanceof LogError && error.code === 'ERR_LOG_NO_RECORD') return undefined
      throw error
    }
  })
}

const CERTAINTY: Readonly<Record<Diagnosis['by'], string>> = {
  kernel: 'The kernel says',
  text: 'It looks like this',
  exit: 'The exit code fits this',
}

function print(found: readonly Diagnosis[], out: Output): void {
  if (found.length === 0) {
    out.line('nothing here is known to come from a filter, which is no proof that it does not')
    return
  }
  for (const { by, what, calls, who, fix, source } of found) {
    out.line(`${out.style('bold', `${CERTAINTY[by]}:`)} ${what}`)
    if (calls.length > 0) {
      const one = calls.length === 1
      out.line(`  ${one ? 'call' : 'one of'}  ${calls.join(', ')} (made by ${WHO[who]})`)
      // A guess among many is no reason to allow them all.
      if (calls.length <= MOST_RULES) printRules(calls, out)
    }
    out.line(`  fix     ${fix}`)
    out.line(`  known   ${source}`)
  }
}

const MOST_RULES = 4

function printRules(calls: Diagnosis['calls'], out: Output): void {
  const names = calls.map((name) => `"${name}"`).join(', ')
  const rules = calls.map((name) => `"${name}": { "action": "allow" }`).join(', ')
  out.line(`  rule    in a profile: { "names": [${names}], "action": "SCMP_ACT_ALLOW" }`)
  out.line(`          in a policy: "syscalls": { ${rules} }`)
}

const WHO: Readonly<Record<Diagnosis['who'], string>> = {
  program: 'the program',
  runtime: 'the container’s runtime',
  either: 'the program or the container’s runtime',
}
