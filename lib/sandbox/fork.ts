import type { ChildProcess, ForkOptions as NodeForkOptions } from 'node:child_process'
import { PolicyError } from '../errors'
import { parseOptions, type LockdownOptions } from '../lockdown/options'
import { definePolicy, type Policy } from '../policy'
import { serialise } from '../policy/serialise'
import { readFields, reading } from '../policy/snapshot'

/** As for child_process.fork, and the policy the child is put under. */
export interface ForkOptions extends NodeForkOptions {
  readonly policy: Policy
  readonly lockdown?: LockdownOptions
}

/** include/uapi/linux/binfmts.h: MAX_ARG_STRLEN is 32 pages; a variable may not be longer. */
const MAX_ENVIRONMENT_STRING = 131072

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
  const own = reading('options', () => readFields(options ?? {}, 'options', 'an options object'))
  const policy = own.get('policy')
  if (policy === undefined) {
    throw new PolicyError('ERR_OPTION', {
      path: 'options.policy',
      problem: 'fork needs the policy the child is put under',
      hint: 'Without one, use child_process.fork.',
    })
  }
  // The copy that was checked is the one that is sent.
  const checked = serialise(definePolicy(policy as Policy))
  if (Buffer.byteLength(checked) + 'SECCOMP_TS_POLICY='.length >= MAX_ENVIRONMENT_STRING) {
    throw new PolicyError('ERR_OPTION', {
      path: 'options.policy',
      problem: 'is larger than the 128 KiB the kernel lets an environment variable have',
    })
  }
  const lockdown = parseOptions(own.get('lockdown'))
  const ours = ['policy', 'lockdown']
  const rest = Object.fromEntries(
    [...own].filter(([name]) => !ours.includes(name)),
  ) as NodeForkOptions
  // Loaded here, because most processes that import this package start none.
  const { fork: forkChild } = require('node:child_process') as typeof import('node:child_process')
  return forkChild(module, args, {
    ...rest,
    execArgv: [
      '--require',
      require.resolve('seccomp-ts/register'),
      ...(rest.execArgv ?? inheritedExecArgv()),
    ],
    env: {
      ...(rest.env ?? process.env),
      SECCOMP_TS_POLICY: checked,
      SECCOMP_TS_OPTIONS: serialise(lockdown),
    },
  })
}

/**
 * What child_process.fork passes on by itself: the flags of this process, without the source it was
 * given on the command line, which would run in place of the module.
 */
function inheritedExecArgv(): string[] {
  const flags: string[] = []
  let isSource = false
  for (const flag of process.execArgv) {
    if (isSource) isSource = false
    else if (/^(-e|--eval|-p|--print|-pe)$/.test(flag)) isSource = true
    else if (!/^(--eval|--print)=/.test(flag)) flags.push(flag)
  }
  return flags
}

const isArguments = (value: readonly string[] | ForkOptions): value is readonly string[] =>
  Array.isArray(value)
