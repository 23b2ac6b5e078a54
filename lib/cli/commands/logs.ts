import {
  auditLog,
  definePolicy,
  errno,
  kill,
  killThread,
  log,
  policyFromLog,
  readLog,
  trap,
  type Arch,
  type LogEvent,
  type LogFormat,
  type LogReading,
  type Policy,
  type PolicyFromLog,
  type SeenCall,
  type SeenProgram,
  type SyscallName,
} from '../../index'
import { defineCommand, JSON_OPTION, type Context } from '../command'
import { about, UsageError } from '../errors'
import { inputStream, nameOf, STDIN, writeOutput } from '../input'
import type { Output } from '../output'

const OPTIONS = {
  live: {
    type: 'boolean',
    help: "listen to the kernel's audit records as they are made, until it is interrupted (takes CAP_AUDIT_READ)",
  },
  policy: {
    type: 'boolean',
    help: 'write a policy that allows what was seen, instead of telling what was',
  },
  output: { type: 'string', short: 'o', value: 'FILE', help: 'write the policy to FILE' },
  name: { type: 'string', value: 'NAME', help: 'what the policy is to be called' },
  default: {
    type: 'string',
    value: 'ACTION',
    help: 'what the policy does with every other call: an errno such as EPERM (the default), kill, killThread, trap or log',
  },
  include: {
    type: 'string',
    multiple: true,
    value: 'CALLS',
    help: 'allow these calls too, whatever the log says (divided by commas)',
  },
  program: {
    type: 'string',
    multiple: true,
    value: 'NAME',
    help: 'only of this program: its path, its file name, or the name of one of its threads',
  },
  'with-runtime': {
    type: 'boolean',
    help: "with the calls of the container's runtime, which a profile for a container needs",
  },
  narrow: {
    type: 'boolean',
    help: 'allow only with the arguments that strace showed, where they tell something',
  },
  format: {
    type: 'string',
    value: 'FORMAT',
    help: 'read every line as audit, journal-json, strace or strace-summary, instead of as what it looks like',
  },
  arch: { type: 'string', value: 'ARCH', help: 'the machine strace ran on: x86_64 or aarch64' },
  ...JSON_OPTION,
} as const

type LogsContext = Context<typeof OPTIONS>

export const command = defineCommand({
  name: 'logs',
  summary: 'reads audit, dmesg, journal and strace lines: what was refused, and a policy from it',
  usage: ['logs [FILE …]', 'logs --live', 'logs [FILE … | --live] --policy [-o FILE]'],
  about: `Without a FILE, or for -, standard input is read:

  dmesg | seccomp-ts logs
  journalctl -k -o json | seccomp-ts logs --policy -o policy.json

The kernel's log takes only 10 records in 5 seconds; --live gets them all, beside auditd or without it.

Exit code 1 if something was refused. With --policy it is 0 when that is written; what was left out of it, and what is known to be missing from the log, is told on standard error. A recording is a lower bound: what the program did not do while it was observed is not in it.`,
  options: OPTIONS,
  async run(context) {
    const { values, args, out } = context
    for (const name of ['output', 'name', 'default', 'include', 'narrow'] as const) {
      if (values[name] !== undefined && !values.policy) {
        throw new UsageError(`--${name} is for a policy: give --policy too`)
      }
    }
    const fallback = defaultOf(values.default)
    if (values.live && args.length > 0) throw new UsageError('--live reads no FILE')
    const reading = values.live
      ? await listen(context)
      : await read(args.length === 0 ? [STDIN] : args, context)
    const chosen = choose(reading, context)
    if (values.policy) {
      const result = await about('--include', () =>
        policyFromLog(reading.summary, {
          name: values.name,
          default: fallback,
          include: (values.include ?? []).flatMap((list) => list.split(',')) as SyscallName[],
          narrow: values.narrow,
          programs: (program) => chosen.includes(program),
        }),
      )
      await write(result, reading, context)
      return 0
    }
    if (values.json) out.json({ ...reading, summary: { ...reading.summary, programs: chosen } })
    else print(chosen, out)
    sayLost(reading, context.err)
    return chosen.some(({ calls }) => calls.some(wasRefused)) ? 1 : 0
  },
})

async function read(files: readonly string[], context: LogsContext): Promise<LogReading> {
  const { values, stdin } = context
  const { format, arch } = values
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (const file of files) {
      yield* inputStream(file, stdin)
      // So that the next one begins with a line of its own.
      yield Buffer.from('\n')
    }
  }
  return about(files.map(nameOf).join(', '), () =>
    readLog(pieces(), { format: format as LogFormat | undefined, arch: arch as Arch | undefined }),
  )
}

/** Until somebody interrupts it. */
async function listen(context: LogsContext): Promise<LogReading> {
  const { values, out, err } = context
  const interrupted = new AbortController()
  const end = (): void => {
    interrupted.abort()
  }
  process.once('SIGINT', end).once('SIGTERM', end)
  const lines = auditLog({ signal: interrupted.signal })
  // Whoever waits for it in a script knows by this line that nothing escapes from now on.
  err.line('listening to the kernel’s audit records; interrupt to end')
  const show = !values.policy && !values.json
  const tell = (event: LogEvent): void => {
    const { time, pid, comm, syscall, unnamed = '?', arch = '', action } = event
    const when = time === undefined ? '' : new Date(time).toISOString()
    const what = action === undefined ? '' : OUTCOMES[action]
    out.line(`${when} ${comm ?? '?'}[${pid ?? '?'}] ${syscall ?? `${unnamed} (${arch})`} ${what}`)
    if (out.closed) end()
  }
  const reading = await about('the audit records', () =>
    readLog(lines, show ? { onEvent: tell } : {}),
  )
  if (show) out.line()
  return reading
}

