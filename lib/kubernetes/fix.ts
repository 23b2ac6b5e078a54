/** What can be written into manifests without asking: in place, with all else as it was. */
import { PolicyError } from '../errors'
import { describeValue, readFields, readList, reading, refuseUnknownKeys } from '../policy/snapshot'
import { quote, type ListNode, type MapNode, type Member } from '../profiles/tree'
import type { At } from '../profiles/reading'
import { isDescending, readAnnotations } from './annotations'
import { checkManifests } from './check'
import { Edits, type Plain } from './edits'
import { descend, isMapAt, itemsOf, memberOf, textOf, valueOf, type Fields } from './fields'
import { ManifestFindings, type ManifestFinding, type Subject } from './findings'
import { clusterOf, SINCE, type Cluster, type ClusterOptions } from './options'
import { parseManifests, type Manifests } from './parse'
import { readPod, type Container, type Pod } from './pod'
import { restricts, type Above } from './restricting'
import type { ManifestRule } from './rules'
import {
  CONTAINER,
  CONTAINER_SECURITY_CONTEXT,
  POD_SECURITY_CONTEXT,
  POD_SPEC,
  SECCOMP_PROFILE,
  type Shape,
} from './shapes'
import { annotationsOf, objectsIn, workloadOf, type Workload } from './workloads'

/** What is fixed only when it is named: it can keep a program from working. */
export const FIXED_IF_NAMED = [
  'seccomp-unconfined',
  'privilege-escalation',
  'run-as-non-root',
  'read-only-root-filesystem',
  'capabilities-drop',
] as const

export type NamedFix = (typeof FIXED_IF_NAMED)[number]

export interface FixOptions extends ClusterOptions {
  /**
   * The profile to set, as a path below the kubelet's seccomp folder, instead of RuntimeDefault: where nothing
   * is set, and in the place of RuntimeDefault.
   */
  readonly localhostProfile?: string
  /** Rules to fix besides. */
  readonly also?: readonly NamedFix[]
}

/** An edit that was made. */
export interface ManifestChange extends Subject {
  readonly rule: ManifestRule
  /** Where, in the text as it was given. */
  readonly path: string
  readonly line: number
  readonly message: string
}

export interface FixResult {
  /** The same text where nothing was to be done. */
  readonly text: string
  readonly changes: readonly ManifestChange[]
  /**
   * Keys and types that are wrong only in case and stay so, and why: in force, they could permit more. Where, in
   * the new text.
   */
  readonly left: readonly ManifestChange[]
  /** What `checkManifests` finds in the new text: what is only suggested is among it. */
  readonly findings: readonly ManifestFinding[]
}

interface Options {
  readonly cluster: Cluster
  readonly localhostProfile: string | undefined
  readonly also: ReadonlySet<string>
}

/**
 * Fixes manifests in place. Comments, order and formatting stay; a second run changes nothing. Set are
 * RuntimeDefault (or the named profile) where no container of a pod has a seccomp profile of its own, and
 * `allowPrivilegeEscalation: false` where nothing is said; keys and types that differ from the right ones only
 * in case are corrected where that restricts, and are in `left` where it could permit more. What could keep a program from working is done only when it is named in `also`.
 *
 * Text that an alias stands for is left alone.
 *
 * @throws ManifestError ERR_MANIFEST_SYNTAX, ERR_MANIFEST_LIMIT, ERR_MANIFEST_OBJECT, ERR_MANIFEST_EDIT
 * @throws PolicyError for a mistake in the options
 */
export function fixManifests(text: string | Uint8Array, options?: FixOptions): FixResult {
  const parsed = parseOptions(options)
  const manifests = parseManifests(text)
  const spelling = new Fixer(manifests, parsed)
  spelling.spell()
  // What a misspelt key says counts once it is spelt right.
  const spelt = parseManifests(spelling.edits.apply())
  const hardening = new Fixer(spelt, parsed)
  hardening.harden()
  const fixed = hardening.edits.apply()
  const rest = new Fixer(parseManifests(fixed), parsed)
  rest.spell()
  const { clusterVersion, seccompDefault } = options ?? {}
  const { findings } = checkManifests(fixed, {
    ...(clusterVersion === undefined ? {} : { clusterVersion }),
    ...(seccompDefault === undefined ? {} : { seccompDefault }),
  })
  const changes = [...spelling.changes, ...hardening.changes]
  return { text: fixed, changes, left: rest.left, findings }
}

