/**
 * The keys of an object, as kubectl and the API server take them: the last of several, in its exact spelling.
 * Whatever they would drop or refuse is a finding.
 */
import {
  describeNode,
  memberPath,
  quote,
  type MapNode,
  type Member,
  type TreeNode,
} from '../profiles/tree'
import type { At } from '../profiles/reading'
import { memberAt, type ManifestFindings, type Subject } from './findings'
import type { Shape } from './shapes'

/** Of a map that nobody reports about: the last value of that key. */
export function valueOf(node: TreeNode | undefined, key: string): TreeNode | undefined {
  return memberOf(node, key)?.value
}

export function memberOf(node: TreeNode | undefined, key: string): Member | undefined {
  return node?.kind === 'map' ? node.members.findLast((member) => member.key === key) : undefined
}

export const textOf = (node: TreeNode | undefined): string | undefined =>
  node?.kind === 'string' ? node.value : undefined

/** A value and the way to it, by keys. */
export function descend(at: At | undefined, ...keys: readonly string[]): At | undefined {
  let current = at
  for (const key of keys) {
    const value = valueOf(current?.node, key)
    if (current === undefined || value === undefined) return undefined
    current = { node: value, path: memberPath(current.path, key) }
  }
  return current
}

export const isMapAt = (at: At | undefined): at is At<MapNode> => at?.node.kind === 'map'

export const itemsOf = (at: At | undefined): At[] =>
  at?.node.kind === 'list'
    ? at.node.items.map((node, index) => ({ node, path: `${at.path}[${index}]` }))
    : []

/** Words that are true or false where YAML 1.1 is read, as kubectl does. */
const OLD_BOOLEAN = /^(y|yes|on|n|no|off)$/i

/** Reads the object once, with a finding for each key that does not fit. */
export class Fields {
  readonly at: At<MapNode>
  readonly #subject: Subject
  readonly #findings: ManifestFindings
  readonly #values = new Map<string, At>()

  constructor(at: At<MapNode>, shape: Shape, subject: Subject, findings: ManifestFindings) {
    this.at = at
    this.#subject = subject
    this.#findings = findings
    for (const member of at.node.members) {
      const where = memberAt(at.path, member)
      if (!shape.known.includes(member.key)) this.#unknown(member, shape)
      if (this.#values.has(member.key)) {
        const message = `'${member.key}' is there twice: the last counts, where it is taken at all`
        findings.reportKey('duplicate-key', subject, where, message)
      }
      this.#values.set(member.key, { node: member.value, path: where.path })
    }
  }

  #unknown(member: Member, shape: Shape): void {
    const { key } = member
    const where = memberAt(this.at.path, member)
    const belongs = shape.elsewhere.get(key)
    if (belongs !== undefined) {
      const message = `'${key}' has no effect in ${shape.what}`
      const fix = `Move it to ${belongs}.`
      this.#findings.reportKey('misplaced-key', this.#subject, where, message, { fix })
      return
    }
    const folded = shape.known.find((known) => known.toLowerCase() === key.toLowerCase())
    const meant = folded ?? this.#findings.suggestion(key, shape.meant)
    if (meant === undefined && !shape.closed) return
    const message = `${shape.what} has no ${quote(key)}: it is dropped, or refused`
    const more = meant === undefined ? {} : { fix: `Write '${meant}'.` }
    this.#findings.reportKey('unknown-key', this.#subject, where, message, more)
  }

  /** null counts as not given. */
  get(key: string): At | undefined {
    const value = this.#values.get(key)
    return value?.node.kind === 'null' ? undefined : value
  }

  map(key: string): At<MapNode> | undefined {
    const at = this.get(key)
    if (at === undefined || isMapAt(at)) return at
    this.#wrongType(at, 'an object')
    return undefined
  }

  list(key: string): At[] | undefined {
    const at = this.get(key)
    if (at === undefined) return undefined
    if (at.node.kind === 'list') return itemsOf(at)
    this.#wrongType(at, 'a list')
    return undefined
  }

  string(key: string): { readonly text: string; readonly at: At } | undefined {
    const at = this.get(key)
    if (at === undefined) return undefined
    if (at.node.kind === 'string') return { text: at.node.value, at }
    this.#wrongType(at, 'text')
    return undefined
  }

  strings(key: string): { readonly text: string; readonly at: At }[] | undefined {
    return this.list(key)?.flatMap((at) => {
      if (at.node.kind === 'string') return [{ text: at.node.value, at }]
      this.#wrongType(at, 'text')
      return []
    })
  }

  boolean(key: string): { readonly value: boolean; readonly at: At } | undefined {
    const at = this.get(key)
    if (at === undefined) return undefined
    if (at.node.kind === 'boolean') return { value: at.node.value, at }
    const old = at.node.kind === 'string' && OLD_BOOLEAN.test(at.node.value)
    this.#wrongType(at, old ? 'true or false, which some readers take it for' : 'true or false')
    return undefined
  }

  integer(key: string): { readonly value: bigint; readonly at: At } | undefined {
    const at = this.get(key)
    if (at === undefined) return undefined
    if (at.node.kind === 'number' && at.node.value !== undefined) {
      return { value: at.node.value, at }
    }
    this.#wrongType(at, 'a decimal integer')
    return undefined
  }

  #wrongType(at: At, expected: string): void {
    const message = `expected ${expected}, found ${describeNode(at.node)}`
    this.#findings.report('wrong-type', this.#subject, at, message)
  }
}
