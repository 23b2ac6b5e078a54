import { textOf } from '../../analysis/verdict-text'
import { simulate } from '../../index'
import { ABOUT_CALL, callOf } from '../call'
import { defineCommand, JSON_OPTION } from '../command'
import { about, UsageError } from '../errors'
import { ABOUT_POLICY, loadPolicy, mentionFindings, POLICY_OPTIONS, targetOf } from '../policy'

export const command = defineCommand({
  name: 'simulate',
  summary: 'says what a policy does with one call',
  usage: ['simulate POLICY SYSCALL [NAME=VALUE …]'],
  about: `The action, in one line. explain says the same, and why.

  seccomp-ts simulate profile.json socket domain=AF_VSOCK

${ABOUT_CALL}

${ABOUT_POLICY}`,
  options: { ...POLICY_OPTIONS, ...JSON_OPTION },
  async run(context) {
    const { values, args, out } = context
    const [argument, ...words] = args
    if (argument === undefined) throw new UsageError('POLICY is missing')
    const call = callOf(words)
    const loaded = await loadPolicy(argument, context)
    mentionFindings(loaded, context)
    const { arch } = targetOf(values)
    const target = arch === undefined ? {} : { arch }
    const result = await about(loaded.name, () => simulate(loaded.policy, call, target))
    if (values.json) out.json(result)
    else out.line(textOf(result))
    return 0
  },
})
