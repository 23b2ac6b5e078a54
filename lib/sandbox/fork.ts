import type { ChildProcess, ForkOptions as NodeForkOptions } from 'node:child_process'
import { PolicyError } from '../errors'
import { parseOptions, type LockdownOptions } from '../lockdown/options'
import { hostTarget, rulesOf, type Policy } from '../policy'

/** As for child_process.fork, and the policy the child is put under. */
export interface ForkOptions extends NodeForkOptions {
  readonly policy: Policy
  readonly lockdown?: LockdownOptions
}

/** include/uapi/linux/binfmts.h: MAX_ARG_STRLEN is 32 pages; a variable may not be longer. */
const MAX_ENVIRONMENT_STRING = 131072

/**
 * `child_process.fork`, whose child is under `policy` before the first line of its module: Node has
 * started by then, so the policy needs to permit what the module does, not how Node boots. Messages
 * work as usual.
 *
 * The child ends with exit code 1 and a message on stderr if its lockdown fails; none of its module
 * runs then. Arguments are those of child_process.fork.
 *
 * @throws PolicyError for a mistake in the policy or the options, before anything is started
 */
export function fork(module: string | URL, options: ForkOptions): ChildProcess
export function fork(
  module: string | URL,
  args: readonly string[],
  options: ForkOptions,
): ChildProcess
export function fork(
  module: string | URL,
  argsOrOptions: readonly string[] | ForkOptions,
  maybeOptions?: ForkOptions,
): ChildProcess {
  const args = isArguments(argsOrOptions) ? argsOrOptions : []
  const options = isArguments(argsOrOptions) ? maybeOptions : argsOrOptions
  if (options?.policy === undefined) {
    throw new PolicyError('ERR_OPTION', {
      path: 'options.policy',
      problem: 'fork needs the policy the child is put under',
      hint: 'Without one, use child_process.fork.',
    })
  }
  const { policy, lockdown = {}, env = process.env, execArgv = process.execArgv, ...rest } = options
  rulesOf(policy, hostTarget())
  parseOptions(lockdown)
  const serialised = JSON.stringify(policy)
  if (Buffer.byteLength(serialised) + 'SECCOMP_TS_POLICY='.length >= MAX_ENVIRONMENT_STRING) {
    throw new PolicyError('ERR_OPTION', {
      path: 'options.policy',
      problem: 'is larger than the 128 KiB the kernel lets an environment variable have',
    })
  }
  // Loaded here, because most processes that import this package start none.
  const { fork: forkChild } = require('node:child_process') as typeof import('node:child_process')
  return forkChild(module, args, {
    ...rest,
    execArgv: ['--require', require.resolve('seccomp-ts/register'), ...execArgv],
    env: {
      ...env,
      SECCOMP_TS_POLICY: serialised,
      SECCOMP_TS_OPTIONS: JSON.stringify(lockdown),
    },
  })
}

const isArguments = (value: readonly string[] | ForkOptions): value is readonly string[] =>
  Array.isArray(value)
