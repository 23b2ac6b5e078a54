/**
 * Profile → policy for one target: which entries hold there, and what they come to together.
 *
 * By default every doubt is an error: two entries that contradict each other, a condition that only
 * some would read as it stands. With a runtime, what that runtime and libseccomp below it would make
 * of the file, silently or not, is what the policy says; what they do is named where it is done.
 */
import { PolicyError, ProfileError, type ProfileFinding, type ProfilePlace } from '../errors'
import type { ActionData, ActionName, Policy, RuleFor } from '../policy'
import { contains, type ValueSet } from '../policy/values'
import { findSyscall, isSyscallName, syscallNames, type SyscallName } from '../syscalls'
import {
  conditionsOf,
  covers,
  neverHolds,
  overlap,
  registersOf,
  type Registers,
} from './conditions'
import { isKnownSomewhere } from './dialects/systemd'
import { Findings } from './findings'
import { placeIn, rereadProfile } from './read'
import { RUNTIMES, type Engine, type RuntimeRules } from './runtimes'
import {
  isAtLeast,
  parseKernel,
  parseTarget,
  type ParsedTarget,
  type ProfileTarget,
} from './target'
import { quote } from './tree'
import type { Profile, ProfileAction, ProfileArg, ProfileConditions, ProfileEntry } from './types'
import { ARCHITECTURES, FLAGS, GO_ARCHITECTURE, MAX_ERRNO, NATIVE_ARCHITECTURE } from './vocabulary'

export interface ResolveProfileResult {
  /** Plain data, for `lockdown`, `compile`, `prove` and the rest. */
  readonly policy: Policy
  /** What there is to say for this target only: those of reading the profile are not repeated. */
  readonly findings: readonly ProfileFinding[]
  /**
   * Where in the profile a rule of the policy is from, by its path there: `$.syscalls.socket[0]`, `$.default`.
   * Rules that the runtime adds are from nowhere.
   */
  readonly places: ReadonlyMap<string, ProfilePlace>
}

/**
 * What a profile comes to for a target (docs/profiles.md). The policy has rules for the calls of the
 * target's architecture; those of others end the process, as in every policy.
 *
 * @throws ProfileError ERR_PROFILE_INVALID where a profile has no single meaning, and no runtime is
 * named; ERR_PROFILE_REFUSED where the runtime would not start the container; ERR_PROFILE_UNDETERMINED
 * where what it would do cannot be told; ERR_PROFILE_LIMIT
 * @throws PolicyError ERR_OPTION and its like for a mistake in the target
 */
export function resolveProfile(profile: Profile, target?: ProfileTarget): ResolveProfileResult {
  const parsed = parseTarget(target)
  const { runtime } = parsed
  if (runtime === undefined) {
    refuseFaults(profile.faults)
    if (profile.policy !== undefined) {
      return { policy: profile.policy, findings: [], places: placesOfOwn(profile) }
    }
    return new Resolution(profile, parsed).resolve()
  }
  const rules = RUNTIMES[runtime]
  if (profile.dialect === 'systemd' || profile.dialect === 'seccomp-ts') {
    throw new PolicyError('ERR_OPTION', {
      path: 'target.runtime',
      problem: `${runtime} reads no profile of dialect '${profile.dialect}'`,
    })
  }
  const again = rereadProfile(profile, { ...rules, name: runtime })
  if (again === undefined) refuseFaults(profile.faults)
  const result = new Resolution(again?.profile ?? profile, parsed, rules).resolve()
  return { ...result, findings: [...(again?.findings ?? []), ...result.findings] }
}

/** A policy of ours stands in its text as it is. */
function placesOfOwn(profile: Profile): ReadonlyMap<string, ProfilePlace> {
  const paths = Object.entries(profile.policy?.syscalls ?? {}).flatMap(([name, rules]) => [
    `$.syscalls.${name}`,
    ...(Array.isArray(rules) ? rules.map((_, index) => `$.syscalls.${name}[${index}]`) : []),
  ])
  return new Map(
    ['$.default', ...paths].map((path) => [path, placeIn(profile, path) ?? profile.place]),
  )
}

