/**
 * Profiles in annotations, as they were written before there were fields: seccomp's until 1.19, AppArmor's until
 * 1.30 (KEP-135 and KEP-24 of kubernetes/enhancements).
 */
import type { MapNode, Member } from '../profiles/tree'
import { memberPath } from '../profiles/tree'
import type { At } from '../profiles/reading'

export const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
const APPARMOR_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/'

/** What a field or an annotation asks for. */
export interface NamedProfile {
  readonly type: 'RuntimeDefault' | 'Localhost' | 'Unconfined'
  readonly localhostProfile?: string
}

export interface Annotation {
  readonly about: 'seccomp' | 'appArmor'
  /** Undefined: the pod. */
  readonly container: string | undefined
  readonly member: Member
  readonly at: At
  /** Undefined for a value that the API server refuses. */
  readonly profile: NamedProfile | undefined
}

/** Of several of one name the last, as for every key. */
export function readAnnotations(annotations: At<MapNode> | undefined): Annotation[] {
  const found = new Map<string, Annotation>()
  for (const member of annotations?.node.members ?? []) {
    const named = nameOf(member.key)
    if (named === undefined) continue
    const at = { node: member.value, path: memberPath(annotations?.path ?? '$', member.key) }
    const value = member.value.kind === 'string' ? member.value.value : undefined
    const profile = value === undefined ? undefined : profileOf(named.about, value)
    found.set(member.key, { ...named, member, at, profile })
  }
  return [...found.values()]
}

function nameOf(key: string): Pick<Annotation, 'about' | 'container'> | undefined {
  if (key === SECCOMP_POD) return { about: 'seccomp', container: undefined }
  if (key.startsWith(SECCOMP_CONTAINER)) {
    return { about: 'seccomp', container: key.slice(SECCOMP_CONTAINER.length) }
  }
  if (key.startsWith(APPARMOR_CONTAINER)) {
    return { about: 'appArmor', container: key.slice(APPARMOR_CONTAINER.length) }
  }
  return undefined
}

function profileOf(about: Annotation['about'], value: string): NamedProfile | undefined {
  if (value === 'runtime/default') return { type: 'RuntimeDefault' }
  if (value === 'docker/default' && about === 'seccomp') return { type: 'RuntimeDefault' }
  // KEP-24: an empty annotation is the runtime's default.
  if (value === '' && about === 'appArmor') return { type: 'RuntimeDefault' }
  if (value === 'unconfined') return { type: 'Unconfined' }
  const localhostProfile = /^localhost\/(.+)$/s.exec(value)?.[1]
  if (localhostProfile === undefined) return undefined
  if (about === 'seccomp' && !isDescending(localhostProfile)) return undefined
  return { type: 'Localhost', localhostProfile }
}

/** What the API server takes for a path below the kubelet's seccomp folder. */
export const isDescending = (path: string): boolean =>
  path !== '' && !path.startsWith('/') && !path.split('/').includes('..')
