/**
 * A policy or a profile as another tool reads it. Nothing is written unless it was read again and means
 * the same, or less where that was said: what a target cannot tell is a loss with a name, and what it
 * could only tell by permitting more is refused.
 */
import { compareRules, type PolicyDifference } from '../../analysis/compare'
import { proveRules } from '../../analysis/proof'
import { PolicyError, ProfileError } from '../../errors'
import { parseTarget as parsePolicyTarget, rulesOf, type Policy, type Rules } from '../../policy'
import { describeValue, readFields, reading, refuseUnknownKeys } from '../../policy/snapshot'
import { findSyscall, suggest, syscallNames, type Arch, type SyscallName } from '../../syscalls'
import { readProfile } from '../read'
import { HIDDEN, resolveProfile, type ResolveProfileResult } from '../resolve'
import { parseTarget, type ProfileTarget } from '../target'
import type { Dialect, Profile } from '../types'
import { writeBpf } from './bpf'
import { isContainerProfile } from './container'
import { writeDocker } from './docker'
import { writeJson } from './json'
import { Losses, type ConversionLoss } from './losses'
import { writeOci } from './oci'
import { writePodman } from './podman'
import type { Source } from './source'
import { writeSpo } from './spo'
import { writeSystemd } from './systemd'
import { writeTypescript } from './ts'

export type ConversionTarget =
  /** linux.seccomp of the OCI runtime-spec: runc, crun, containerd. */
  | 'oci'
  /** `docker run --security-opt seccomp=` */
  | 'docker'
  /** Podman, Buildah, CRI-O. */
  | 'podman'
  /** A Localhost profile of Kubernetes: plain OCI, which containerd and CRI-O read alike. */
  | 'kubernetes'
  /** SeccompProfile of the security-profiles-operator, in YAML. */
  | 'spo'
  /** SystemCallFilter= of a systemd unit. */
  | 'systemd'
  /** A policy of this package, as JSON. */
  | 'json'
  /** A policy of this package, as a TypeScript module. */
  | 'ts'
  /** The program itself: struct sock_filter[], as `bwrap --seccomp` takes it. */
  | 'bpf'

export interface ConvertOptions extends ProfileTarget {
  readonly to: ConversionTarget
  /** What to call it, where the target has names; as the source calls itself by default. */
  readonly name?: string
  /**
   * The process id that `'SELF'` stands for: 1 for the first process of a container. Needed only by
   * policies that have it, and not for `json` and `ts`.
   */
  readonly pid?: number
}

export interface ConvertResult {
  readonly to: ConversionTarget
  /** As text, with a line feed at its end; undefined for `bpf`. */
  readonly text?: string
  /** Of every target: the text in UTF-8, or the program. */
  readonly bytes: Uint8Array
  readonly losses: readonly ConversionLoss[]
}

interface Writer {
  readonly write: (source: Source) => string | Uint8Array
  /** How it is read again; undefined for what is no profile to read. */
  readonly dialect?: Dialect
  /** Whether it has conditions and architectures, which those who read it settle. */
  readonly keepsConditions?: boolean
  /** Whether 'SELF' can be written. */
  readonly keepsSelf?: boolean
}

const WRITERS: Readonly<Record<ConversionTarget, Writer>> = {
  oci: { write: (source) => writeOci(source), dialect: 'oci' },
  docker: { write: writeDocker, dialect: 'moby', keepsConditions: true },
  podman: { write: writePodman, dialect: 'containers-common', keepsConditions: true },
  kubernetes: { write: (source) => writeOci(source), dialect: 'containerd' },
  spo: { write: writeSpo, dialect: 'spo' },
  systemd: { write: writeSystemd, dialect: 'systemd' },
  json: { write: writeJson, dialect: 'seccomp-ts', keepsSelf: true },
  ts: { write: writeTypescript, keepsSelf: true },
  bpf: { write: writeBpf },
}

export const CONVERSION_TARGETS = Object.keys(WRITERS) as readonly ConversionTarget[]