/** The programs it is about. @throws UsageError where one that was named is not there */
function choose({ summary }: LogReading, { values }: LogsContext): readonly SeenProgram[] {
  const { programs } = summary
  const wanted = values.program
  if (wanted === undefined) {
    return values.policy && !values['with-runtime']
      ? programs.filter(({ runtime }) => runtime === undefined)
      : programs
  }
  const isIt = ({ name, comms }: SeenProgram, want: string): boolean =>
    name === want || name.endsWith(`/${want}`) || comms.includes(want)
  const absent = wanted.find((want) => !programs.some((program) => isIt(program, want)))
  if (absent !== undefined) {
    throw new UsageError(
      `--program: the log has nothing of '${absent}'`,
      `It has ${programs.map(({ name }) => name).join(', ')}.`,
    )
  }
  const withRuntime = values['with-runtime'] === true
  return programs.filter(
    (program) =>
      wanted.some((want) => isIt(program, want)) || (withRuntime && program.runtime !== undefined),
  )
}

const ACTIONS: ReadonlyMap<string, Policy['default']> = new Map([
  ['kill', kill],
  ['killThread', killThread],
  ['trap', trap],
  ['log', log],
])

function defaultOf(given: string | undefined): Policy['default'] | undefined {
  if (given === undefined) return undefined
  const action = ACTIONS.get(given)
  if (action !== undefined) return action
  try {
    return definePolicy({ default: errno(given.toUpperCase() as 'EPERM') }).default
  } catch {
    throw new UsageError(
      `--default: '${given}' is neither an errno nor one of ${[...ACTIONS.keys()].join(', ')}`,
    )
  }
}

async function write(
  { policy, origins, leftOut }: PolicyFromLog,
  reading: LogReading,
  { values, out, err }: LogsContext,
): Promise<void> {
  if (values.json) out.json({ policy, origins, leftOut, lost: reading.lost, lines: reading.lines })
  else await writeOutput(values.output, `${JSON.stringify(policy, undefined, 2)}\n`, out)
  const count = (from: string): number => origins.filter((each) => each.from === from).length
  err.line(
    `${origins.length} calls: ${count('log')} seen, ${count('node')} that Node needs besides, ${count('include')} included by name`,
  )
  for (const { call, arch, why, programs } of leftOut) {
    err.line(
      `left out: ${call}${arch === undefined ? '' : ` (${arch})`} of ${programs.join(', ')}: ${why}`,
    )
  }
  sayLost(reading, err)
}

/** What a filter did with it was to refuse it. strace does not tell. */
const wasRefused = ({ action }: SeenCall): boolean =>
  action !== undefined && action !== 'log' && action !== 'allow' && action !== 'notify'

function print(programs: readonly SeenProgram[], out: Output): void {
  for (const { name, runtime, calls, pids } of programs) {
    const what = runtime === undefined ? '' : `, ${runtime}`
    out.line(
      `${out.style('bold', name)} (${pids === 1 ? '1 process' : `${pids} processes`}${what})`,
    )
    out.table(
      calls.map((call) => [
        call.syscall ?? `${call.unnamed ?? '?'} of ${call.arch ?? 'an unknown architecture'}`,
        `${call.count}`,
        outcome(call),
      ]),
    )
    const refused = calls.filter((call) => wasRefused(call) && call.permit !== undefined)
    if (refused.length > 0) {
      out.line('  These rules permit what was refused:')
      const rules = Object.assign({}, ...refused.map(({ permit }) => permit)) as object
      for (const line of JSON.stringify({ syscalls: rules }, undefined, 2).split('\n')) {
        out.line(`    ${line}`)
      }
    }
    out.line()
  }
}

const OUTCOMES = {
  kill: 'killed the process',
  killThread: 'killed the thread',
  trap: 'refused with a signal',
  errno: 'refused with an errno',
  trace: 'handed to a tracer',
  notify: 'handed to a listener',
  log: 'let through and logged',
  allow: 'let through',
} as const

function outcome({ action, errors, failed }: SeenCall): string {
  if (action !== undefined) return OUTCOMES[action]
  const list = Object.entries(errors).map(([error, count]) => `${count} ${error}`)
  if (list.length > 0) return `failed: ${list.join(', ')}`
  return failed > 0 ? `${failed} failed` : ''
}

function sayLost({ lost, lines }: LogReading, err: Output): void {
  const { losses, partial, missingSerials } = lost
  for (const { kind, lines: count, records, examples } of losses) {
    err.line(
      `${err.style('yellow', 'lost:')} ${records} records or more (${kind}, ${count} lines), as line ${examples[0]?.line ?? '?'} says`,
    )
  }
  if (partial > 0) err.line(`${err.style('yellow', 'lost:')} a part of ${partial} events`)
  if (missingSerials > 0) {
    err.line(
      `${missingSerials} numbers of the audit system are not in the log: lost, or filtered out`,
    )
  }
  if (lines.binary > 0) err.line(`${lines.binary} lines are no text`)
}