/** @throws PolicyError ERR_OPTION, ERR_UNKNOWN_KEY, ERR_POLICY_SHAPE */
function parseOptions(input: unknown): Options {
  return reading('options', () => {
    const fields = readFields(input ?? {}, 'options', 'an object')
    const known = ['clusterVersion', 'seccompDefault', 'localhostProfile', 'also']
    refuseUnknownKeys(fields, known, 'options', 'fixManifests')
    const also = readList(fields.get('also') ?? [], 'options.also', 'a list', known.length * 8)
    also.forEach((rule, index) => {
      if ((FIXED_IF_NAMED as readonly unknown[]).includes(rule)) return
      throw new PolicyError('ERR_OPTION', {
        path: `options.also[${index}]`,
        problem: `${describeValue(rule)} is no rule that is fixed when it is named`,
        hint: `Those are ${FIXED_IF_NAMED.join(', ')}.`,
      })
    })
    const localhostProfile = fields.get('localhostProfile')
    if (localhostProfile === undefined || isProfilePath(localhostProfile)) {
      return { cluster: clusterOf(fields), localhostProfile, also: new Set(also as string[]) }
    }
    throw new PolicyError('ERR_OPTION', {
      path: 'options.localhostProfile',
      problem: `expected a path below the kubelet's seccomp folder, got ${describeValue(localhostProfile)}`,
    })
  })
}

const isProfilePath = (value: unknown): value is string =>
  typeof value === 'string' && isDescending(value)

class Fixer {
  readonly edits: Edits
  readonly changes: ManifestChange[] = []
  readonly left: ManifestChange[] = []
  readonly #manifests: Manifests
  readonly #options: Options
  readonly #pods: readonly { readonly workload: Workload; readonly pod: Pod }[]

