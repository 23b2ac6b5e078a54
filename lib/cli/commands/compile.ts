import { compile, disassemble, type Policy, type Program } from '../../index'
import { suggest } from '../../syscalls/suggest'
import { didYouMean, expectArgs } from '../arguments'
import { defineCommand } from '../command'
import { UsageError } from '../errors'
import { writeOutput } from '../input'
import { ABOUT_POLICY, loadPolicy, mentionFindings, POLICY_OPTIONS, targetOf } from '../policy'

const FORMATS = ['bpf', 'text', 'json'] as const
type Format = (typeof FORMATS)[number]

export const command = defineCommand({
  name: 'compile',
  summary: 'compiles a policy to BPF',
  usage: ['compile POLICY [--format bpf|text|json] [-o FILE]'],
  about: `bpf is struct sock_filter[] in this machine's byte order, as bwrap --seccomp and seccomp(2) take it. text is a listing with the names of calls, arguments and actions. json has each instruction as code, jt, jf and k.

The same policy and architecture give the same bytes on every machine. Where the policy says 'SELF', as webServer does, they are for one process, and --pid says which.

${ABOUT_POLICY}`,
  options: {
    ...POLICY_OPTIONS,
    format: { type: 'string', value: 'FORMAT', help: 'bpf (the default), text or json' },
    output: { type: 'string', short: 'o', value: 'FILE', help: 'write to FILE' },
    pid: { type: 'string', value: 'PID', help: "the process that 'SELF' stands for" },
  },
  async run(context) {
    const { values, args, out } = context
    expectArgs(args, 'POLICY')
    const format = formatOf(values.format)
    const toTerminal = values.output === undefined && out.isTerminal
    if (format === 'bpf' && toTerminal) {
      throw new UsageError(
        'BPF is not for terminals',
        'Give -o FILE, or --format text to read the program.',
      )
    }
    const loaded = await loadPolicy(args[0] ?? '', context)
    mentionFindings(loaded, context)
    const { arch } = targetOf(values)
    const program = compileFor(loaded.policy, {
      ...(arch === undefined ? {} : { arch }),
      ...(values.pid === undefined ? {} : { pid: pidOf(values.pid) }),
    })
    await writeOutput(values.output, render(program, format), out)
    return 0
  },
})

function formatOf(given = 'bpf'): Format {
  const found = FORMATS.find((each) => each === given)
  if (found !== undefined) return found
  throw new UsageError(
    `--format: there is no format '${given}'${didYouMean(suggest(given, FORMATS))}`,
    `Known: ${FORMATS.join(', ')}.`,
  )
}

function pidOf(given: string): number {
  if (/^[1-9]\d{0,6}$/.test(given)) return Number(given)
  throw new UsageError(`--pid: expected a process id, got '${given}'`)
}

/** This process's id would be in it, and mean nothing to whoever gets the program. */
function compileFor(policy: Policy, target: Parameters<typeof compile>[1] & object): Program {
  if (target.pid !== undefined) return compile(policy, target)
  const [one, other] = [1, 2].map((pid) => compile(policy, { ...target, pid }))
  if (one !== undefined && other !== undefined && Buffer.compare(one.bytes, other.bytes) === 0) {
    return one
  }
  throw new UsageError(
    "the policy says 'SELF', the id of the process that is under it",
    'Give --pid PID. Where that is not known yet, run or lockdown() compile it in the process itself.',
  )
}

function render(program: Program, format: Format): string | Uint8Array {
  switch (format) {
    case 'bpf':
      return program.bytes
    case 'text':
      return disassemble(program)
    case 'json':
      return `${JSON.stringify({ arch: program.arch, instructions: instructionsOf(program) })}\n`
  }
}

/** linux/filter.h, struct sock_filter: u16 code, u8 jt, u8 jf, u32 k. */
function instructionsOf({ bytes, length }: Program): object[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length }, (_, index) => ({
    code: view.getUint16(8 * index, true),
    jt: view.getUint8(8 * index + 2),
    jf: view.getUint8(8 * index + 3),
    k: view.getUint32(8 * index + 4, true),
  }))
}
