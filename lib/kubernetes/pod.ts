/** A pod template, read once: its contexts, its containers, and what of it is refused or dropped. */
import type { MapNode } from '../profiles/tree'
import { quote } from '../profiles/tree'
import type { At } from '../profiles/reading'
import { descend, Fields, isMapAt, textOf } from './fields'
import type { ManifestFindings, Subject } from './findings'
import { CONTAINER, CONTAINER_SECURITY_CONTEXT, POD_SECURITY_CONTEXT, POD_SPEC } from './shapes'
import { describeObject, printable, type Workload } from './workloads'

/** `sidecar`: an init container that stays (`restartPolicy: Always`). */
export type ContainerRole = 'container' | 'init' | 'sidecar' | 'ephemeral'

export interface Container {
  readonly subject: Subject
  readonly name: string | undefined
  readonly role: ContainerRole
  readonly fields: Fields
  readonly context: Fields | undefined
  readonly privileged: boolean
}

export interface Pod {
  readonly subject: Subject
  readonly spec: Fields
  readonly context: Fields | undefined
  readonly containers: readonly Container[]
  /** `os`: the API server knows and refuses what is for Linux. `selector`: only the scheduler does. */
  readonly windows: 'os' | 'selector' | undefined
}

const LISTS = [
  ['initContainers', 'init'],
  ['containers', 'container'],
  ['ephemeralContainers', 'ephemeral'],
] as const

export function readPod(workload: Workload, findings: ManifestFindings): Pod | undefined {
  const subject: Subject = { object: describeObject(workload), document: workload.document }
  const at = descend(workload.template, 'spec')
  if (!isMapAt(at)) {
    const message = 'there is no spec of a pod: it is refused'
    findings.report('wrong-type', subject, at ?? workload.template, message)
    return undefined
  }
  const spec = new Fields(at, POD_SPEC, subject, findings)
  const contextAt = spec.map('securityContext')
  const context = contextAt && new Fields(contextAt, POD_SECURITY_CONTEXT, subject, findings)
  const containers = LISTS.flatMap(([list, role]) =>
    (spec.list(list) ?? []).flatMap((item) => {
      if (isMapAt(item)) return [readContainer(item, role, subject, findings)]
      findings.report('wrong-type', subject, item, 'expected a container')
      return []
    }),
  )
  if (spec.get('containers') === undefined) {
    findings.report('wrong-type', subject, at, "there are no 'containers': it is refused")
  }
  return { subject, spec, context, containers, windows: windowsOf(at) }
}

function readContainer(
  at: At<MapNode>,
  list: ContainerRole,
  pod: Subject,
  findings: ManifestFindings,
): Container {
  const name = textOf(descend(at, 'name')?.node)
  const subject: Subject = { ...pod, container: name === undefined ? '' : printable(name) }
  const fields = new Fields(at, CONTAINER, subject, findings)
  const contextAt = fields.map('securityContext')
  const context = contextAt && new Fields(contextAt, CONTAINER_SECURITY_CONTEXT, subject, findings)
  const restarts = textOf(fields.get('restartPolicy')?.node) === 'Always'
  const role = list === 'init' && restarts ? 'sidecar' : list
  // Whoever writes `yes` or "true" means it, and some readers take it so.
  const given = context?.get('privileged')?.node
  const privileged =
    given !== undefined && !(given.kind === 'boolean' && !given.value) && !isNo(given)
  return { subject, name, role, fields, context, privileged }
}

const isNo = (node: At['node']): boolean =>
  node.kind === 'string' && /^(n|no|off|false)$/i.test(node.value)

function windowsOf(spec: At): Pod['windows'] {
  if (textOf(descend(spec, 'os', 'name')?.node) === 'windows') return 'os'
  const selected = descend(spec, 'nodeSelector', 'kubernetes.io/os')
  return textOf(selected?.node) === 'windows' ? 'selector' : undefined
}

/** `container 'web'`, `the pod` */
export const describeContainer = ({ name, role }: Container): string => {
  const what = role === 'container' ? 'container' : `${role} container`
  return name === undefined ? `a ${what} without a name` : `${what} ${quote(name)}`
}
