/** Manifests → what every container runs under, and what is wrong or weak. */
import { readAnnotations } from './annotations'
import { checkAnnotations, checkPlacement } from './annotation-rules'
import { ProfileResolution, type EffectiveProfile } from './effective'
import { ManifestFindings, type ManifestFinding } from './findings'
import { checkHardening } from './hardening'
import { checkLocalhost, installedBy } from './localhost'
import { parseCheckOptions, type CheckOptions } from './options'
import { parseManifests } from './parse'
import { readPod, type ContainerRole } from './pod'
import type { PodSecurityLevel } from './rules'
import { annotationsOf, describeObject, objectsIn, workloadOf } from './workloads'

export interface ContainerReport {
  readonly name: string | undefined
  readonly role: ContainerRole
  readonly privileged: boolean
  readonly seccomp: EffectiveProfile
  readonly appArmor: EffectiveProfile
}

export interface WorkloadReport {
  readonly kind: string
  readonly name: string | undefined
  readonly namespace: string | undefined
  /** From 1. */
  readonly document: number
  /** The strictest level of the Pod Security Standards that admits it. */
  readonly podSecurity: PodSecurityLevel | 'privileged'
  readonly containers: readonly ContainerReport[]
}

export interface ManifestReport {
  readonly workloads: readonly WorkloadReport[]
  /** The objects that make no pods, as findings would name them: `Service shop/web`. */
  readonly others: readonly string[]
  /** In the order of the text. */
  readonly findings: readonly ManifestFinding[]
}

/**
 * Checks Kubernetes manifests: one or several documents of YAML, or JSON, lists included. For every container of
 * every pod, the seccomp and AppArmor profile that it runs under; and as findings what the API server or the
 * node would refuse, what has no effect, and what the Pod Security Standards and the CIS Kubernetes Benchmark
 * ask for beside it (docs/kubernetes.md).
 *
 * @param text the text, or its bytes (UTF-8)
 * @throws ManifestError ERR_MANIFEST_SYNTAX, ERR_MANIFEST_LIMIT, ERR_MANIFEST_OBJECT
 * @throws PolicyError for a mistake in the options
 */
export function checkManifests(text: string | Uint8Array, options?: CheckOptions): ManifestReport {
  const { cluster, profiles } = parseCheckOptions(options)
  const manifests = parseManifests(text)
  const objects = objectsIn(manifests)
  const workloads = objects.flatMap((object) => workloadOf(object) ?? [])
  const installed = installedBy(objects, workloads, profiles)
  const findings = new ManifestFindings(manifests.lines)
  const reports = workloads.map((workload): WorkloadReport => {
    const { kind, name, namespace, document } = workload
    const containers: ContainerReport[] = []
    const before = findings.mark()
    const pod = readPod(workload, findings)
    if (pod !== undefined) {
      const annotations = readAnnotations(annotationsOf(workload.template))
      const resolution = new ProfileResolution(pod, annotations, cluster, findings)
      const effective = resolution.resolve()
      checkAnnotations(pod, annotations, cluster, findings)
      checkPlacement(workload, pod, findings)
      checkLocalhost(pod, effective, installed, findings)
      checkHardening(pod, cluster, findings)
      for (const container of pod.containers) {
        const { name, role, privileged } = container
        const seccomp = effective.seccomp.get(container)
        const appArmor = effective.appArmor.get(container)
        if (seccomp === undefined || appArmor === undefined) continue
        containers.push({ name, role, privileged, seccomp, appArmor })
      }
    }
    const podSecurity = findings.levelSince(before)
    return { kind, name, namespace, document, podSecurity, containers }
  })
  const others = objects.filter((object) => workloadOf(object) === undefined).map(describeObject)
  return { workloads: reports, others, findings: findings.list() }
}
