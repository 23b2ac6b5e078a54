import { exec, PolicyError } from '../../index'
import { defineCommand } from '../command'
import { about, UsageError } from '../errors'
import { STDIN } from '../input'
import { ABOUT_POLICY, loadPolicy, mentionFindings, POLICY_OPTIONS } from '../policy'

const { dialect, document, caps, kernel, runtime } = POLICY_OPTIONS

export const command = defineCommand({
  name: 'run',
  summary: 'runs a program under a policy',
  usage: ['run --policy POLICY [--log] -- PROGRAM [ARGUMENT …]'],
  about: `The program takes the place of this process, under the policy from its first instruction: its signals are its own, and its exit code is that of the command. Node is gone by then, so the policy permits what the program does, its dynamic loader included, and execve.

Where nothing was run, the exit code is 2 or 3; 126 or 127 where the kernel would not execute the file. A program that the policy kills ends by SIGSYS, which shells show as 159: diagnose says of which call, with the kernel's log.

Standard input, output and error are passed on, no other descriptors. Set-user-id programs gain no rights (no_new_privs).

${ABOUT_POLICY}`,
  options: {
    policy: { type: 'string', short: 'p', value: 'POLICY', help: 'the policy; required' },
    log: {
      type: 'boolean',
      help: 'let the kernel log every call that the policy does not simply allow',
    },
    dialect,
    document,
    caps,
    kernel,
    runtime,
  },
  async run(context) {
    const { values, args, rest } = context
    const { policy: argument, log = false } = values
    if (argument === undefined) throw new UsageError('--policy is missing')
    if (argument === STDIN) {
      throw new UsageError('standard input is for the program: the policy must be a file')
    }
    const [file, ...others] = rest ?? []
    if (args.length > 0 || file === undefined || file === '') {
      throw new UsageError(
        'the program is missing: it comes after --',
        `As in seccomp-ts run --policy ${argument} -- ${args.length > 0 ? args.join(' ') : 'PROGRAM'}`,
      )
    }
    const loaded = await loadPolicy(argument, context)
    mentionFindings(loaded, context)
    try {
      return await about(loaded.name, () => exec(loaded.policy, file, others, { log }))
    } catch (error) {
      if (error instanceof PolicyError && error.path === 'file') {
        throw new UsageError(error.message.slice('file: '.length))
      }
      throw error
    }
  },
})
