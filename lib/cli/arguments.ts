/** What was typed → options and the rest, with a word for every mistake. */
import { parseArgs } from 'node:util'
import { suggest } from '../syscalls/suggest'
import type { OptionSpec, OptionSpecs } from './command'
import { UsageError } from './errors'

export interface ParsedArguments {
  readonly values: Readonly<Record<string, boolean | string | readonly string[]>>
  readonly args: readonly string[]
  readonly rest: readonly string[] | undefined
}

/** @throws UsageError */
export function parseArguments(argv: readonly string[], specs: OptionSpecs): ParsedArguments {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type, short }]) => [
      name,
      { type, multiple: true, ...(short === undefined ? {} : { short }) },
    ]),
  )
  // Not strict: its own messages know neither what was meant nor this program's tone.
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const values = new Map<string, boolean | string | string[]>()
  const args: string[] = []
  let rest: string[] | undefined
  for (const token of tokens) {
    if (token.kind === 'option-terminator') rest = []
    else if (token.kind === 'positional') (rest ?? args).push(token.value)
    else {
      const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined
      if (spec === undefined) throw unknownOption(token.rawName, specs)
      const value = valueOf(token, spec)
      if (spec.multiple && typeof value === 'string') {
        const known = values.get(token.name)
        values.set(token.name, [...(Array.isArray(known) ? known : []), value])
      } else if (values.has(token.name) && spec.type === 'string') {
        throw new UsageError(`${token.rawName} is given twice`)
      } else values.set(token.name, value)
    }
  }
  return { values: Object.fromEntries(values), args, rest }
}

interface OptionToken {
  readonly rawName: string
  readonly value: string | undefined
  readonly inlineValue: boolean | undefined
}

function valueOf({ rawName, value, inlineValue }: OptionToken, spec: OptionSpec): boolean | string {
  if (spec.type === 'boolean') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
    return true
  }
  // `--arch --json`: the value was forgotten. `-` is standard input.
  const forgotten = !inlineValue && value?.startsWith('-') === true && value !== '-'
  if (value === undefined || value === '' || forgotten) {
    const what = spec.value ?? 'VALUE'
    const way = forgotten ? ` (a value that begins with '-' is written ${rawName}=${value})` : ''
    throw new UsageError(`${rawName} needs a value: ${rawName} ${what}${way}`)
  }
  return value
}

function unknownOption(rawName: string, specs: OptionSpecs): UsageError {
  const meant = suggest(rawName.replace(/^-+/, ''), Object.keys(specs))
  return new UsageError(`there is no option ${rawName}${didYouMean(meant && `--${meant}`)}`)
}

export const didYouMean = (meant: string | undefined): string =>
  meant === undefined || meant === '' ? '' : `. Did you mean ${meant}?`

/** @throws UsageError unless there are as many as `names`, those in brackets being optional */
export function expectArgs(args: readonly string[], ...names: readonly string[]): void {
  const needed = names.filter((name) => !name.startsWith('['))
  const missing = needed[args.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing`)
  const extra = args[names.length]
  if (extra !== undefined) throw new UsageError(`one argument too many: '${extra}'`)
}
