/** What was seen, joined with what Node needs → a policy, and where each of its rules is from. */
import { PolicyError } from '../errors'
import { allow, definePolicy, errno, type Policy } from '../policy'
import { isSyscallName, suggest, syscallNames, type SyscallName } from '../syscalls'
import { nodeRules } from './node-needs'
import { ONLY_THREADS } from './suggest'
import { byKey, type LogSummary, type SeenCall, type SeenProgram } from './summarise'

export interface PolicyFromLogOptions {
  readonly name?: string | undefined
  /** What a call gets that is not in it: errno('EPERM') by default. */
  readonly default?: Policy['default'] | undefined
  /** Calls to allow besides, whatever the log says. */
  readonly include?: readonly SyscallName[] | undefined
  /** Whose calls: by default all programs' but those of a container's runtime. */
  readonly programs?: ((program: SeenProgram) => boolean) | undefined
  /** Join what Node needs: by default where one of the programs is Node. */
  readonly node?: boolean | undefined
  /** Take the narrower rules that strace's arguments suggest, where they do. Not by default. */
  readonly narrow?: boolean | undefined
}

/** Where a rule of the policy is from. */
export interface PolicyOrigin {
  readonly syscall: SyscallName
  readonly from: 'log' | 'node' | 'include'
  /** How often it was seen, and in which programs. */
  readonly count: number
  readonly programs: readonly string[]
  /** Of `node`: what for. Of `log`: why the rule is not simply to allow the call. */
  readonly why?: string
}

/** A call that was seen and is not in the policy. */
export interface LeftOut {
  /** Its name, or what the log has for it. */
  readonly call: string
  readonly arch?: string
  readonly count: number
  readonly programs: readonly string[]
  readonly why: string
}

export interface PolicyFromLog {
  /** As definePolicy returns it; its calls are sorted by name. */
  readonly policy: Policy
  /** By name; a call that is both seen and needed is from the log. */
  readonly origins: readonly PolicyOrigin[]
  readonly leftOut: readonly LeftOut[]
}

type Rules = NonNullable<Policy['syscalls']>

/** Performs other calls out of the filter's sight; unnamed, they answer ENOSYS, and libuv does without. */
const IO_URING: ReadonlySet<string> = new Set([
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
])

const WHY = {
  ioUring:
    'io_uring performs calls that no filter sees; it answers ENOSYS, and libuv does without. Include it by name if the program cannot.',
  launch:
    'strace itself started the program with it. Include it by name if the program starts others.',
  foreign: 'there is no table for its architecture, and a policy speaks of the native one.',
  unnamed: 'nobody here knows a name for it, and a policy names what it allows.',
  clone3: 'its arguments are hidden from filters: it answers ENOSYS, and libc takes clone.',
} as const

interface Seen {
  count: number
  readonly programs: Set<string>
  readonly calls: SeenCall[]
  node: boolean
}

/**
 * A policy that allows what the log shows. A recording is a lower bound: what the program did not do
 * while it was observed, what was lost, and what the log cannot show is not in it.
 *
 * Nothing is in it that was neither seen nor named, but for what Node needs to run, crash and exit.
 *
 * @throws PolicyError for a mistake in the options, or a default that definePolicy refuses
 */
export function policyFromLog(
  summary: LogSummary,
  options: PolicyFromLogOptions = {},
): PolicyFromLog {
  const { name, include = [], narrow = false } = options
  const fallback = options.default ?? errno('EPERM')
  for (const [index, each] of include.entries()) {
    if (isSyscallName(each)) continue
    throw new PolicyError('ERR_UNKNOWN_SYSCALL', {
      path: `options.include[${index}]`,
      problem: `there is no system call '${String(each)}'`,
      suggestion: suggest(String(each), syscallNames()),
    })
  }
  const chosen = options.programs ?? (({ runtime }: SeenProgram): boolean => runtime === undefined)
  const rules = new Map<SyscallName, Rules[SyscallName]>()
  const origins = new Map<SyscallName, PolicyOrigin>()
  const leftOut: LeftOut[] = []

  const programs = summary.programs.filter((program) => chosen(program))
  const { seen, unnamed } = gather(programs)
  leftOut.push(...unnamed, ...gatherRuntime(summary, programs))
  // By name, so that clone comes before clone3, which may change its rule.
  for (const [syscall, each] of [...seen].sort(byKey(([name]) => name))) {
    addSeen(syscall, each, { rules, origins, leftOut, narrow, included: include.includes(syscall) })
  }
  if (options.node ?? programs.some(({ node }) => node)) {
    for (const [syscall, need] of nodeRules(fallback)) {
      if (rules.has(syscall)) continue
      rules.set(syscall, need.rules)
      origins.set(syscall, { syscall, from: 'node', count: 0, programs: [], why: need.why })
    }
  }
  for (const syscall of include) {
    if (origins.get(syscall)?.from === 'log') continue
    rules.set(syscall, allow)
    origins.set(syscall, { syscall, from: 'include', count: 0, programs: [] })
  }

  const policy = definePolicy({
    ...(name === undefined ? {} : { name }),
    default: fallback,
    syscalls: Object.fromEntries([...rules].sort(byKey(([each]) => each))),
  })
  return {
    policy,
    origins: [...origins.values()].sort(byKey(({ syscall }) => syscall)),
    leftOut: leftOut.sort(byKey(({ call, arch }) => `${call} ${arch ?? ''}`)),
  }
}

