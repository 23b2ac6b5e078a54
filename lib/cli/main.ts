#!/usr/bin/env node
/** `seccomp-ts COMMAND …`: finds the command, reads its arguments, runs it, and says what went wrong. */
import { suggest } from '../syscalls/suggest'
import { didYouMean, parseArguments } from './arguments'
import { COMMANDS } from './commands'
import { report, UsageError } from './errors'
import { HELP_OPTION, printHelp, printOverview } from './help'
import { Output } from './output'

async function run(argv: readonly string[], out: Output, err: Output): Promise<number> {
  const [first, ...others] = argv
  if (first === undefined) {
    printOverview(err)
    return 2
  }
  if (first === '--version' || first === '-V') {
    out.line(version())
    return 0
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    const [name] = others
    if (name === undefined) printOverview(out)
    else printHelp(find(name).command, out)
    return 0
  }
  const { command } = find(first)
  if (asksForHelp(others)) {
    printHelp(command, out)
    return 0
  }
  try {
    const { values, args, rest } = parseArguments(others, { ...command.options, ...HELP_OPTION })
    const stdin = (): NodeJS.ReadStream => process.stdin
    return await command.run({ values, args, rest, out, err, stdin } as never)
  } catch (error) {
    return report(error, command.name, err)
  }
}

/** Whatever else is wrong with what was typed. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).some((each) => each === '--help' || each === '-h')
}

function find(name: string): ReturnType<NonNullable<ReturnType<typeof COMMANDS.get>>> {
  const load = COMMANDS.get(name)
  if (load !== undefined) return load()
  if (name.startsWith('-')) throw new UsageError(`there is no option ${name} before the command`)
  const meant = suggest(name, [...COMMANDS.keys()])
  const hint = `Commands: ${[...COMMANDS.keys()].join(', ')}.`
  throw new UsageError(`there is no command '${name}'${didYouMean(meant)}`, hint)
}

// By its own name, which its folder has wherever this file is.
const version = (): string => (require('seccomp-ts/package.json') as { version: string }).version

async function main(): Promise<void> {
  const out = new Output(1, process.env)
  const err = new Output(2, process.env)
  let code: number
  try {
    code = await run(process.argv.slice(2), out, err)
  } catch (error) {
    code = report(error, undefined, err)
  }
  // A module that held a policy may have left something running.
  process.exit(code)
}

void main()
