import { compile, prove } from '../../index'
import { expectArgs } from '../arguments'
import { defineCommand, JSON_OPTION } from '../command'
import { about } from '../errors'
import { nameOf, readInput } from '../input'
import { ABOUT_POLICY, loadPolicy, mentionFindings, POLICY_OPTIONS, targetOf } from '../policy'

/** 4,096 instructions of 8 bytes are the most the kernel takes; a little more, so that it is told. */
const MOST = 65536

export const command = defineCommand({
  name: 'prove',
  summary: 'proves that a program does what a policy says',
  usage: ['prove POLICY [PROGRAM]'],
  about: `For every call there can be: every architecture, number and argument. PROGRAM is a file of struct sock_filter[], as compile --format bpf writes it and bwrap --seccomp reads it, or - for standard input. Without one, what seccomp-ts itself compiles is proved.

Exit code 0 only if it is proved; 1 if a call was found on which they differ.

${ABOUT_POLICY}`,
  options: { ...POLICY_OPTIONS, ...JSON_OPTION },
  async run(context) {
    const { values, args, out, stdin } = context
    expectArgs(args, 'POLICY', '[PROGRAM]')
    const [argument = '', program] = args
    const loaded = await loadPolicy(argument, context)
    mentionFindings(loaded, context)
    const { arch } = targetOf(values)
    const target = arch === undefined ? {} : { arch }
    const bytes =
      program === undefined
        ? compile(loaded.policy, target).bytes
        : await readInput(program, stdin, MOST)
    const what = program === undefined ? 'the program that seccomp-ts compiles' : nameOf(program)
    const result = await about(what, () => prove(loaded.policy, bytes, target))
    if (values.json) out.json(result)
    else if (result.proved) {
      const { instructions } = result
      out.line(
        `${out.style('green', 'proved:')} ${what} does what ${loaded.name} says (${instructions} instructions)`,
      )
    } else out.line(`${out.style('red', 'not so:')} ${result.text}`)
    return result.proved ? 0 : 1
  },
})
