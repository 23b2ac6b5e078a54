import { basename, extname } from 'node:path'
import {
  builtInPolicy,
  convert,
  type ConversionLoss,
  type ConversionTarget,
  type ConvertOptions,
  type ConvertResult,
  type Policy,
  type Profile,
} from '../../index'
import { expectArgs } from '../arguments'
import { defineCommand, JSON_OPTION } from '../command'
import { about, UsageError } from '../errors'
import { STDIN, writeOutput } from '../input'
import type { Output } from '../output'
import { ABOUT_POLICY, POLICY_OPTIONS, readSource, targetOf, type Source } from '../policy'

/** Of one kind, so many are told before the rest is only counted. */
const MOST_TOLD = 3

export const command = defineCommand({
  name: 'convert',
  summary: 'writes a policy as another tool reads it',
  usage: ['convert POLICY --to TARGET [-o FILE]'],
  about: `TARGET is oci (runc, crun, containerd), docker, podman (and Buildah, CRI-O), kubernetes (a Localhost profile), spo (a SeccompProfile), systemd (SystemCallFilter=), json or ts (a policy of seccomp-ts), or bpf.

What is written has been read again and compared: it means the same, or permits less where that is said. What a target cannot say is listed on stderr. docker and podman keep conditions on capabilities and kernels; for all others --caps, --kernel and --arch settle them.

Exit code 1 if some call is answered otherwise than in POLICY.

${ABOUT_POLICY}`,
  options: {
    to: { type: 'string', value: 'TARGET', help: 'what to write' },
    output: { type: 'string', short: 'o', value: 'FILE', help: 'write to FILE' },
    name: { type: 'string', value: 'NAME', help: 'what to call it, where TARGET has names' },
    pid: {
      type: 'string',
      value: 'PID',
      help: "the process that 'SELF' stands for: 1 for the first of a container",
    },
    ...POLICY_OPTIONS,
    ...JSON_OPTION,
  },
  async run(context) {
    const { values, args, out, err } = context
    expectArgs(args, 'POLICY')
    const [argument = ''] = args
    const { to, output, json } = values
    if (to === undefined) throw new UsageError('--to is missing: which TARGET to write')
    if (to === 'bpf' && output === undefined && out.isTerminal && !json) {
      throw new UsageError('BPF is not for terminals', 'Give -o FILE.')
    }
    const source = await readSource(argument, context)
    const target = targetOf(values)
    const given = contentOf(source, target)
    const options: ConvertOptions = {
      ...target,
      // What it does not know, it says, and what it does.
      to: to as ConversionTarget,
      ...nameFor(values.name, to, given, argument),
      ...(values.pid === undefined ? {} : { pid: Number(values.pid) }),
    }
    const result = await about(source.name, () => convert(given, options))
    if (!json) tell(result.losses, err)
    if (!json || output !== undefined) {
      await writeOutput(output, result.text ?? result.bytes, out)
    }
    if (json) out.json(describe(result))
    return result.losses.some(({ severity }) => severity === 'warning') ? 1 : 0
  },
})

function contentOf(source: Source, target: ReturnType<typeof targetOf>): Policy | Profile {
  switch (source.kind) {
    case 'built-in':
      return builtInPolicy(source.name, target)
    case 'policy':
      return source.policy
    case 'profile':
      return source.profile
  }
}

/** A SeccompProfile has a name: that of the file, where there is no other. */
function nameFor(
  name: string | undefined,
  to: string,
  given: Policy | Profile,
  argument: string,
): { readonly name?: string } {
  if (name !== undefined) return { name }
  if (to !== 'spo' || given.name !== undefined || argument === STDIN) return {}
  return { name: basename(argument, extname(argument)) }
}

/** The program in base64, since JSON has no bytes. */
const describe = ({ to, text, bytes, losses }: ConvertResult): object => ({
  to,
  ...(text === undefined ? { base64: Buffer.from(bytes).toString('base64') } : { text }),
  losses,
})

/** What changes an answer is told one by one, the rest by its kind. */
function tell(losses: readonly ConversionLoss[], err: Output): void {
  const kinds = new Map<string, ConversionLoss[]>()
  for (const loss of losses) {
    const key = `${loss.severity} ${loss.code}`
    kinds.set(key, [...(kinds.get(key) ?? []), loss])
  }
  for (const [severity, colour] of [
    ['warning', 'yellow'],
    ['info', 'cyan'],
  ] as const) {
    for (const list of kinds.values()) {
      if (list[0]?.severity !== severity) continue
      const told = severity === 'warning' ? list : list.slice(0, MOST_TOLD)
      for (const { code, path, line, message } of told) {
        const where = line === undefined ? path : `line ${line} (${path})`
        err.line(`${err.style(colour, severity)} ${code}: ${where}: ${message}`)
      }
      const more = list.length - told.length
      if (more > 0) err.line(`  and ${more} more of ${list[0].code} (--json lists all)`)
    }
  }
}
