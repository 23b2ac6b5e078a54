/**
 * Which profiles each container runs under: its own field before the pod's; an annotation where there is no
 * field and the cluster still reads it; and what nothing at all comes to.
 */
import type { At } from '../profiles/reading'
import { quote } from '../profiles/tree'
import type { Annotation, NamedProfile } from './annotations'
import type { ManifestFindings, Overrides, Subject } from './findings'
import { SINCE, type Cluster } from './options'
import { describeContainer, type Container, type Pod } from './pod'
import { readAppArmorField, readSeccompField, type ProfileField } from './profile-fields'
import type { ManifestRule } from './rules'

export type ProfileSource =
  /** Its own field. */
  | 'container'
  /** The pod's. */
  | 'pod'
  | 'container-annotation'
  | 'pod-annotation'
  /** The kubelet's `seccompDefault`. */
  | 'kubelet'
  /** The container is privileged: no profile is applied. */
  | 'privileged'
  /** Nothing says anything. */
  | 'unset'

export interface EffectiveProfile {
  /** `Refused`: no such container is made. `None`: there is no such thing on Windows. */
  readonly type: NamedProfile['type'] | 'Refused' | 'None'
  readonly localhostProfile?: string
  readonly source: ProfileSource
  /** seccomp that is unset: RuntimeDefault on nodes whose kubelet has `seccompDefault`, which is not known. */
  readonly unlessSeccompDefault?: true
}

/** What decides, and where it stands. */
interface Decision {
  readonly profile: NamedProfile | undefined
  readonly source: ProfileSource
  readonly at: At
}

export interface PodProfiles {
  readonly seccomp: ReadonlyMap<Container, EffectiveProfile>
  readonly appArmor: ReadonlyMap<Container, EffectiveProfile>
  /** Where a seccomp profile of type Localhost is named, once for each place. */
  readonly localhost: readonly {
    readonly subject: Subject
    readonly at: At
    readonly path: string
  }[]
}

const keyOf = (about: Annotation['about'], container: string | undefined): string =>
  `${about}${container === undefined ? '' : `/${container}`}`

export class ProfileResolution {
  readonly #pod: Pod
  readonly #annotations: ReadonlyMap<string, Annotation>
  readonly #cluster: Cluster
  readonly #findings: ManifestFindings
  readonly #localhost: { subject: Subject; at: At; path: string }[] = []
  /** One finding for each place, and not one for each container that it is for. */
  readonly #reported = new Set<string>()

