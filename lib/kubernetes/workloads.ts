/** Objects of Kubernetes → the pods they make. */
import type { MapNode, TreeNode } from '../profiles/tree'
import { memberPath, quote } from '../profiles/tree'
import type { At } from '../profiles/reading'
import { descend, isMapAt, itemsOf, textOf, valueOf } from './fields'
import type { ManifestDocument, Manifests } from './parse'

export interface KubernetesObject {
  readonly kind: string
  /** Undefined where the API server is to make one up (`generateName`). */
  readonly name: string | undefined
  readonly namespace: string | undefined
  readonly document: number
  readonly at: At<MapNode>
}

/** An object that makes pods, and of what. */
export interface Workload extends KubernetesObject {
  /** The pod itself, or the template: what has `metadata` and `spec` of the pod. */
  readonly template: At<MapNode>
}

/** Where each kind has its pod template. */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['Pod', []],
  ['PodTemplate', ['template']],
  ...['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'ReplicationController', 'Job'].map(
    (kind) => [kind, ['spec', 'template']] as const,
  ),
  ['CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
])

/** Every object of the text, lists taken apart. @throws ManifestError ERR_MANIFEST_OBJECT */
export const objectsIn = (manifests: Manifests): KubernetesObject[] =>
  manifests.documents.flatMap((document) =>
    objectsOf(manifests, document, { node: document.root, path: '$' }),
  )

function objectsOf(manifests: Manifests, document: ManifestDocument, at: At): KubernetesObject[] {
  const kind = textOf(valueOf(at.node, 'kind'))
  if (!isMapAt(at) || kind === undefined || valueOf(at.node, 'apiVersion') === undefined) {
    throw manifests.lines.error('ERR_PROFILE_DIALECT', at.node.offset, {
      problem: "is no object of Kubernetes: it has no 'apiVersion' and 'kind'",
      path: at.path,
    })
  }
  const items = descend(at, 'items')
  if (kind.endsWith('List') && items?.node.kind === 'list') {
    return itemsOf(items).flatMap((item) => objectsOf(manifests, document, item))
  }
  const name = textOf(descend(at, 'metadata', 'name')?.node)
  const namespace = textOf(descend(at, 'metadata', 'namespace')?.node)
  return [{ kind, name, namespace, document: document.number, at }]
}

/** Undefined for an object that makes no pods. */
export function workloadOf(object: KubernetesObject): Workload | undefined {
  const { at, kind } = object
  const known = TEMPLATES.get(kind)
  if (known !== undefined) {
    const template = descend(at, ...known)
    // Without one it is refused: it stands for itself, and what is missing is reported.
    return { ...object, template: isMapAt(template) ? template : at }
  }
  // Custom resources that make pods (Rollout, DeploymentConfig, Knative's Service) have what Deployments have.
  const path = [['spec', 'template'], []].find((keys) => {
    const containers = descend(at, ...keys, 'spec', 'containers')
    return containers?.node.kind === 'list'
  })
  const template = path === undefined ? undefined : descend(at, ...path)
  return isMapAt(template) ? { ...object, template } : undefined
}

/** `Deployment shop/web` */
export function describeObject({ kind, name, namespace }: KubernetesObject): string {
  const place = namespace === undefined ? '' : `${printable(namespace)}/`
  return `${printable(kind)} ${place}${printable(name ?? '(no name)')}`
}

export const printable = (text: string): string => quote(text).slice(1, -1)

/** `metadata.annotations` of an object or a template. */
export const annotationsOf = (at: At<MapNode>): At<MapNode> | undefined => {
  const annotations = descend(at, 'metadata', 'annotations')
  return isMapAt(annotations) ? annotations : undefined
}

/** The keys under `data` and `binaryData` of the ConfigMaps of a text. */
export function configMapsIn(
  objects: readonly KubernetesObject[],
): { readonly name: string; readonly keys: readonly string[] }[] {
  return objects.flatMap(({ kind, name, at }) => {
    if (kind !== 'ConfigMap' || name === undefined) return []
    return [{ name, keys: [...keysOf(at.node, 'data'), ...keysOf(at.node, 'binaryData')] }]
  })
}

function keysOf(node: TreeNode, key: string): string[] {
  const value = valueOf(node, key)
  return value?.kind === 'map' ? value.members.map((member) => member.key) : []
}

/** A pod's volumes, each with what it is of. */
export function volumesOf(spec: At | undefined): {
  readonly at: At
  readonly type: string
  readonly source: At
}[] {
  return itemsOf(descend(spec, 'volumes')).flatMap((at) => {
    if (!isMapAt(at)) return []
    return at.node.members.flatMap((member) => {
      if (member.key === 'name' || member.value.kind === 'null') return []
      const path = memberPath(at.path, member.key)
      return [{ at, type: member.key, source: { node: member.value, path } }]
    })
  })
}
