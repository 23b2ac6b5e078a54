/** What is reviewed: a policy, a profile or its text, and what it comes to where it is enforced. */
import { PolicyError, ProfileError, type ProfileFinding, type ProfilePlace } from '../errors'
import { parseTarget, rulesOf, type Policy, type Rules } from '../policy'
import { describeValue, readFields, reading, refuseUnknownKeys } from '../policy/snapshot'
import { readProfile } from '../profiles/read'
import { resolveProfile, type ResolveProfileResult } from '../profiles/resolve'
import type { Runtime } from '../profiles/runtimes'
import { parseTarget as parseProfileTarget, type ProfileTarget } from '../profiles/target'
import type { Dialect, Profile } from '../profiles/types'
import type { Arch } from '../syscalls'

/** For whom, and how it is read. */
export interface ReviewOptions extends ProfileTarget {
  /** Of a text: the dialect to read it in, instead of the one that is detected. */
  readonly dialect?: Dialect
  /** Of a text with several SeccompProfiles: which one. */
  readonly document?: string
  /** The process id that `'SELF'` stands for. */
  readonly pid?: number
  /**
   * Whether Node is to run under it: a policy of this package is taken to be for Node, a profile of
   * another tool is not.
   */
  readonly node?: boolean
}

/** A policy, a profile that was read, or the text or bytes of either. */
export type ReviewSubject = Policy | Profile | string | Uint8Array

/** The policy as it is enforced, and where its rules are from. */
export interface Enforced {
  readonly policy: Policy
  readonly rules: Rules
  readonly places: ReadonlyMap<string, ProfilePlace>
}

export interface Subject {
  readonly profile?: Profile
  /** Found in reading, and in resolving. */
  readonly findings: readonly ProfileFinding[]
  /** Read strictly; undefined where it has no single meaning. */
  readonly strict: Enforced | undefined
  /** As the runtime that it is for would enforce it, or else strictly; undefined where neither can be told. */
  readonly enforced: Enforced | undefined
  /** Whom `enforced` follows. */
  readonly runtime: Runtime | undefined
  /** Named by the caller, not by its dialect alone. */
  readonly runtimeNamed: boolean
  readonly target: ProfileTarget
  readonly arch: Arch
  readonly node: boolean
}

/** Who usually enforces what is written so. */
const USUAL_RUNTIME: Readonly<Record<Dialect, Runtime | undefined>> = {
  oci: 'runc',
  moby: 'docker',
  'containers-common': 'podman',
  containerd: 'containerd',
  spo: 'runc',
  'inspektor-gadget': 'runc',
  'oci-seccomp-bpf-hook': 'podman',
  systemd: undefined,
  'seccomp-ts': undefined,
}

/**
 * @throws ProfileError for a text that cannot be read; PolicyError for a mistake in a policy that is no
 * text, or in the options
 */
export function subjectOf(input: ReviewSubject, options?: ReviewOptions): Subject {
  const { dialect, document, pid, node, ...target } = parseOptions(options)
  const { arch } = parseProfileTarget(target)
  const own = parseTarget({ arch, ...(pid === undefined ? {} : { pid }) })
  const here = { ...target, arch }
  const text = typeof input === 'string' || input instanceof Uint8Array
  if (!text && !isProfile(input)) {
    const enforced = { policy: input, rules: rulesOf(input, own), places: NOWHERE }
    return {
      findings: [],
      strict: enforced,
      enforced,
      runtime: undefined,
      runtimeNamed: false,
      target: here,
      arch,
      node: node ?? true,
    }
  }
  const read = text
    ? readProfile(input, {
        ...(dialect === undefined ? {} : { dialect }),
        ...(document === undefined ? {} : { document }),
      })
    : { profile: input, findings: input.faults }
  const { profile } = read
  const enforce = ({ policy, places }: ResolveProfileResult): Enforced => ({
    policy,
    rules: rulesOf(policy, own),
    places,
  })
  const { runtime: named, ...plain } = here
  const strict = attempt(() => resolveProfile(profile, plain))
  const runtime = named ?? USUAL_RUNTIME[profile.dialect]
  const followed =
    runtime === undefined
      ? undefined
      : attempt(() => resolveProfile(profile, { ...plain, runtime }))
  const result = followed?.result ?? strict.result
  return {
    profile,
    findings: [
      ...read.findings,
      ...(named === undefined || followed?.result === undefined
        ? strict.findings
        : followed.findings),
      ...(followed?.refusal ?? []),
    ],
    strict: strict.result && enforce(strict.result),
    enforced: result && enforce(result),
    runtime: followed?.result === undefined ? undefined : runtime,
    runtimeNamed: named !== undefined,
    target: here,
    arch,
    node: node ?? profile.dialect === 'seccomp-ts',
  }
}

const NOWHERE: ReadonlyMap<string, ProfilePlace> = new Map()

export const isProfile = (input: object): input is Profile =>
  Object.hasOwn(input, 'dialect') && Object.hasOwn(input, 'entries')

interface Attempt {
  readonly result: ResolveProfileResult | undefined
  readonly findings: readonly ProfileFinding[]
  /** Why a runtime does not take it. */
  readonly refusal: readonly ProfileFinding[]
}

/** What cannot be resolved is a finding: the text can still be reviewed. */
function attempt(resolve: () => ResolveProfileResult): Attempt {
  try {
    const result = resolve()
    return { result, findings: result.findings, refusal: [] }
  } catch (cause) {
    if (!(cause instanceof ProfileError)) throw cause
    const { code, path, line, column, message, findings } = cause
    const refused = code === 'ERR_PROFILE_REFUSED' || code === 'ERR_PROFILE_UNDETERMINED'
    const rule = code === 'ERR_PROFILE_REFUSED' ? 'refused' : 'undetermined'
    const text = withoutPlace(message)
    const finding = { path, line, column, severity: 'error', message: text } as const
    return {
      result: undefined,
      findings: refused ? [] : (findings ?? [{ ...finding, code: 'too-many-rules' }]),
      refusal: refused ? [{ ...finding, code: rule }] : [],
    }
  }
}

/** The message of a ProfileError says where; a finding has that beside it. */
export const withoutPlace = (message: string): string =>
  message.replace(/^line \d+, column \d+ \([^)]*\): /, '').replace(/\.$/, '')

const OPTIONS = [
  ...(['arch', 'caps', 'kernel', 'runtime', 'dialect', 'document', 'pid', 'node'] as const),
]

function parseOptions(input: unknown): ReviewOptions {
  return reading('options', () => {
    const fields = readFields(input ?? {}, 'options', 'an object')
    refuseUnknownKeys(fields, OPTIONS, 'options', 'lint and explain')
    const node = fields.get('node')
    if (node !== undefined && typeof node !== 'boolean') {
      throw new PolicyError('ERR_OPTION', {
        path: 'options.node',
        problem: `expected true or false, got ${describeValue(node)}`,
      })
    }
    return Object.fromEntries([...fields].filter(([, value]) => value !== undefined))
  })
}
