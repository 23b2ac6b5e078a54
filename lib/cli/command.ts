/** What a command is: a file of commands/ that exports one of these as `command`. */
import type { Output } from './output'

/**
 * The contract of all commands. 0: done, and nothing to report. 1: done, and something to report: a
 * finding, a difference, a violation. 2: bad usage or bad input. 3: this system cannot do it.
 */
export type ExitCode = 0 | 1 | 2 | 3

export interface OptionSpec {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  /** May be given more than once. */
  readonly multiple?: true
  /** What stands for its value in the help: `FILE`. */
  readonly value?: string
  readonly help: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

type ValueOf<Spec extends OptionSpec> = Spec extends { readonly type: 'boolean' }
  ? boolean
  : Spec extends { readonly multiple: true }
    ? readonly string[]
    : string

/** What was given of the options. */
export type Values<Options extends OptionSpecs> = {
  readonly [Name in keyof Options]?: ValueOf<Options[Name]>
}

/** Standard input, made only for who reads it: Node takes a while to. */
export type Stdin = () => NodeJS.ReadStream

/** What a command is run with: nothing else of the process is its business. */
export interface Context<Options extends OptionSpecs = OptionSpecs> {
  readonly values: Values<Options>
  /** What is no option, before a `--`. */
  readonly args: readonly string[]
  /** What stands after `--`; undefined where there is none. */
  readonly rest: readonly string[] | undefined
  /** What was asked for. */
  readonly out: Output
  /** Errors, warnings, progress. */
  readonly err: Output
  readonly stdin: Stdin
}

export interface Command<Options extends OptionSpecs = OptionSpecs> {
  readonly name: string
  /** In a few words, for the list of commands. */
  readonly summary: string
  /** Each way to call it, without the name of the program: `prove POLICY [PROGRAM]`. */
  readonly usage: readonly string[]
  /** What the help says below that: paragraphs, divided by an empty line. */
  readonly about: string
  readonly options: Options
  /** May throw: main.ts says what it was and which exit code that is. Resolves to more than the contract
   * has only where it passes on that of another program. */
  run(context: Context<Options>): number | Promise<number>
}

/** Types the values of its options by what the options are. */
export const defineCommand = <const Options extends OptionSpecs>(
  command: Command<Options>,
): Command => command

/** For every command that reports something. */
export const JSON_OPTION = {
  json: { type: 'boolean', help: 'print the result as JSON' },
} as const satisfies OptionSpecs
