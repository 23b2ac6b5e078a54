import { simulate } from '../analysis'
import { PolicyError } from '../errors'
import { installFailure } from '../lockdown/install-failure'
import { compileUnprepared } from '../lockdown/unprepared'
import { native } from '../native'
import { definePolicy, hostTarget, type Policy } from '../policy'
import { describeValue, readFields, reading, refuseUnknownKeys } from '../policy/snapshot'

export interface ExecOptions {
  /** Its environment: this process's by default. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Let the kernel write an audit line for everything but `allow`. SECCOMP_FILTER_FLAG_LOG, 4.14. */
  readonly log?: boolean
}

export function exec(
  policy: Policy,
  file: string,
  args: readonly string[] = [],
  options?: ExecOptions,
): never {
  const { env, log } = parseOptions(options)
  const argv = [file, ...args]
  argv.forEach((each, index) => {
    requireText(each, index === 0 ? 'file' : `args[${index - 1}]`)
  })
  const checked = definePolicy(policy)
  const target = hostTarget()
  // Before anything is asked of the policy: off Linux there is nothing to be said about it.
  const addon = native()
  if (!addon.onMainThread()) {
    throw new PolicyError('ERR_OPTION', {
      path: 'file',
      problem: 'only the main thread can start another program in the place of this one',
    })
  }
  const path = findProgram(file, env['PATH'])
  const { program } = compileUnprepared(checked, target, true)
  requireExecve(checked)
  const environment = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  )
  const failure = addon.exec(program.bytes, path, argv, environment, { log })
  if (failure.outcome === 'installed') throw new RangeError('exec returned')
  throw installFailure(failure.outcome, failure, () => '')
}

function parseOptions(input: unknown): {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: boolean
} {
  return reading('options', () => {
    const fields = readFields(input ?? {}, 'options', 'an options object')
    refuseUnknownKeys(fields, ['env', 'log'], 'options', 'exec')
    const { env = process.env, log = false } = Object.fromEntries(fields)
    if (typeof log !== 'boolean') {
      throw new PolicyError('ERR_OPTION', {
        path: 'options.log',
        problem: `expected true or false, got ${describeValue(log)}`,
      })
    }
    if (typeof env !== 'object' || env === null) {
      throw new PolicyError('ERR_OPTION', {
        path: 'options.env',
        problem: `expected an object, got ${describeValue(env)}`,
      })
    }
    for (const [name, value] of Object.entries(env)) {
      if (value === undefined) continue
      requireText(value, `options.env.${name}`)
      if (/^[^=\0]+$/.test(name)) continue
      throw new PolicyError('ERR_OPTION', {
        path: 'options.env',
        problem: `expected names without = and NUL, got ${describeValue(name)}`,
      })
    }
    return { env: env as Readonly<Record<string, string | undefined>>, log }
  })
}

function requireText(value: unknown, path: string): void {
  if (typeof value === 'string' && !value.includes('\0')) return
  throw new PolicyError('ERR_OPTION', {
    path,
    problem: `expected text without NUL, got ${describeValue(value)}`,
  })
}

/** As execvp(3) looks for it, but that what cannot be executed is told before anything is changed. */
function findProgram(file: string, path = '/usr/local/bin:/usr/bin:/bin'): string {
  const { accessSync, constants, statSync } = require('node:fs') as typeof import('node:fs')
  const isProgram = (candidate: string): boolean => {
    try {
      accessSync(candidate, constants.X_OK)
      return statSync(candidate).isFile()
    } catch {
      return false
    }
  }
  const candidates = file.includes('/')
    ? [file]
    : path.split(':').map((folder) => `${folder === '' ? '.' : folder}/${file}`)
  const found = candidates.find(isProgram)
  if (found !== undefined) return found
  throw new PolicyError('ERR_OPTION', {
    path: 'file',
    problem: file.includes('/')
      ? `${describeValue(file)} is no file that can be executed`
      : `there is no program ${describeValue(file)} in PATH`,
  })
}

/** The first call under the filter is the one that starts the program. */
function requireExecve(policy: Policy): void {
  const { action, path } = simulate(policy, { syscall: 'execve' })
  if (action === 'allow' || action === 'log') return
  throw new PolicyError('ERR_EXECVE_REFUSED', {
    path: path ?? '$',
    problem: 'the policy refuses execve, by which the program is started',
    hint: 'Allow execve: the program can then start others, under the same policy. A Node program can be started without it, and lock itself down: lockdown(), fork(), seccomp-ts/register.',
  })
}
