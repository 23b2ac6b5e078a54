/** What went wrong, for people, and the exit code it is. */
import {
  AnalysisError,
  LockdownError,
  ManifestError,
  PolicyError,
  ProfileError,
  SeccompError,
  type ProfileFinding,
} from '../index'
import type { ExitCode } from './command'
import type { Output } from './output'

/** The command was called in a way it cannot be. Exit code 2. */
export class UsageError extends Error {
  readonly hint: string | undefined

  constructor(problem: string, hint?: string) {
    super(problem)
    this.hint = hint
  }
}

/** Something that was read is wrong, or cannot be read. Exit code 2. */
export class InputError extends Error {
  /** What was read: a file's name. */
  readonly source: string

  constructor(source: string, problem: string, cause?: unknown) {
    super(problem, { cause })
    this.source = source
  }
}

/** This Node, kernel or platform has not what it takes. Exit code 3. */
export class UnableError extends Error {}

/** Says of what it is that a library's error speaks. */
export async function about<T>(source: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LockdownError || !(error instanceof SeccompError)) throw error
    if (error instanceof PolicyError && OPTION.test(error.path)) throw asUsage(error)
    if (error instanceof PolicyError && error.code === 'ERR_OPTION') throw error
    throw new InputError(source, error.message, error)
  }
}

/** What a library function was given of the command's own options. */
const OPTION = /^(?:target|options)\.(\w+)/

/** `target.arch: expected …` is --arch to whoever typed it. */
const asUsage = ({ message, path }: PolicyError): UsageError =>
  new UsageError(`--${kebab(OPTION.exec(path)?.[1] ?? '')}${message.slice(path.length)}`)

/** `clusterVersion` is --cluster-version. */
const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Not of the contract, since it should not be: EX_SOFTWARE of sysexits.h. */
const BUG = 70

const MOST_FINDINGS = 20

/** Prints it, and returns the exit code. */
export function report(error: unknown, command: string | undefined, err: Output): number {
  const program = command === undefined ? 'seccomp-ts' : `seccomp-ts ${command}`
  const say = (text: string): void => {
    err.line(`${err.style('red', `${program}:`)} ${text}`)
  }
  if (error instanceof UsageError) {
    say(error.message)
    if (error.hint !== undefined) err.line(error.hint)
    err.line(`See ${program} --help.`)
    return 2 satisfies ExitCode
  }
  if (error instanceof InputError) {
    const { source, cause } = error
    if (cause instanceof ProfileError || cause instanceof ManifestError)
      reportPlaced(source, cause, say, err)
    else if (cause instanceof SeccompError) say(`${source}: ${cause.message} (${cause.code})`)
    else say(`${source}: ${error.message}`)
    return 2 satisfies ExitCode
  }
  if (error instanceof UnableError) {
    say(error.message)
    return 3 satisfies ExitCode
  }
  if (error instanceof LockdownError && error.code !== 'ERR_INTERNAL') {
    say(`${error.message} (${error.code})`)
    return 3 satisfies ExitCode
  }
  if (error instanceof SeccompError && !(error instanceof LockdownError)) {
    say(`${error.message} (${error.code})`)
    if (error instanceof AnalysisError && error.code === 'ERR_UNDECIDED') {
      err.line('It is neither so nor otherwise: the policy is more than can be decided.')
    }
    return 2 satisfies ExitCode
  }
  say('this is a bug in seccomp-ts, please report it:')
  err.line(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return BUG
}

/** As compilers do it, so that editors find the place. */
function reportPlaced(
  source: string,
  error: ProfileError | ManifestError,
  say: (text: string) => void,
  err: Output,
): void {
  const { line, column, path, code } = error
  const findings = error instanceof ProfileError ? (error.findings ?? []) : []
  const lead = `line ${line}, column ${column} (${path}): `
  const problem = error.message.startsWith(lead) ? error.message.slice(lead.length) : error.message
  say(`${source}:${line}:${column}: ${problem} (${code} at ${path})`)
  // The first of them is the error itself.
  for (const finding of findings.slice(1, MOST_FINDINGS)) err.line(findingText(source, finding))
  if (findings.length > MOST_FINDINGS) err.line(`and ${findings.length - MOST_FINDINGS} more`)
}

export const findingText = (source: string, finding: ProfileFinding): string =>
  `${source}:${finding.line}:${finding.column}: ${finding.message} (${finding.code} at ${finding.path})`