/**
 * Writes a policy, or a profile that was read, as another tool reads it (docs/profiles.md). One form:
 * sorted, and the same for the same rules in another order.
 *
 * A profile is first resolved for `arch`, `caps`, `kernel` and `runtime`, as by `resolveProfile`; only
 * `docker` and `podman` keep its conditions, where no runtime is named.
 *
 * @throws PolicyError ERR_INEXPRESSIBLE where the target could only say it by permitting more; for a
 * mistake in the policy or the options
 * @throws ProfileError as resolveProfile does
 */
export function convert(source: Policy | Profile, options: ConvertOptions): ConvertResult {
  const { to, name, pid, target } = parseOptions(options)
  const writer = WRITERS[to]
  const profile = isProfile(source) ? source : undefined
  const { policy, findings } = resolve(source, target)
  const parsed = parseTarget(target)
  const losses = new Losses()
  const keepsConditions =
    (writer.keepsConditions ?? false) &&
    profile !== undefined &&
    isContainerProfile(profile) &&
    target.runtime === undefined
  if (!keepsConditions) losses.take(findings)
  const given: Source = {
    policy,
    rules: rulesFor(policy, parsed.arch, pid, writer.keepsSelf ?? false),
    arch: parsed.arch,
    pid: pid ?? 1,
    target: parsed,
    profile,
    keepsConditions,
    name: name ?? policy.name,
    explicit: new Set(),
    losses,
  }
  const { written, losses: found } = writeProved(given, writer, target)
  const [text, bytes] =
    typeof written === 'string'
      ? [{ text: written }, new TextEncoder().encode(written)]
      : [{}, written]
  return Object.freeze({ to, ...text, bytes, losses: found.list() })
}

/** The same as `convert` to `oci`, of which only the text is wanted. */
export const toOci = (source: Policy | Profile, options: Omit<ConvertOptions, 'to'> = {}): string =>
  convert(source, { ...options, to: 'oci' }).text ?? ''

const isProfile = (source: Policy | Profile): source is Profile =>
  Object.hasOwn(Object(source) as object, 'dialect')

function resolve(
  source: Policy | Profile,
  target: ProfileTarget,
): Pick<ResolveProfileResult, 'policy' | 'findings'> {
  if (isProfile(source)) return resolveProfile(source, target)
  if (target.runtime === undefined) return { policy: source, findings: [] }
  throw new PolicyError('ERR_OPTION', {
    path: 'options.runtime',
    problem: 'a policy means the same for every runtime',
    hint: 'It is for profiles of other tools.',
  })
}