  constructor(
    pod: Pod,
    annotations: readonly Annotation[],
    cluster: Cluster,
    findings: ManifestFindings,
  ) {
    this.#pod = pod
    this.#annotations = new Map(
      annotations.map((annotation) => [keyOf(annotation.about, annotation.container), annotation]),
    )
    this.#cluster = cluster
    this.#findings = findings
  }

  resolve(): PodProfiles {
    const seccomp = this.#seccomp()
    const appArmor = this.#appArmor()
    return { seccomp, appArmor, localhost: this.#localhost }
  }

  #once(rule: ManifestRule, subject: Subject, at: At, message: string, more?: Overrides): void {
    const key = `${rule} ${at.node.offset} ${at.path}`
    if (this.#reported.has(key)) return
    this.#reported.add(key)
    this.#findings.report(rule, subject, at, message, more)
  }

  /** A field of this cluster's API, or undefined where it is dropped. */
  #field(
    field: ProfileField | undefined,
    name: string,
    since: number,
    subject: Subject,
  ): ProfileField | undefined {
    if (field === undefined || this.#cluster.minor >= since) return field
    const message = `there is no '${name}' before Kubernetes 1.${since}: it is dropped`
    this.#once('field-too-new', subject, field.at, message)
    return undefined
  }

  #annotation(about: Annotation['about'], container: string | undefined): Annotation | undefined {
    return this.#annotations.get(keyOf(about, container))
  }

  #seccomp(): Map<Container, EffectiveProfile> {
    const { subject, context } = this.#pod
    const findings = this.#findings
    const since = SINCE.seccompFields
    const read = readSeccompField(context, subject, findings)
    const podField = this.#field(read, 'seccompProfile', since, subject)
    const podDecision = this.#seccompDecision('pod', podField, undefined, subject)
    return new Map(
      this.#pod.containers.map((container) => {
        const own = readSeccompField(container.context, container.subject, findings)
        const field = this.#field(own, 'seccompProfile', since, container.subject)
        const decision =
          this.#seccompDecision('container', field, container.name, container.subject) ??
          podDecision
        return [container, this.#effectiveSeccomp(container, decision)]
      }),
    )
  }

  #seccompDecision(
    source: 'pod' | 'container',
    field: ProfileField | undefined,
    container: string | undefined,
    subject: Subject,
  ): Decision | undefined {
    if (field !== undefined) {
      const { profile, path } = field
      if (profile?.type === 'Localhost' && profile.localhostProfile !== undefined && path) {
        this.#localhost.push({ subject, at: path, path: profile.localhostProfile })
      }
      return { profile, source, at: field.at }
    }
    if (source === 'container' && container === undefined) return undefined
    const annotation = this.#annotation('seccomp', container)
    if (annotation === undefined || this.#cluster.minor >= SINCE.seccompAnnotationsIgnored) {
      return undefined
    }
    const path = annotation.profile?.localhostProfile
    if (path !== undefined) this.#localhost.push({ subject, at: annotation.at, path })
    return { profile: annotation.profile, source: `${source}-annotation`, at: annotation.at }
  }

  #effectiveSeccomp(container: Container, decision: Decision | undefined): EffectiveProfile {
    if (this.#pod.windows !== undefined) return { type: 'None', source: 'unset' }
    if (container.privileged) {
      if (decision?.profile !== undefined && decision.profile.type !== 'Unconfined') {
        const message = `${describeContainer(container)} is privileged: no profile is applied to it`
        this.#findings.report('seccomp-privileged', container.subject, decision.at, message)
      }
      return { type: 'Unconfined', source: 'privileged' }
    }
    if (decision === undefined) return this.#unset(container)
    const { profile, source, at } = decision
    if (profile === undefined) return { type: 'Refused', source }
    if (profile.type === 'Unconfined') {
      const message = 'no seccomp profile: every system call reaches the kernel'
      const subject = source.startsWith('pod') ? this.#pod.subject : container.subject
      this.#once('seccomp-unconfined', subject, at, message)
    }
    return { ...profile, source }
  }

  #unset(container: Container): EffectiveProfile {
    const { seccompDefault, minor } = this.#cluster
    const who = `${describeContainer(container)} has no seccomp profile`
    const { subject, fields } = container
    if (seccompDefault === true) {
      const message = `${who} of its own: RuntimeDefault, as long as every kubelet has seccompDefault`
      this.#findings.report('seccomp-unset', subject, fields.at, message, { severity: 'info' })
      return { type: 'RuntimeDefault', source: 'kubelet' }
    }
    const known = seccompDefault === false || minor < SINCE.seccompDefault
    const message = known
      ? `${who}: it runs Unconfined`
      : `${who}: it runs Unconfined where the kubelet has no seccompDefault, which is off by default`
    this.#findings.report('seccomp-unset', subject, fields.at, message)
    const unless = known ? {} : { unlessSeccompDefault: true as const }
    return { type: 'Unconfined', source: 'unset', ...unless }
  }

  #appArmor(): Map<Container, EffectiveProfile> {
    const { subject, context } = this.#pod
    const since = SINCE.appArmorFields
    const read = readAppArmorField(context, subject, this.#findings)
    const podField = this.#field(read, 'appArmorProfile', since, subject)
    return new Map(
      this.#pod.containers.map((container) => {
        const own = readAppArmorField(container.context, container.subject, this.#findings)
        const field = this.#field(own, 'appArmorProfile', since, container.subject)
        return [container, this.#effectiveAppArmor(container, field, podField)]
      }),
    )
  }

  #effectiveAppArmor(
    container: Container,
    own: ProfileField | undefined,
    pod: ProfileField | undefined,
  ): EffectiveProfile {
    if (this.#pod.windows !== undefined) return { type: 'None', source: 'unset' }
    // KEP-24: an ephemeral container has no annotation.
    const named = container.name !== undefined && container.role !== 'ephemeral'
    const annotation = named ? this.#annotation('appArmor', container.name) : undefined
    const decisions: (Decision | undefined)[] = [
      own && { profile: own.profile, source: 'container', at: own.at },
      annotation && { ...annotation, source: 'container-annotation' },
      pod && { profile: pod.profile, source: 'pod', at: pod.at },
    ]
    const decision = decisions.find((candidate) => candidate !== undefined)
    if (decision === undefined) {
      return container.privileged
        ? { type: 'Unconfined', source: 'privileged' }
        : { type: 'RuntimeDefault', source: 'unset' }
    }
    const { profile, source, at } = decision
    if (profile === undefined) return { type: 'Refused', source }
    if (profile.type === 'Unconfined') {
      const message = 'no AppArmor profile, not even that of the runtime'
      const subject = source === 'pod' ? this.#pod.subject : container.subject
      this.#once('apparmor-unconfined', subject, at, message)
    }
    return { ...profile, source }
  }
}

/** `Localhost 'web.json'` */
export const describeProfile = ({ type, localhostProfile }: NamedProfile): string =>
  localhostProfile === undefined ? type : `${type} ${quote(localhostProfile)}`
