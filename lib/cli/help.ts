/** What --help prints. */
import type { Command, OptionSpec, OptionSpecs } from './command'
import { COMMANDS } from './commands'
import { wrap, type Output } from './output'

const WIDEST = 100

export const HELP_OPTION = {
  help: { type: 'boolean', short: 'h', help: 'print this help' },
} as const satisfies OptionSpecs

export function printOverview(out: Output): void {
  out.line(`${out.style('bold', 'Usage:')} seccomp-ts COMMAND [OPTION …]`)
  out.line()
  out.line('Works with seccomp policies, and with the profiles and logs of the container world.')
  out.line()
  out.line(out.style('bold', 'Commands:'))
  out.table([...COMMANDS].map(([name, load]) => [name, load().command.summary]))
  out.line()
  out.line('seccomp-ts COMMAND --help says what it takes; seccomp-ts --version, which one this is.')
  out.line('Exit codes: 0 done, 1 something to report, 2 bad usage or input, 3 not possible here.')
}

export function printHelp(command: Command, out: Output): void {
  const columns = Math.min(out.columns, WIDEST)
  command.usage.forEach((usage, index) => {
    const lead = index === 0 ? 'Usage:' : '      '
    out.line(`${out.style('bold', lead)} seccomp-ts ${usage}`)
  })
  for (const paragraph of command.about.trim().split(/\n{2,}/)) {
    out.line()
    // Examples and lists stand as they are written.
    const lines = /^ {2}/m.test(paragraph) ? paragraph.split('\n') : wrap(paragraph, columns)
    for (const line of lines) out.line(line)
  }
  const options = Object.entries({ ...command.options, ...HELP_OPTION })
  const left = options.map(([name, spec]) => optionText(name, spec))
  const indent = Math.max(...left.map((text) => text.length)) + 4
  out.line()
  out.line(out.style('bold', 'Options:'))
  options.forEach(([, { help }], index) => {
    const lines = wrap(help, Math.max(columns - indent, 30))
    lines.forEach((line, row) => {
      const lead = row === 0 ? `  ${left[index] ?? ''}` : ''
      out.line(`${lead.padEnd(indent)}${line}`)
    })
  })
}

function optionText(name: string, { short, type, value = 'VALUE' }: OptionSpec): string {
  const both = `${short === undefined ? '    ' : `-${short}, `}--${name}`
  return type === 'boolean' ? both : `${both} ${value}`
}