/** @throws PolicyError ERR_OPTION where the policy speaks of a process id that nobody named */
function rulesFor(policy: Policy, arch: Arch, pid: number | undefined, keepsSelf: boolean): Rules {
  const rules = rulesOf(policy, { arch, pid: pid ?? 1 })
  if (pid !== undefined || keepsSelf) return rules
  const text = (each: Rules): string =>
    JSON.stringify(each, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
  if (text(rules) === text(rulesOf(policy, { arch, pid: 2 }))) return rules
  throw new PolicyError('ERR_OPTION', {
    path: 'options.pid',
    problem: "the policy says 'SELF', and what is written needs a number for it",
    hint: 'The first process of a container has 1.',
  })
}

type Written = string | Uint8Array

/**
 * What was written, read again: the same, but for what was lost. Calls of which readers have an opinion
 * of their own (clone3 …) are named in a second attempt.
 */
function writeProved(
  source: Source,
  { write, dialect }: Writer,
  target: ProfileTarget,
): { readonly written: Written; readonly losses: Losses } {
  // The second attempt finds the same losses again.
  const again = { ...source, losses: source.losses.copy() }
  const written = write(source)
  if (typeof written !== 'string') {
    if (proveRules([source.rules], written).proved) return { written, losses: source.losses }
    throw new RangeError('the program does not do what the rules say')
  }
  if (dialect === undefined) return { written, losses: source.losses }
  const hidden = namedIn(changesIn(written, dialect, source, target)).filter((name) =>
    HIDDEN.includes(name),
  )
  if (hidden.length === 0) {
    verify(changesIn(written, dialect, source, target), source)
    return { written, losses: source.losses }
  }
  const named: Source = { ...again, explicit: new Set(hidden) }
  const second = write(named)
  if (typeof second !== 'string') return { written: second, losses: named.losses }
  verify(changesIn(second, dialect, named, target), named)
  return { written: second, losses: named.losses }
}

/** Where the text, read for the same container, says something else than the source. */
function changesIn(
  text: string,
  dialect: Dialect,
  { rules, arch, pid }: Source,
  target: ProfileTarget,
): readonly PolicyDifference[] {
  const profile = readBack(text, dialect)
  // Strictly, whatever runtime the source was read for.
  const container = Object.fromEntries(Object.entries(target).filter(([key]) => key !== 'runtime'))
  const { policy } = resolveProfile(profile, container)
  return compareRules(rules, rulesOf(policy, { arch, pid })).differences
}

/** @throws PolicyError ERR_INEXPRESSIBLE for what no reader would take */
function readBack(text: string, dialect: Dialect): Profile {
  try {
    return readProfile(text, { dialect }).profile
  } catch (cause) {
    if (!(cause instanceof ProfileError) || cause.code !== 'ERR_PROFILE_LIMIT') throw cause
    throw new PolicyError('ERR_INEXPRESSIBLE', {
      path: '$.syscalls',
      problem: `comes to ${text.length} characters, more than a profile may have`,
      cause,
    })
  }
}

const namedIn = (changes: readonly PolicyDifference[]): SyscallName[] =>
  changes.flatMap(({ syscall }) => (syscall === undefined ? [] : [syscall]))

/** @throws RangeError where a change is no loss that was named: a mistake of this package */
function verify(changes: readonly PolicyDifference[], { losses, arch }: Source): void {
  for (const { numbers, widens, text, kind } of changes) {
    const [first, last] = numbers
    const names = syscallNames(arch).filter((name) => {
      const number = findSyscall(name, arch)?.number ?? -1
      return first <= number && number <= last
    })
    const unnamed = last - first + 1 > names.length
    const said =
      names.every((name) => losses.isChanged(name)) && (!unnamed || losses.numbersChanged)
    if (said && !widens) continue
    const [name] = names
    if (first === last && name !== undefined && HIDDEN.includes(name) && kind === 'denies') {
      const message = `${name} is let through as before; read by seccomp-ts, it answers ENOSYS, since a list of what is denied cannot name it`
      losses.add('info', 'hidden-calls', `$.syscalls.${name}`, message)
      continue
    }
    throw new RangeError(`what was written says something else: ${text}`)
  }
}

const KEYS = ['arch', 'caps', 'kernel', 'name', 'pid', 'runtime', 'to']

function parseOptions(input: unknown): {
  readonly to: ConversionTarget
  readonly name: string | undefined
  readonly pid: number | undefined
  readonly target: ProfileTarget
} {
  return reading('options', () => {
    const fields = readFields(input ?? {}, 'options', 'an object')
    refuseUnknownKeys(fields, KEYS, 'options', 'convert')
    const { to, name, pid, ...target }: Record<string, unknown> = Object.fromEntries(fields)
    const wrong = (key: string, problem: string, suggestion?: string): PolicyError =>
      new PolicyError('ERR_OPTION', { path: `options.${key}`, problem, suggestion })
    if (!isConversionTarget(to)) {
      const problem = `expected one of ${CONVERSION_TARGETS.join(', ')}, got ${describeValue(to)}`
      const meant = typeof to === 'string' ? suggest(to, CONVERSION_TARGETS) : undefined
      throw wrong('to', problem, meant)
    }
    if (name !== undefined && typeof name !== 'string') {
      throw wrong('name', `expected text, got ${describeValue(name)}`)
    }
    if (pid !== undefined) parsePolicyTarget({ pid })
    return { to, name, pid: pid as number | undefined, target }
  })
}

const isConversionTarget = (value: unknown): value is ConversionTarget =>
  typeof value === 'string' && Object.hasOwn(WRITERS, value)
