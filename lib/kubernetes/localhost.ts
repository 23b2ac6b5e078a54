/** Whether a profile that a manifest names is on the node, as far as the text and the options tell. */
import { ProfileError } from '../errors'
import { readProfile } from '../profiles/read'
import { quote } from '../profiles/tree'
import type { PodProfiles } from './effective'
import { descend, textOf } from './fields'
import type { ManifestFindings } from './findings'
import { mountedNames } from './hardening'
import type { Pod } from './pod'
import { configMapsIn, volumesOf, type KubernetesObject, type Workload } from './workloads'

/** What is known of the profiles on the nodes. */
export interface Installed {
  /**
   * Key → the ConfigMap that has it; without those that something of the text copies into the kubelet's
   * seccomp folder.
   */
  readonly holders: ReadonlyMap<string, string>
  readonly profiles: ReadonlyMap<string, string> | undefined
  /** What is wrong with a profile, by its path. */
  readonly faults: Map<string, string | undefined>
}

export function installedBy(
  objects: readonly KubernetesObject[],
  workloads: readonly Workload[],
  profiles: ReadonlyMap<string, string> | undefined,
): Installed {
  const copied = workloads.filter(installs).flatMap((workload) => {
    const spec = descend(workload.template, 'spec')
    return spec === undefined ? [] : mountedNames(spec, 'configMap', 'name')
  })
  const done = new Set(copied)
  const holders = new Map<string, string>()
  for (const { name, keys } of configMapsIn(objects)) {
    if (!done.has(name)) for (const key of keys) holders.set(key, name)
  }
  return { holders, profiles, faults: new Map() }
}

/** A DaemonSet with the kubelet's seccomp folder, or one above it, in its pods. */
const installs = ({ kind, template }: Workload): boolean =>
  kind === 'DaemonSet' &&
  volumesOf(descend(template, 'spec')).some(({ type, source }) => {
    const path = type === 'hostPath' ? textOf(descend(source, 'path')?.node) : undefined
    return path !== undefined && /^\/$|\/(seccomp|kubelet)\b/.test(path)
  })

export function checkLocalhost(
  pod: Pod,
  { localhost }: PodProfiles,
  installed: Installed,
  findings: ManifestFindings,
): void {
  const mounted = new Set(mountedNames(pod.spec.at, 'configMap', 'name'))
  for (const { subject, at, path } of localhost) {
    const file = path.slice(path.lastIndexOf('/') + 1)
    const holder = installed.holders.get(file)
    if (holder !== undefined && installed.profiles?.has(path) !== true) {
      const how = mounted.has(holder) ? ', and mounting it puts it into the container' : ''
      const severity = mounted.has(holder) ? 'error' : 'warning'
      const message = `${quote(file)} is in ConfigMap ${quote(holder)}: the runtime reads it from the node's disk${how}`
      findings.report('localhost-profile-in-configmap', subject, at, message, { severity })
    } else if (installed.profiles?.has(path) === false) {
      const message = `${quote(path)} is not among the profiles of the nodes: the container does not start`
      findings.report('localhost-profile-unknown', subject, at, message)
    }
    const fault = faultOf(path, installed)
    if (fault !== undefined) {
      findings.report('localhost-profile-invalid', subject, at, `${quote(path)}: ${fault}`)
    }
  }
}

/** As containerd reads a file: what only Docker knows has no effect there. */
function faultOf(path: string, { profiles, faults }: Installed): string | undefined {
  const text = profiles?.get(path)
  if (text === undefined) return undefined
  if (!faults.has(path)) faults.set(path, faultIn(text))
  return faults.get(path)
}

function faultIn(text: string): string | undefined {
  try {
    const [first, ...more] = readProfile(text, { dialect: 'containerd' }).profile.faults
    if (first === undefined) return undefined
    const others = more.length === 0 ? '' : `, and ${more.length} more`
    return `line ${first.line}: ${first.message}${others}`
  } catch (error) {
    if (error instanceof ProfileError) return error.message
    throw error
  }
}