  constructor(manifests: Manifests, options: Options) {
    this.#manifests = manifests
    this.#options = options
    this.edits = new Edits(manifests)
    const unused = new ManifestFindings(manifests.lines)
    this.#pods = objectsIn(manifests).flatMap((object) => {
      const workload = workloadOf(object)
      const pod = workload && readPod(workload, unused)
      return workload === undefined || pod === undefined ? [] : [{ workload, pod }]
    })
  }

  #changed(rule: ManifestRule, subject: Subject, at: At, message: string): void {
    this.changes.push(this.#note(rule, subject, at, message))
  }

  #note(rule: ManifestRule, subject: Subject, at: At, message: string): ManifestChange {
    const { path, line } = this.#manifests.lines.place(at.node.offset, at.path)
    return { rule, ...subject, path, line, message }
  }

  /** Keys and types that are right but for their case, where that restricts. */
  spell(): void {
    for (const { workload, pod } of this.#pods) {
      const annotations = readAnnotations(annotationsOf(workload.template))
      const annotated = new Set(annotations.map(({ about }) => `${about}Profile`))
      const ofPod = { context: undefined, annotated }
      this.#spellKeys(pod.spec.at, POD_SPEC, pod.subject, ofPod)
      this.#spellContext(pod.spec.at, POD_SECURITY_CONTEXT, pod.subject, ofPod)
      const ofContainer = { context: pod.context?.at, annotated }
      for (const { fields, subject } of pod.containers) {
        this.#spellKeys(fields.at, CONTAINER, subject, ofContainer)
        this.#spellContext(fields.at, CONTAINER_SECURITY_CONTEXT, subject, ofContainer)
      }
    }
  }

  #spellContext(parent: At<MapNode>, shape: Shape, subject: Subject, above: Above): void {
    const context = inForce(parent, 'securityContext', above)
    if (context === undefined) return
    this.#spellKeys(context, shape, subject, above)
    for (const key of ['seccompProfile', 'appArmorProfile'] as const) {
      const profile = inForce(context, key, above)
      if (profile === undefined) continue
      this.#spellKeys(profile, SECCOMP_PROFILE, subject, above)
      this.#spellType(
        profile,
        key === 'seccompProfile' ? 'seccomp-type' : 'apparmor-profile',
        subject,
      )
    }
  }

  #spellKeys(at: At<MapNode>, { known }: Shape, subject: Subject, above: Above): void {
    for (const member of at.node.members) {
      const right = known.find((key) => key.toLowerCase() === member.key.toLowerCase())
      if (right === undefined || right === member.key) continue
      const where = { node: { ...member.value, offset: member.offset }, path: at.path }
      if (!restricts(right, member.value, above)) {
        this.left.push(this.#note('unknown-key', subject, where, ignored(member.key, right)))
        continue
      }
      if (sameKey(at.node, right).length > 1 || !this.edits.canEdit(at.node)) continue
      this.edits.rename(member, right)
      this.#changed('unknown-key', subject, where, `${quote(member.key)} is '${right}'`)
    }
  }

  #spellType(profile: At<MapNode>, rule: ManifestRule, subject: Subject): void {
    const type = anyCaseMember(profile.node, 'type')?.value
    const written = textOf(type)
    const right = ['RuntimeDefault', 'Localhost', 'Unconfined'].find(
      (known) => known.toLowerCase() === written?.toLowerCase(),
    )
    if (type === undefined || written === undefined) return
    if (right === undefined || right === written) return
    const at = { node: type, path: `${profile.path}.type` }
    if (right === 'Unconfined') {
      const message = `${quote(written)} is left: the API server refuses it as it is written, and as '${right}' it would permit everything`
      this.left.push(this.#note(rule, subject, at, message))
      return
    }
    if (!this.edits.canEdit(type)) return
    this.edits.replace(at, right)
    this.#changed(rule, subject, at, `${quote(written)} is '${right}'`)
  }

  harden(): void {
    for (const { workload, pod } of this.#pods) {
      if (pod.windows !== undefined) continue
      this.#seccomp(workload, pod)
      for (const container of pod.containers) this.#container(container)
      if (this.#options.also.has('run-as-non-root')) this.#nonRoot(pod)
    }
  }

  /** A member of the securityContext, which is made where there is none. */
  #set(
    parent: At<MapNode>,
    context: Fields | undefined,
    key: string,
    value: Plain,
    change: { readonly rule: ManifestRule; readonly subject: Subject },
  ): void {
    const given = valueOf(parent.node, 'securityContext')
    if (context === undefined && given !== undefined && given.kind !== 'null') return
    const target = context?.at ?? parent
    if (!this.edits.canEdit(target.node)) return
    if (context !== undefined) this.edits.add(target, key, value)
    else this.edits.add(parent, 'securityContext', { [key]: value })
    const { rule, subject } = change
    this.#changed(rule, subject, target, `securityContext.${key} is set`)
  }

  get #profile(): Plain {
    const { localhostProfile } = this.#options
    if (localhostProfile === undefined) return { type: 'RuntimeDefault' }
    return { type: 'Localhost', localhostProfile }
  }

  #seccomp(workload: Workload, pod: Pod): void {
    const { cluster } = this.#options
    // Fields are dropped there; and what an annotation says is for `migrateManifests`.
    if (cluster.minor < SINCE.seccompFields) return
    const annotations = readAnnotations(annotationsOf(workload.template))
    if (annotations.some(({ about }) => about === 'seccomp')) return
    this.#change(pod.context, pod.subject)
    for (const container of pod.containers) {
      if (!container.privileged) this.#change(container.context, container.subject)
    }
    const unset = (fields: Fields | undefined): boolean =>
      fields?.get('seccompProfile') === undefined
    const bare = pod.containers.some(
      (container) => !container.privileged && unset(container.context),
    )
    if (!bare || !unset(pod.context)) return
    const change = { rule: 'seccomp-unset', subject: pod.subject } as const
    this.#set(pod.spec.at, pod.context, 'seccompProfile', this.#profile, change)
  }

  /** A profile that is set and is to be another one. */
  #change(context: Fields | undefined, subject: Subject): void {
    const { localhostProfile, also } = this.#options
    const field = context?.get('seccompProfile')
    const type = textOf(descend(field, 'type')?.node)
    const named = type === 'RuntimeDefault' && localhostProfile !== undefined
    // In the wrong case it is not respelt, but may be replaced.
    const unconfined = type?.toLowerCase() === 'unconfined' && also.has('seccomp-unconfined')
    if (field === undefined || !(named || unconfined)) return
    if (descend(field, 'localhostProfile') !== undefined || !this.#editable(field)) return
    const at = descend(field, 'type')
    if (at === undefined || !isMapAt(field)) return
    this.edits.replace(at, localhostProfile === undefined ? 'RuntimeDefault' : 'Localhost')
    if (localhostProfile !== undefined) this.edits.add(field, 'localhostProfile', localhostProfile)
    const rule = unconfined ? 'seccomp-unconfined' : 'seccomp-unset'
    this.#changed(rule, subject, field, `${type} is ${localhostProfile ?? 'RuntimeDefault'}`)
  }

  #editable = (at: At): boolean =>
    this.edits.canEdit(at.node) &&
    (!isMapAt(at) || at.node.members.every(({ value }) => this.edits.canEdit(value)))

  #container(container: Container): void {
    const { context, fields, subject, privileged } = container
    const { also } = this.#options
    this.#escalation(container)
    const set = (rule: NamedFix, key: string, value: Plain): void => {
      if (!also.has(rule)) return
      const given = context?.get(key)
      if (given === undefined) this.#set(fields.at, context, key, value, { rule, subject })
      else if (given.node.kind === 'boolean' && !given.node.value) {
        this.#replace(given, value, { rule, subject })
      }
    }
    set('read-only-root-filesystem', 'readOnlyRootFilesystem', true)
    if (!privileged && also.has('capabilities-drop')) this.#dropAll(container)
  }

  #replace(
    at: At,
    value: Plain,
    { rule, subject }: { rule: ManifestRule; subject: Subject },
  ): void {
    if (!this.edits.canEdit(at.node)) return
    this.edits.replace(at, value)
    this.#changed(rule, subject, at, `it is ${JSON.stringify(value)}`)
  }

  #escalation({ context, fields, subject, privileged }: Container): void {
    const added = itemsOf(descend(context?.get('capabilities'), 'add')).map(({ node }) =>
      textOf(node),
    )
    // Together they are refused.
    if (privileged || added.some((name) => /^(CAP_)?(SYS_ADMIN|ALL)$/i.test(name ?? ''))) return
    const given = context?.get('allowPrivilegeEscalation')
    const change = { rule: 'privilege-escalation', subject } as const
    if (given === undefined) {
      this.#set(fields.at, context, 'allowPrivilegeEscalation', false, change)
    } else if (
      this.#options.also.has('privilege-escalation') &&
      given.node.kind === 'boolean' &&
      given.node.value
    ) {
      this.#replace(given, false, change)
    }
  }

  #dropAll({ context, fields, subject }: Container): void {
    const change = { rule: 'capabilities-drop', subject } as const
    const capabilities = context?.get('capabilities')
    if (capabilities === undefined) {
      this.#set(fields.at, context, 'capabilities', { drop: ['ALL'] }, change)
      return
    }
    if (!isMapAt(capabilities)) return
    const drop = descend(capabilities, 'drop')
    if (itemsOf(drop).some(({ node }) => textOf(node) === 'ALL')) return
    if (!this.edits.canEdit(capabilities.node)) return
    if (drop === undefined || drop.node.kind === 'null') {
      this.edits.add(capabilities, 'drop', ['ALL'])
    } else if (isListAt(drop) && this.edits.canEdit(drop.node)) this.edits.prepend(drop, 'ALL')
    else return
    this.#changed('capabilities-drop', subject, capabilities, 'all capabilities are dropped')
  }

  #nonRoot({ spec, context, containers, subject }: Pod): void {
    const root = (fields: Fields | undefined): boolean => {
      const user = fields?.get('runAsUser')?.node
      return user?.kind === 'number' && user.value === 0n
    }
    // With user 0 nothing would start.
    if (root(context) || containers.some((container) => root(container.context))) return
    const rule = 'run-as-non-root'
    const given = context?.get('runAsNonRoot')
    if (given === undefined) {
      this.#set(spec.at, context, 'runAsNonRoot', true, { rule, subject })
    } else if (given.node.kind === 'boolean' && !given.node.value) {
      this.#replace(given, true, { rule, subject })
    }
    for (const container of containers) {
      const own = container.context?.get('runAsNonRoot')
      if (own?.node.kind === 'boolean' && !own.node.value) {
        this.#replace(own, true, { rule, subject: container.subject })
      }
    }
  }
}

const isListAt = (at: At): at is At<ListNode> => at.node.kind === 'list'

const sameKey = (node: MapNode, key: string): Member[] =>
  node.members.filter((member) => member.key.toLowerCase() === key.toLowerCase())

/** The one member of that key in any case. */
function anyCaseMember(node: MapNode, key: string): Member | undefined {
  const [only, ...more] = sameKey(node, key)
  return more.length === 0 ? only : memberOf(node, key)
}

/** The object under that key: one that is misspelt counts where it is to be spelt right. */
function inForce(at: At<MapNode>, key: string, above: Above): At<MapNode> | undefined {
  const member = anyCaseMember(at.node, key)
  if (member === undefined) return undefined
  if (member.key !== key && !restricts(key, member.value, above)) return undefined
  const found = { node: member.value, path: `${at.path}.${key}` }
  return isMapAt(found) ? found : undefined
}

const ignored = (written: string, right: string): string =>
  `${quote(written)} is left: the API server ignores it as it is written, and as '${right}' it could permit more`