function refuseFaults(faults: readonly ProfileFinding[]): void {
  const [first] = faults
  if (first === undefined) return
  const more = faults.length === 1 ? '' : ` (and ${faults.length - 1} more)`
  throw new ProfileError('ERR_PROFILE_INVALID', {
    path: first.path,
    line: first.line,
    column: first.column,
    problem: `${first.message}${more}`,
    hint: 'Correct it, or name a runtime to get what that makes of it.',
    findings: faults,
  })
}

/** One rule for one call, before it is known what the others say. */
interface Candidate {
  readonly place: ProfilePlace
  readonly action: ActionData
  /** `action` as text: two are the same if this is. */
  readonly key: string
  readonly registers: Registers
  /** Of the file: smaller is earlier. */
  readonly order: number
}

/** Pairs of conditional rules that are compared: of 1,000 for one call, more than a program has room for. */
const MAX_PAIRS = 500_000

/** Normalisation gives these ENOSYS unless they are named (lib/policy/normalise.ts); runtimes do not. */
export const HIDDEN: readonly SyscallName[] = [
  ...(['clone3', 'openat2'] as const),
  ...(['io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const),
]

/** libseccomp arch-x86.c */
const SOCKETCALL: readonly SyscallName[] = [
  ...(['socket', 'bind', 'connect', 'listen', 'accept', 'getsockname', 'getpeername'] as const),
  ...(['socketpair', 'sendto', 'recvfrom', 'shutdown', 'setsockopt', 'getsockopt'] as const),
  ...(['sendmsg', 'recvmsg', 'accept4', 'recvmmsg', 'sendmmsg'] as const),
]
const IPC: readonly SyscallName[] = [
  ...([
    'semop',
    'semget',
    'semctl',
    'semtimedop',
    'msgsnd',
    'msgrcv',
    'msgget',
    'msgctl',
    'shmat',
    'shmdt',
  ] as const),
  ...(['shmget', 'shmctl'] as const),
]

const ALWAYS: Registers = new Map()

/** seccomp(2): of several filters, the kernel takes the first of these that any of them says. */
const PERMISSIVENESS: readonly ActionName[] = [
  ...(['kill', 'killThread', 'trap', 'errno'] as const),
  ...(['notify', 'trace', 'log', 'allow'] as const),
]

class Resolution {
  readonly #profile: Profile
  readonly #target: ParsedTarget
  readonly #runtime: RuntimeRules | undefined
  readonly #engine: Engine | undefined
  readonly #findings = new Findings()
  readonly #faults = new Findings()
  readonly #candidates = new Map<SyscallName, Candidate[]>()
  /** Names that count for runc's stub, though a rule of theirs may be dropped. */
  readonly #named = new Set<SyscallName>()
  readonly #places = new Map<string, ProfilePlace>()
  /** socketcall(2) and ipc(2), where a rule without conditions decides them, and its order. */
  readonly #decided = new Map<string, number>()
  #pairs = 0
  #order = 0

  constructor(profile: Profile, target: ParsedTarget, runtime?: RuntimeRules) {
    this.#profile = profile
    this.#target = target
    this.#runtime = runtime
    this.#engine = runtime?.engine
  }

  resolve(): ResolveProfileResult {
    const profile = this.#profile
    const { defaultAction, defaultErrno, place } = profile
    if (defaultAction === undefined) return this.#withoutDefault()
    const entries = profile.entries.filter((entry) => this.#applies(entry))
    this.#checkWhole(defaultAction, entries)
    const fallback = this.#action(defaultAction, defaultErrno, place)
    this.#places.set('$.default', placeIn(profile, `${place.path}.defaultAction`) ?? place)
    if (this.#engine !== undefined) this.#refuseErrno(fallback, place)
    for (const entry of entries) this.#add(entry, fallback)
    const syscalls: Partial<Record<SyscallName, readonly RuleFor<SyscallName>[]>> = {}
    for (const [name, candidates] of this.#candidates) {
      const rules = this.#combine(name, candidates)
      if (rules.length > 0) syscalls[name] = rules
    }
    refuseFaults(this.#faults.list())
    return this.#result({ default: fallback, ...this.#reproduce(syscalls, fallback) })
  }

  #result(policy: Omit<Policy, 'name'>): ResolveProfileResult {
    const { name } = this.#profile
    return {
      policy: { ...(name === undefined ? {} : { name }), ...policy },
      findings: this.#findings.list(),
      places: this.#places,
    }
  }

  /** Only readers written in Go come here without one (Reading). */
  #withoutDefault(): ResolveProfileResult {
    const { place, entries } = this.#profile
    const who = this.#runtime?.name ?? 'seccomp-ts'
    if (entries.length > 0 || this.#engine === undefined) {
      throw this.#refusal(place, "there is no 'defaultAction'")
    }
    // moby/profiles, containers/common, runc specconv: '' and no entries is "no seccomp", not "allow nothing".
    const message = `without 'defaultAction' and entries, ${who} installs no filter`
    this.#findings.report('warning', 'no-filter', place, message)
    return this.#result({ default: { action: 'allow' }, syscalls: {} })
  }

  #refusal(place: ProfilePlace, problem: string): ProfileError {
    const { path, line, column } = place
    if (this.#runtime === undefined) {
      return new ProfileError('ERR_PROFILE_INVALID', { path, line, column, problem })
    }
    const { name, engine } = this.#runtime
    const who = name === engine.name ? name : `${name} (${engine.name})`
    const details = { path, line, column, problem: `${who} refuses this: ${problem}` }
    return new ProfileError('ERR_PROFILE_REFUSED', details)
  }

  /** What is about the profile as a whole. */
  #checkWhole(defaultAction: ProfileAction, entries: readonly ProfileEntry[]): void {
    const { architectures, flags, place } = this.#profile
    const engine = this.#engine
    if (engine !== undefined) {
      for (const name of architectures ?? []) this.#checkArchitecture(name, engine)
      const unknown = flags?.find((flag) => !FLAGS.includes(flag))
      if (unknown !== undefined) {
        throw this.#refusal(place, `there is no flag ${quote(unknown)}`)
      }
    }
    if ((flags?.length ?? 0) > 0) {
      const message = 'the flags are for seccomp(2), and lockdown() chooses its own'
      this.#findings.report('info', 'flags', place, message)
    }
    this.#reportArchitectures()
    this.#checkNotify(defaultAction, entries)
  }

  #checkNotify(defaultAction: ProfileAction, entries: readonly ProfileEntry[]): void {
    const { listenerPath, place } = this.#profile
    const engine = this.#engine
    const notifying = entries.find(
      ({ action, names }) => action === 'SCMP_ACT_NOTIFY' && names.length > 0,
    )
    const notifies = defaultAction === 'SCMP_ACT_NOTIFY' || notifying !== undefined
    if (!notifies) return
    const at = notifying?.place ?? place
    const listens = (listenerPath ?? '') !== ''
    if (engine?.refusesNotify === true) {
      if (defaultAction === 'SCMP_ACT_NOTIFY') {
        throw this.#refusal(place, 'SCMP_ACT_NOTIFY cannot be used as default action')
      }
      if (!listens) throw this.#refusal(at, "SCMP_ACT_NOTIFY without 'listenerPath'")
      const writing = entries.find(
        ({ action, names }) => action === 'SCMP_ACT_NOTIFY' && names.includes('write'),
      )
      if (writing !== undefined) {
        throw this.#refusal(writing.place, 'SCMP_ACT_NOTIFY cannot be used for the write syscall')
      }
    } else if (!listens) {
      const message = "SCMP_ACT_NOTIFY without 'listenerPath': where nobody listens, ENOSYS"
      this.#findings.report('warning', 'notify-without-listener', at, message)
    }
  }

  #checkArchitecture(name: string, engine: Engine): void {
    const full = engine.foldsArchitectures
      ? `SCMP_ARCH_${name.replace(/^SCMP_ARCH_/i, '').toUpperCase()}`
      : name
    if (ARCHITECTURES.includes(full)) return
    throw this.#refusal(this.#profile.place, `there is no architecture ${quote(name)}`)
  }

  /** Whoever runs the profile has rules for these too: a policy of ours is for one. */
  #reportArchitectures(): void {
    const { architectures = [], archMap = [], place } = this.#profile
    const native = NATIVE_ARCHITECTURE[this.#target.arch]
    const mapped = archMap.find(({ architecture }) => architecture === native)
    const listed = [...architectures, ...(mapped?.subArchitectures ?? [])]
    const others = listed.filter((name) => name !== native && name !== 'SCMP_ARCH_NATIVE')
    if (others.length > 0) {
      const message = `is for ${others.slice(0, 4).join(', ')} too, and the policy is for ${this.#target.arch} alone: code for others is killed, x32 answers ENOSYS`
      this.#findings.report('info', 'other-architectures', mapped?.place ?? place, message)
    }
    if (architectures.length > 0 && !listed.some((name) => !others.includes(name))) {
      const message = `does not list ${native}; the native architecture is always filtered`
      this.#findings.report('warning', 'native-not-listed', place, message)
    }
  }

  /** moby/profiles seccomp_linux.go: any of `excludes` excludes, all of `includes` must be there. */
  #applies(entry: ProfileEntry): boolean {
    const { includes, excludes, place } = entry
    const { arch, caps } = this.#target
    const omit = (why: string): boolean => {
      this.#findings.report('info', 'not-applied', place, `does not hold here: ${why}`)
      return false
    }
    const own = GO_ARCHITECTURE[arch]
    if (excludes?.arches.includes(own) === true) return omit(`not on ${own}`)
    const present = excludes?.caps.find((cap) => caps.has(cap))
    if (present !== undefined) return omit(`not with ${present}`)
    if (excludes?.minKernel !== undefined && this.#reaches(excludes, excludes.minKernel)) {
      return omit(`only before Linux ${excludes.minKernel}`)
    }
    if (includes !== undefined && includes.arches.length > 0 && !includes.arches.includes(own)) {
      return omit(`only on ${includes.arches.map(quote).join(', ')}`)
    }
    const missing = includes?.caps.find((cap) => !caps.has(cap))
    if (missing !== undefined) return omit(`only with ${quote(missing)}`)
    if (includes?.minKernel !== undefined && !this.#reaches(includes, includes.minKernel)) {
      return omit(`only from Linux ${includes.minKernel} on`)
    }
    return true
  }

  #reaches({ place }: ProfileConditions, version: string): boolean {
    const { kernel } = this.#target
    const wanted = parseKernel(version)
    if (kernel === undefined || wanted === undefined) {
      throw new PolicyError('ERR_OPTION', {
        path: 'target.kernel',
        problem: `the profile asks for the kernel's version (line ${place.line}, ${place.path}), and none is known here`,
        hint: "Name the one it will run on: '6.1'.",
      })
    }
    return isAtLeast(kernel, wanted)
  }

  #action(action: ProfileAction, errno: number | undefined, place: ProfilePlace): ActionData {
    const carries = action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE'
    if (errno !== undefined && !carries && this.#engine?.refusesUnusedErrno === true) {
      throw this.#refusal(place, `an errno is given for ${action}`)
    }
    switch (action) {
      case 'SCMP_ACT_ALLOW':
        return { action: 'allow' }
      case 'SCMP_ACT_ERRNO':
        // runtime-spec: EPERM, where none is given.
        return { action: 'errno', errno: errno ?? 1 }
      case 'SCMP_ACT_TRACE':
        return { action: 'trace', data: errno ?? 1 }
      case 'SCMP_ACT_KILL':
      case 'SCMP_ACT_KILL_THREAD':
        this.#findings.report(
          'warning',
          'kill-thread',
          place,
          `${action} ends one thread, and whoever waits for it hangs: SCMP_ACT_KILL_PROCESS ends the process`,
        )
        return { action: 'killThread' }
      case 'SCMP_ACT_KILL_PROCESS':
        return { action: 'kill' }
      case 'SCMP_ACT_TRAP':
        return { action: 'trap' }
      case 'SCMP_ACT_LOG':
        return { action: 'log' }
      case 'SCMP_ACT_NOTIFY':
        return { action: 'notify' }
    }
  }

  /** libseccomp system.c: below MAX_ERRNO (4095), of 16 bits that were left of it. */
  #refuseErrno({ errno }: ActionData, place: ProfilePlace): void {
    if (typeof errno !== 'number' || errno <= MAX_ERRNO) return
    throw this.#refusal(place, `libseccomp takes no errno above ${MAX_ERRNO}, and this is ${errno}`)
  }

  #add(entry: ProfileEntry, fallback: ActionData): void {
    const { place } = entry
    const engine = this.#engine
    const action = this.#action(entry.action, entry.errno, place)
    const key = keyOf(action)
    const redundant = key === keyOf(fallback)
    for (const name of entry.names) {
      if (name === '') {
        if (engine?.refusesEmptyName !== false) {
          throw this.#refusal(place, 'an empty string is not a valid syscall')
        }
        this.#findings.report('warning', 'empty-name', place, `${engine.name} passes over ''`)
        continue
      }
      const known = this.#known(name, place)
      if (known !== undefined) this.#named.add(known)
      // runc seccomp_linux.go matchCall, crun seccomp.c: such a rule is not even added.
      if (engine !== undefined && redundant) {
        const message = `${quote(name)}: the same as the default, so ${engine.name} adds no rule`
        const severity = entry.args.length > 0 ? 'warning' : 'info'
        this.#findings.report(severity, 'same-as-default', place, message)
        continue
      }
      const order = this.#order++
      if (known === undefined) {
        const whole = entry.args.length === 0 && (name === 'socketcall' || name === 'ipc')
        if (whole && !this.#decided.has(name)) this.#decided.set(name, order)
        continue
      }
      if (engine !== undefined) this.#refuseErrno(action, place)
      for (const registers of this.#alternatives(entry)) {
        const list = this.#candidates.get(known)
        const candidate = { place, action, key, registers, order }
        if (list === undefined) this.#candidates.set(known, [candidate])
        else list.push(candidate)
      }
    }
  }

  #known(name: string, place: ProfilePlace): SyscallName | undefined {
    const { arch } = this.#target
    if (isSyscallName(name) && findSyscall(name, arch) !== undefined) return name
    if (isSyscallName(name) || isKnownSomewhere(name)) {
      const message = `${quote(name)} is no call of ${arch}`
      this.#findings.report('info', 'other-architecture', place, message)
    } else {
      const meant = this.#findings.suggestion(name, syscallNames(arch))
      const message = `there is no system call ${quote(name)}, and runtimes pass over it${meant}`
      this.#findings.report('warning', 'unknown-syscall', place, message)
    }
    return undefined
  }

  readonly #alternativesOf = new Map<ProfileEntry, readonly Registers[]>()

  /** The ways in which an entry holds: for each, all conditions together. */
  #alternatives(entry: ProfileEntry): readonly Registers[] {
    let alternatives = this.#alternativesOf.get(entry)
    if (alternatives === undefined) {
      alternatives = this.#makeAlternatives(entry)
      this.#alternativesOf.set(entry, alternatives)
    }
    return alternatives
  }

  #makeAlternatives({ args, place }: ProfileEntry): readonly Registers[] {
    if (args.length === 0) return [ALWAYS]
    const engine = this.#engine
    const outside = args.find(({ index }) => index > 5)
    if (outside !== undefined) {
      throw this.#refusal(outside.place, `there is no argument ${outside.index}, only 0 to 5`)
    }
    const taken = args.slice(0, engine?.conditions ?? Infinity)
    if (taken.length < args.length && engine !== undefined) {
      const message = `${engine.name} takes the first ${taken.length} of ${args.length} conditions`
      this.#findings.report('warning', 'argument-count', place, message)
    }
    const repeated = new Set(taken.map(({ index }) => index)).size < taken.length
    const first = taken[0]?.place ?? place
    if (repeated && engine !== undefined) {
      // runc: "Revert to old behavior: add each condition attached to a separate rule"; crun likewise.
      const message = `two conditions on one argument: for ${engine.name} each condition is enough`
      this.#findings.report('warning', 'repeated-argument', first, message)
      return this.#possible(taken.map((arg) => [arg]))
    }
    if (repeated) {
      const message =
        'two conditions on one argument: both must hold here, and runtimes take either'
      this.#findings.report('warning', 'repeated-argument', first, message)
    }
    return this.#possible([taken])
  }

  #possible(lists: readonly (readonly ProfileArg[])[]): readonly Registers[] {
    return lists.flatMap((args) => {
      const registers = registersOf(args)
      const place = args[0]?.place ?? this.#profile.place
      if (registers === undefined) {
        const message = 'a mask and a range on one argument cannot be said together'
        this.#faults.report('error', 'repeated-argument', place, message)
        return []
      }
      if (!neverHolds(registers)) return [registers]
      const message = 'no value meets these conditions, so they never hold'
      this.#findings.report('warning', 'never-holds', place, message)
      return []
    })
  }

  /** What the rules of one call come to, when one without conditions wins (libseccomp db.c). */
  #combine(name: SyscallName, candidates: readonly Candidate[]): RuleFor<SyscallName>[] {
    this.#checkMultiplexed(name, candidates)
    const always = candidates.find(({ registers }) => registers.size === 0)
    if (always !== undefined) {
      let earlier = true
      for (const candidate of candidates) {
        if (candidate === always) earlier = false
        else this.#shadowed(name, candidate, always, earlier)
      }
      this.#places.set(`$.syscalls.${name}[0]`, always.place)
      return [always.action]
    }
    const kept: Candidate[] = []
    for (const candidate of candidates) {
      if (this.#isNeeded(name, candidate, kept)) kept.push(candidate)
    }
    let rules = 0
    return kept.flatMap(({ action, registers, place }) => {
      const conditions = conditionsOf(registers)
      if (conditions !== undefined) {
        return conditions.map((when) => {
          this.#places.set(`$.syscalls.${name}[${rules++}]`, place)
          return { ...action, when }
        })
      }
      const message = 'the conditions come to more rules than a program has room for'
      this.#faults.report('error', 'too-many-rules', place, message)
      return []
    })
  }

  /** @param earlier whether the candidate stands before the one without conditions, which wins */
  #shadowed(name: SyscallName, candidate: Candidate, always: Candidate, earlier: boolean): void {
    const { place, key, registers } = candidate
    const where = `line ${always.place.line}`
    if (key === always.key) {
      const message = `${name}: ${where} says the same without conditions`
      this.#findings.report('info', 'redundant-rule', place, message)
      return
    }
    const conditional = registers.size > 0
    const message = conditional
      ? `${name}: ${where} says otherwise without conditions, and wins in every runtime`
      : `${name}: ${where} says otherwise; runtimes take the first`
    // Whoever reads the file in its order, as we read rules, takes what stands first too. But where that is
    // what is lost, and it refuses more, the file says one thing and every runtime does another.
    const widens =
      PERMISSIVENESS.indexOf(candidate.action.action) < PERMISSIVENESS.indexOf(always.action.action)
    if (widens && earlier && this.#engine === undefined) {
      this.#faults.report('error', 'conflict', place, message)
    } else this.#findings.report('warning', 'conflict', place, message)
  }

  /**
   * On i386 these calls can also be made by socketcall(2) and ipc(2), and libseccomp (arch-x86.c) has rules for
   * those besides: they compare the first argument with the call that is meant, and so no longer with what the
   * profile says. Where two of them then contradict each other, nothing starts ("file exists"), whatever the
   * native rules say; unless an earlier rule decides socketcall(2) or ipc(2) whole, as most profiles do.
   */
  #checkMultiplexed(name: SyscallName, candidates: readonly Candidate[]): void {
    const through = SOCKETCALL.includes(name)
      ? 'socketcall'
      : IPC.includes(name)
        ? 'ipc'
        : undefined
    if (through === undefined || !this.#listsX86()) return
    const decided = this.#decided.get(through) ?? Infinity
    candidates.forEach((later, at) => {
      if (decided < later.order) return
      const earlier = candidates
        .slice(0, at)
        .find(({ key, registers }) => key !== later.key && begins(registers, later.registers))
      if (earlier === undefined) return
      const message = `${name}: with SCMP_ARCH_X86, this and line ${earlier.place.line} come to one ${through}(2), whose first argument is another (file exists)`
      if (this.#engine !== undefined) throw this.#refusal(later.place, message)
      this.#findings.report('warning', 'conflict', later.place, message)
    })
  }

  #listsX86(): boolean {
    const { architectures = [], archMap = [] } = this.#profile
    const native = NATIVE_ARCHITECTURE[this.#target.arch]
    const mapped = archMap.find(({ architecture }) => architecture === native)
    return [...architectures, ...(mapped?.subArchitectures ?? [])].some((name) =>
      /^(SCMP_ARCH_)?X86$/i.test(name),
    )
  }

  /** Whether a rule says something that those before it do not. May take some of them out. */
  #isNeeded(name: SyscallName, candidate: Candidate, kept: Candidate[]): boolean {
    for (let at = 0; at < kept.length; at++) {
      const earlier = kept[at]
      if (earlier === undefined) continue
      if (++this.#pairs > MAX_PAIRS) {
        const { path, line, column } = candidate.place
        throw new ProfileError('ERR_PROFILE_LIMIT', {
          ...{ path, line, column },
          problem: `${name} has more rules with conditions than can be compared`,
        })
      }
      if (earlier.key !== candidate.key) {
        if (overlap(earlier.registers, candidate.registers)) {
          this.#conflict(name, candidate, earlier)
        }
      } else if (covers(earlier.registers, candidate.registers)) {
        const message = `${name}: line ${earlier.place.line} holds whenever this does`
        this.#findings.report('info', 'redundant-rule', candidate.place, message)
        return false
      } else if (covers(candidate.registers, earlier.registers)) {
        const message = `${name}: line ${candidate.place.line} holds whenever this does`
        this.#findings.report('info', 'redundant-rule', earlier.place, message)
        kept.splice(at--, 1)
      }
    }
    return true
  }

  #conflict(name: SyscallName, later: Candidate, earlier: Candidate): void {
    const { path, line, column } = later.place
    const both = `${name}: there are calls for which this and line ${earlier.place.line} say different things`
    if (this.#engine === undefined) {
      this.#faults.report('error', 'conflict', later.place, both)
      return
    }
    const same =
      covers(earlier.registers, later.registers) && covers(later.registers, earlier.registers)
    // libseccomp db.c: EEXIST. For others, the order of its tree decides and not that of the file.
    if (same) throw this.#refusal(later.place, `${name}: the same conditions twice (file exists)`)
    throw new ProfileError('ERR_PROFILE_UNDETERMINED', {
      ...{ path, line, column },
      problem: both,
      hint: "Which one wins is up to libseccomp's tree.",
    })
  }

  /** With what a runtime does and a policy would do otherwise. */
  #reproduce(
    syscalls: Partial<Record<SyscallName, readonly RuleFor<SyscallName>[]>>,
    fallback: ActionData,
  ): Pick<Policy, 'ceiling' | 'syscalls'> {
    if (this.#engine === undefined) return { syscalls }
    const { arch } = this.#target
    const ceiling = this.#engine.enosysStub ? this.#highest(fallback) : undefined
    const numberOf = (name: SyscallName): number => findSyscall(name, arch)?.number ?? Infinity
    const highest = ceiling === undefined ? Infinity : numberOf(ceiling)
    for (const name of HIDDEN) {
      const number = numberOf(name)
      if (number <= highest && number !== Infinity) syscalls[name] ??= [fallback]
    }
    return ceiling === undefined ? { syscalls } : { ceiling, syscalls }
  }

  /**
   * runc patchbpf/enosys_linux.go: numbers above the highest that is named answer ENOSYS, rules that were
   * dropped included; where nothing is named, or number 0 alone, none do.
   */
  #highest({ action }: ActionData): SyscallName | undefined {
    if (action === 'allow' || action === 'log' || action === 'trace') return undefined
    const { arch } = this.#target
    let highest: SyscallName | undefined
    let number = 0
    for (const name of this.#named) {
      const own = findSyscall(name, arch)?.number ?? 0
      if (own > number) [highest, number] = [name, own]
    }
    if (highest === undefined) return undefined
    const message = `runc has every number above ${number}, that of ${highest}(2), answer ENOSYS`
    this.#findings.report('info', 'enosys-stub', this.#profile.place, message)
    return highest
  }
}

/** Without the first argument, what `earlier` asks begins with all that `later` asks. */
function begins(earlier: Registers, later: Registers): boolean {
  const rest = (registers: Registers): [number, ValueSet][] =>
    [...registers].filter(([index]) => index > 0).sort(([a], [b]) => a - b)
  const first = rest(earlier)
  return rest(later).every(([index, set], at) => {
    const [other, same] = first[at] ?? []
    return other === index && same !== undefined && contains(set, same) && contains(same, set)
  })
}

const keyOf = ({ action, errno, data }: ActionData): string => `${action} ${errno ?? data ?? ''}`
