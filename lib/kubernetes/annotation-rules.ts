/** What is to be said of annotations that name profiles. */
import { describeNode, quote } from '../profiles/tree'
import { readAnnotations, SECCOMP_POD, type Annotation, type NamedProfile } from './annotations'
import { describeProfile } from './effective'
import { descend, textOf, type Fields } from './fields'
import type { ManifestFindings, Overrides, Subject } from './findings'
import { SINCE, type Cluster } from './options'
import type { Pod } from './pod'
import { annotationsOf, printable, type Workload } from './workloads'

/** Of the annotations of the pod itself. */
export function checkAnnotations(
  pod: Pod,
  annotations: readonly Annotation[],
  cluster: Cluster,
  findings: ManifestFindings,
): void {
  const containers = new Map(pod.containers.map((container) => [container.name, container]))
  for (const annotation of annotations) {
    const named = annotation.container !== undefined
    const container = named ? containers.get(annotation.container) : undefined
    const subject = container?.subject ?? pod.subject
    checkAge(annotation, cluster, subject, findings)
    if (annotation.profile === undefined) {
      const message = `${describeNode(annotation.at.node)} is no profile`
      findings.report('annotation-value', subject, annotation.at, message)
    }
    if (named && container === undefined) {
      const message = `the pod has no container ${quote(annotation.container)}`
      findings.report('annotation-container', subject, annotation.at, message)
    }
    const context = named ? container?.context : pod.context
    checkConflict(context, annotation, subject, findings)
  }
}

function checkAge(
  { about, at }: Annotation,
  { minor }: Cluster,
  subject: Subject,
  findings: ManifestFindings,
): void {
  if (about === 'seccomp') {
    findings.report('seccomp-annotation', subject, at, ...seccompAge(minor))
  } else if (minor < SINCE.appArmorFields) {
    const message = 'replaced by a field in Kubernetes 1.30'
    findings.report('apparmor-annotation', subject, at, message, { severity: 'info' })
  } else {
    const message = 'deprecated since Kubernetes 1.30, which has a field for it'
    findings.report('apparmor-annotation', subject, at, message)
  }
}

function seccompAge(minor: number): [message: string, more: Overrides] {
  if (minor < SINCE.seccompFields) {
    return ['replaced by a field in Kubernetes 1.19', { severity: 'info', fix: 'Nothing yet.' }]
  }
  if (minor < SINCE.seccompAnnotationsIgnored) {
    return ['deprecated since Kubernetes 1.19, and ignored from 1.27 on', {}]
  }
  return ['ignored since Kubernetes 1.27: no profile comes of it', { severity: 'error' }]
}

/** A field beside it that says something else: refused as long as both count (KEP-135, KEP-24). */
function checkConflict(
  context: Fields | undefined,
  annotation: Annotation,
  subject: Subject,
  findings: ManifestFindings,
): void {
  const field = descend(context?.at, `${annotation.about}Profile`)
  const type = textOf(descend(field, 'type')?.node)
  if (annotation.profile === undefined || type === undefined) return
  const localhostProfile = textOf(descend(field, 'localhostProfile')?.node)
  const { profile } = annotation
  if (profile.type === type && profile.localhostProfile === localhostProfile) return
  const written = describeProfile({
    type: type as NamedProfile['type'],
    ...(localhostProfile === undefined ? {} : { localhostProfile }),
  })
  const message = `the annotation says ${describeProfile(profile)}, the field ${written}`
  findings.report('annotation-conflict', subject, annotation.at, message)
}

/** Annotations of a workload, where they are for its pods. */
export function checkPlacement(workload: Workload, pod: Pod, findings: ManifestFindings): void {
  if (workload.template.node === workload.at.node) return
  for (const { at, member } of readAnnotations(annotationsOf(workload.at))) {
    const what = member.key === SECCOMP_POD ? 'its pods' : 'containers of its pods'
    const message = `is read on a pod, and no ${printable(workload.kind)} passes it on to ${what}`
    findings.report('annotation-placement', pod.subject, at, message)
  }
}