/** Calls of the programs by name, and those that have none. */
function gather(programs: readonly SeenProgram[]): {
  seen: ReadonlyMap<SyscallName, Seen>
  unnamed: readonly LeftOut[]
} {
  const seen = new Map<SyscallName, Seen>()
  const unnamed: LeftOut[] = []
  for (const program of programs) {
    for (const call of program.calls) {
      const { syscall, arch, count } = call
      if (syscall === undefined || program.launch) {
        const native = arch === undefined || arch === 'x86_64' || arch === 'aarch64'
        unnamed.push({
          call: syscall ?? call.unnamed ?? '',
          ...(arch === undefined ? {} : { arch }),
          count,
          programs: [program.name],
          why: program.launch ? WHY.launch : native ? WHY.unnamed : WHY.foreign,
        })
        continue
      }
      const each = seen.get(syscall) ?? { count: 0, programs: new Set(), calls: [], node: false }
      seen.set(syscall, each)
      each.count += count
      each.programs.add(program.name)
      each.calls.push(call)
      each.node ||= program.node
    }
  }
  return { seen, unnamed }
}

/** What the runtime called, where the caller did not choose to include it. */
function gatherRuntime(summary: LogSummary, programs: readonly SeenProgram[]): LeftOut[] {
  return summary.programs
    .filter((program) => program.runtime !== undefined && !programs.includes(program))
    .flatMap(({ name, runtime = '', calls }) =>
      calls.map(({ syscall, unnamed, arch, count }) => ({
        call: syscall ?? unnamed ?? '',
        ...(arch === undefined ? {} : { arch }),
        count,
        programs: [name],
        why: `it is ${runtime}; a profile for a container needs it, a policy that the program installs does not.`,
      })),
    )
}

interface Draft {
  readonly rules: Map<SyscallName, Rules[SyscallName]>
  readonly origins: Map<SyscallName, PolicyOrigin>
  readonly leftOut: LeftOut[]
  readonly narrow: boolean
  readonly included: boolean
}

function addSeen(syscall: SyscallName, seen: Seen, draft: Draft): void {
  const { rules, origins, leftOut, included } = draft
  const programs = [...seen.programs].sort()
  const { count } = seen
  if (IO_URING.has(syscall) && !included) {
    leftOut.push({ call: syscall, count, programs, why: WHY.ioUring })
    return
  }
  if (syscall === 'clone3' && !included) {
    leftOut.push({ call: syscall, count, programs, why: WHY.clone3 })
    const why = 'libc falls back to it from clone3, which was seen'
    // Seen for itself, it is there or comes, and with a rule of its own.
    const threads = seen.node || seen.calls.every(({ onlyThreads }) => onlyThreads === true)
    const known = origins.get('clone')
    if (known !== undefined && (threads || rules.get('clone') === allow)) return
    rules.set('clone', threads ? (ONLY_THREADS as Rules['clone']) : allow)
    origins.set('clone', { syscall: 'clone', from: 'log', count: known?.count ?? 0, programs, why })
    return
  }
  const narrower = draft.narrow ? seen.calls.map(({ suggestion }) => suggestion?.[syscall]) : []
  const all = narrower.length > 0 && narrower.every((rule) => rule !== undefined)
  rules.set(syscall, all ? unique(narrower) : allow)
  origins.set(syscall, {
    syscall,
    from: 'log',
    count,
    programs,
    ...(all ? { why: 'only with the arguments that were seen' } : {}),
  })
}

/** The rules of several programs, each once: the same rule twice is a mistake in a policy. */
function unique(rules: readonly object[]): never {
  const texts = new Map(rules.map((rule) => [JSON.stringify(rule), rule]))
  const [first] = texts.values()
  return (texts.size === 1 ? first : [...texts.values()]) as never
}
