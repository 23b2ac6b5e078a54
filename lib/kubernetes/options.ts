/** What is known of the cluster that the manifests are for. */
import { PolicyError } from '../errors'
import { describeValue, readFields, reading, refuseUnknownKeys } from '../policy/snapshot'

export interface ClusterOptions {
  /** Of the API server: `'1.29'`, `'v1.31.2'`. By default one that is newer than all that is asked here. */
  readonly clusterVersion?: string
  /**
   * Whether the kubelets run with `--seccomp-default` or `seccompDefault: true`: since 1.22, on each node by
   * itself. By default it is not known, and an unset profile counts as Unconfined.
   */
  readonly seccompDefault?: boolean
}

export interface CheckOptions extends ClusterOptions {
  /**
   * The profiles that are on every node, with their text: path below the kubelet's seccomp folder → JSON. Where
   * given, a Localhost profile has to be among them, and to be one that the runtime reads as it is meant.
   */
  readonly profiles?: Readonly<Record<string, string>>
}

export interface Cluster {
  /** Of Kubernetes 1.x; Infinity where nothing is said. */
  readonly minor: number
  readonly seccompDefault: boolean | undefined
}

/** First minor versions, and why. */
export const SINCE = {
  /** seccompProfile fields; annotations deprecated (KEP-135). */
  seccompFields: 19,
  /** Annotations of seccomp are not read any more (release notes of 1.27). */
  seccompAnnotationsIgnored: 27,
  /** The feature gate SeccompDefault, alpha (KEP-2413). */
  seccompDefault: 22,
  /** appArmorProfile fields; annotations deprecated (KEP-24). */
  appArmorFields: 30,
} as const

const wrong = (name: string, problem: string, hint?: string): PolicyError =>
  new PolicyError('ERR_OPTION', { path: `options.${name}`, problem, hint })

/** @throws PolicyError ERR_OPTION, ERR_UNKNOWN_KEY, ERR_POLICY_SHAPE */
export function parseCheckOptions(input: unknown): {
  readonly cluster: Cluster
  readonly profiles: ReadonlyMap<string, string> | undefined
} {
  return reading('options', () => {
    const fields = readFields(input ?? {}, 'options', 'an object')
    const known = ['clusterVersion', 'seccompDefault', 'profiles']
    refuseUnknownKeys(fields, known, 'options', 'checkManifests')
    return { cluster: clusterOf(fields), profiles: profilesOf(fields.get('profiles')) }
  })
}

export function clusterOf(fields: ReadonlyMap<string, unknown>): Cluster {
  const minor = minorOf(fields.get('clusterVersion'))
  const seccompDefault = fields.get('seccompDefault')
  if (seccompDefault !== undefined && typeof seccompDefault !== 'boolean') {
    const problem = `expected true or false, got ${describeValue(seccompDefault)}`
    throw wrong('seccompDefault', problem)
  }
  if (seccompDefault === true && minor < SINCE.seccompDefault) {
    throw wrong('seccompDefault', 'no kubelet before 1.22 has it')
  }
  return { minor, seccompDefault }
}

function minorOf(version: unknown): number {
  if (version === undefined) return Infinity
  const match = typeof version === 'string' ? /^v?1\.(\d{1,3})(?!\d)/.exec(version) : null
  if (match !== null) return Number(match[1])
  throw wrong('clusterVersion', `expected a version such as '1.29', got ${describeValue(version)}`)
}

function profilesOf(value: unknown): ReadonlyMap<string, string> | undefined {
  if (value === undefined) return undefined
  const profiles = new Map<string, string>()
  for (const [path, text] of readFields(value, 'options.profiles', 'an object')) {
    if (typeof text !== 'string') {
      throw wrong('profiles', `expected the text of '${path}', got ${describeValue(text)}`)
    }
    profiles.set(path, text)
  }
  return profiles
}
