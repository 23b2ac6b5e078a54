/** Annotations of old → fields. */
import type { MapNode } from '../profiles/tree'
import type { At } from '../profiles/reading'
import { readAnnotations, type Annotation, type NamedProfile } from './annotations'
import { Edits, type Plain } from './edits'
import { describeProfile } from './effective'
import { descend, isMapAt, textOf, valueOf, type Fields } from './fields'
import { ManifestFindings, type Subject } from './findings'
import type { ManifestChange } from './fix'
import { parseManifests, type Manifests } from './parse'
import { readPod, type Pod } from './pod'
import { annotationsOf, objectsIn, workloadOf, type Workload } from './workloads'

export interface MigrateResult {
  /** The same text where there was no annotation to migrate. */
  readonly text: string
  readonly changes: readonly ManifestChange[]
  /** Annotations that stay where they are, and why. */
  readonly left: readonly ManifestChange[]
}

/**
 * Turns the annotations that name profiles of seccomp and AppArmor into fields, and removes them; all else stays
 * as it is, comments too (one on the line of an annotation goes with it). What an annotation says is then in
 * force also where the cluster ignores it: seccomp's, since Kubernetes 1.27.
 *
 * One stays where it has no effect, or a field beside it or, for seccomp, the pod's says something else: `left` says which, and why.
 *
 * @throws ManifestError ERR_MANIFEST_SYNTAX, ERR_MANIFEST_LIMIT, ERR_MANIFEST_OBJECT, ERR_MANIFEST_EDIT
 */
export function migrateManifests(text: string | Uint8Array): MigrateResult {
  const manifests = parseManifests(text)
  const migration = new Migration(manifests)
  const unused = new ManifestFindings(manifests.lines)
  for (const object of objectsIn(manifests)) {
    const workload = workloadOf(object)
    const pod = workload && readPod(workload, unused)
    if (workload !== undefined && pod !== undefined) migration.migrate(workload, pod)
  }
  const { changes, left } = migration
  return { text: migration.edits.apply(), changes, left }
}

/** Where the field of an annotation belongs. */
interface Place {
  readonly subject: Subject
  /** What has the securityContext. */
  readonly parent: At<MapNode>
  readonly context: Fields | undefined
}

class Migration {
  readonly edits: Edits
  readonly changes: ManifestChange[] = []
  readonly left: ManifestChange[] = []
  readonly #manifests: Manifests

  constructor(manifests: Manifests) {
    this.#manifests = manifests
    this.edits = new Edits(manifests)
  }

  migrate(workload: Workload, pod: Pod): void {
    if (workload.template.node !== workload.at.node) {
      for (const annotation of readAnnotations(annotationsOf(workload.at))) {
        this.#leave(annotation, pod.subject, 'has no effect here: it belongs to the pod template')
      }
    }
    const annotations = annotationsOf(workload.template)
    if (annotations === undefined) return
    const places = new Map<string | undefined, Place>([
      [undefined, { subject: pod.subject, parent: pod.spec.at, context: pod.context }],
    ])
    for (const { name, role, subject, fields, context } of pod.containers) {
      // KEP-24: there is no annotation of AppArmor for these.
      if (name !== undefined && role !== 'ephemeral') {
        places.set(name, { subject, parent: fields.at, context })
      }
    }
    for (const annotation of readAnnotations(annotations)) {
      const place = places.get(annotation.container)
      const reason = this.#obstacle(annotation, place, annotations, pod)
      if (reason !== undefined || place === undefined || annotation.profile === undefined) {
        this.#leave(annotation, place?.subject ?? pod.subject, reason ?? 'is for no container')
        continue
      }
      this.#move(annotation, annotation.profile, place, annotations)
    }
    this.#tidy(workload, annotations)
  }

  /** Why an annotation has to stay. */
  #obstacle(
    { about, container, profile }: Annotation,
    place: Place | undefined,
    annotations: At<MapNode>,
    pod: Pod,
  ): string | undefined {
    if (place === undefined) return 'is for a container that there is not'
    if (profile === undefined) return 'is no profile'
    if (pod.windows !== undefined) return 'is for a pod for Windows'
    const context = valueOf(place.parent.node, 'securityContext')
    const target = isMapAt(place.context?.at) ? place.context.at.node : place.parent.node
    const odd = place.context === undefined && context !== undefined && context.kind !== 'null'
    if (odd || !this.edits.canEdit(target) || !this.edits.canEdit(annotations.node)) {
      return 'stands where it cannot be edited alone (an alias, or no object)'
    }
    const field = place.context?.get(`${about}Profile`)
    if (field !== undefined) {
      return this.#same(field, profile) ? undefined : 'is not what the field beside it says'
    }
    if (about === 'appArmor' || container === undefined) return undefined
    return this.#overridden(pod.context?.get('seccompProfile'), profile)
  }

  /** An annotation that is ignored since 1.27 would come before the pod's field, which is in force. */
  #overridden(field: At | undefined, profile: NamedProfile): string | undefined {
    if (field === undefined || this.#same(field, profile)) return undefined
    if (textOf(descend(field, 'type')?.node) === 'Unconfined') return undefined
    return "would override the pod's seccompProfile, which is in force, and could permit more"
  }

  #same(field: At, { type, localhostProfile }: NamedProfile): boolean {
    const named = textOf(descend(field, 'localhostProfile')?.node)
    return textOf(descend(field, 'type')?.node) === type && named === localhostProfile
  }

  #move(
    annotation: Annotation,
    profile: NamedProfile,
    { subject, parent, context }: Place,
    annotations: At<MapNode>,
  ): void {
    const key = `${annotation.about}Profile`
    if (context?.get(key) === undefined) {
      const value: Plain = { ...profile }
      if (context === undefined) this.edits.add(parent, 'securityContext', { [key]: value })
      else this.edits.add(context.at, key, value)
    }
    this.edits.remove(annotations, annotation.member.key)
    const message = `is securityContext.${key}: ${describeProfile(profile)}`
    this.changes.push(this.#note(annotation, subject, message))
  }

  /** Without its last annotation, `annotations` goes too; and `metadata`, if that was all it had. */
  #tidy({ template }: Workload, annotations: At<MapNode>): void {
    const metadata = descend(template, 'metadata')
    if (!this.edits.empties(annotations) || !isMapAt(metadata)) return
    const alone = metadata.node.members.length === 1
    const [from, key] = alone ? [template, 'metadata'] : [metadata, 'annotations']
    if (from.node.members.length === 1 || !this.edits.canEdit(from.node)) return
    this.edits.keep(annotations)
    this.edits.remove(from, key)
  }

  #leave(annotation: Annotation, subject: Subject, why: string): void {
    this.left.push(this.#note(annotation, subject, why))
  }

  #note({ about, member, at }: Annotation, subject: Subject, message: string): ManifestChange {
    const rule = about === 'seccomp' ? 'seccomp-annotation' : 'apparmor-annotation'
    const { path, line } = this.#manifests.lines.place(member.offset, at.path)
    return { rule, ...subject, path, line, message }
  }
}
