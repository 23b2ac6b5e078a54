/**
 * Edits of a text, in place: whatever is not edited stays as it is, byte by byte. Before the result is given
 * out it is read again, and has to say what the original says with the edits, and nothing else.
 */
import { ManifestError } from '../errors'
import type { ListNode, MapNode, Member, TreeNode } from '../profiles/tree'
import type { At } from '../profiles/reading'
import { memberOf } from './fields'
import { parseManifests, type Manifests } from './parse'

export type Plain = string | boolean | readonly Plain[] | PlainMap
export interface PlainMap {
  readonly [key: string]: Plain
}

/** `text` in the place of what stands from `start` to `end`. */
interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
  /** Of two at one place the deeper comes first: it belongs to what ends there. */
  readonly column: number
}

const STEP = '  '

const isMap = (value: Plain): value is PlainMap =>
  typeof value === 'object' && !Array.isArray(value)

export class Edits {
  readonly #manifests: Manifests
  /** What aliases stand for: an edit would be one of everything that has the alias. */
  readonly #shared: ReadonlySet<TreeNode>
  readonly #added = new Map<MapNode, Map<string, Plain>>()
  readonly #replaced = new Map<TreeNode, Plain>()
  readonly #removed = new Map<MapNode, Set<Member>>()
  readonly #renamed = new Map<Member, string>()
  readonly #prepended = new Map<ListNode, string>()

  constructor(manifests: Manifests) {
    this.#manifests = manifests
    this.#shared = sharedNodes(manifests)
  }

  get empty(): boolean {
    const all = [this.#added, this.#replaced, this.#removed, this.#renamed, this.#prepended]
    return all.every(({ size }) => size === 0)
  }

  /** False where the text stands for several places, or is of a form that is left alone. */
  canEdit(node: TreeNode): boolean {
    if (this.#shared.has(node)) return false
    const [first] = node.kind === 'map' ? node.members : []
    // Before a key of block style only indentation and dashes: no `?`, anchor or tag.
    if (node.kind !== 'map' || node.flow || first === undefined) return true
    return /^[ -]*$/.test(this.#before(first.offset))
  }

  /** A member more. Where one of that key is null, it gets the value. */
  add({ node }: At<MapNode>, key: string, value: Plain): void {
    const added = this.#added.get(node) ?? new Map<string, Plain>()
    const earlier = added.get(key)
    const both = earlier !== undefined && isMap(earlier) && isMap(value)
    added.set(key, both ? { ...earlier, ...value } : value)
    this.#added.set(node, added)
  }

  replace({ node }: At, value: Plain): void {
    this.#replaced.set(node, value)
  }

  /** Every member of that key. */
  remove({ node }: At<MapNode>, key: string): void {
    const removed = this.#removed.get(node) ?? new Set<Member>()
    for (const member of node.members) if (member.key === key) removed.add(member)
    this.#removed.set(node, removed)
  }

  /** One more item, the first. */
  prepend({ node }: At<ListNode>, item: string): void {
    this.#prepended.set(node, item)
  }

  rename(member: Member, key: string): void {
    this.#renamed.set(member, key)
  }

  /** Takes back what was removed from a map: it goes as a whole. */
  keep({ node }: At<MapNode>): void {
    this.#removed.delete(node)
  }

  /** Whether nothing would be left in it. */
  empties({ node }: At<MapNode>): boolean {
    return this.#removed.get(node)?.size === node.members.length
  }

  /** The edited text. @throws ManifestError ERR_MANIFEST_EDIT */
  apply(): string {
    const { text } = this.#manifests
    if (this.empty) return text
    const splices = [
      ...[...this.#added].flatMap(([map, added]) => this.#insert(map, added)),
      ...[...this.#replaced].map(([node, value]) => this.#overwrite(node, value)),
      ...[...this.#removed].flatMap(([map, members]) => this.#cut(map, members)),
      ...[...this.#prepended].map(([list, item]) => this.#insertItem(list, item)),
      ...[...this.#renamed].map(([member, key]) => this.#spell(member, key)),
    ]
    const edited = spliced(text, splices)
    this.#verify(edited)
    return edited
  }

  /** What of the line stands before. */
  #before(offset: number): string {
    const { text } = this.#manifests
    return text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset)
  }

  /** The line break after a block counts as part of it, and stays. */
  #endOf({ offset, end }: TreeNode): number {
    return offset + this.#manifests.text.slice(offset, end).trimEnd().length
  }

  #insert(map: MapNode, added: ReadonlyMap<string, Plain>): Splice[] {
    const splices: Splice[] = []
    const absent: [key: string, value: Plain][] = []
    for (const [key, value] of added) {
      const member = memberOf(map, key)
      if (member === undefined) absent.push([key, value])
      else splices.push(this.#overwrite(member.value, value))
    }
    if (absent.length === 0) return splices
    return [...splices, map.flow ? this.#insertFlow(map, absent) : this.#insertBlock(map, absent)]
  }

  /** Before the first member: where the last one ends cannot be told where it is an alias. */
  #insertFlow(map: MapNode, added: readonly (readonly [string, Plain])[]): Splice {
    const { text } = this.#manifests
    const [first] = map.members
    const at = first?.offset ?? map.offset + 1
    const quoted = this.#quotes(map)
    const members = added.map(([key, value]) => flowMember(key, value, quoted))
    if (first === undefined) {
      return { start: at, end: at, text: members.join(', '), column: 0 }
    }
    const gap = text.slice(map.offset + 1, first.offset)
    const between = gap.includes('\n') && gap.trim() === '' ? gap : ' '
    const inserted = members.map((member) => `${member},${between}`).join('')
    return { start: at, end: at, text: inserted, column: 0 }
  }

  /** Whether keys and text are in quotes: in JSON, and in YAML that is written like it. */
  #quotes(map: MapNode): boolean {
    const [first] = map.members
    const { json, text } = this.#manifests
    return json || (first !== undefined && text[first.offset] === '"')
  }

  /** Below the last line. */
  #insertBlock(map: MapNode, added: readonly (readonly [string, Plain])[]): Splice {
    const { text } = this.#manifests
    const column = this.#before(map.members[0]?.offset ?? map.offset).length
    const newline = text.includes('\r\n') ? '\r\n' : '\n'
    const lines = added
      .flatMap(([key, value]) => blockLines(key, value))
      .map((line) => ' '.repeat(column) + line)
    const ends = text[map.end - 1] === '\n' ? map.end - 1 : text.indexOf('\n', map.end)
    if (ends < 0) {
      const inserted = lines.map((line) => newline + line).join('')
      return { start: text.length, end: text.length, text: inserted, column }
    }
    const inserted = lines.map((line) => line + newline).join('')
    return { start: ends + 1, end: ends + 1, text: inserted, column }
  }

  #insertItem(list: ListNode, item: string): Splice {
    const { text, json } = this.#manifests
    const [first] = list.items
    if (list.flow || first === undefined) {
      const at = list.offset + 1
      const quoted = json || text[first?.offset ?? at] === '"'
      const written = flowScalar(item, quoted) + (first === undefined ? '' : ', ')
      return { start: at, end: at, text: written, column: 0 }
    }
    const at = list.offset
    const newline = text.includes('\r\n') ? '\r\n' : '\n'
    const indent = ' '.repeat(this.#before(at).length)
    const written = `- ${flowScalar(item, false)}${newline}${indent}`
    return { start: at, end: at, text: written, column: 0 }
  }

  #overwrite(node: TreeNode, value: Plain): Splice {
    const { text, json } = this.#manifests
    const start = node.offset
    const end = this.#endOf(node)
    const written = flowValue(value, json || text[start] === '"')
    // A value that is not there stands right behind the colon, or before a comment.
    const before = /[:\S]/.test(text[start - 1] ?? ' ') && start === end ? ' ' : ''
    const after = start === end && text[end] === '#' ? ' ' : ''
    return { start, end, text: before + written + after, column: 0 }
  }

  #cut(map: MapNode, members: ReadonlySet<Member>): Splice[] {
    const all = map.members
    if (members.size === all.length) {
      return [{ start: map.offset, end: this.#endOf(map), text: '{}', column: 0 }]
    }
    const gone = all.map((member) => members.has(member))
    const splices: Splice[] = []
    for (let from = gone.indexOf(true); from >= 0;) {
      const kept = gone.indexOf(false, from)
      const to = kept < 0 ? all.length : kept
      splices.push(...this.#cutRun(map, all.slice(from, to), all[to]))
      from = gone.indexOf(true, to)
    }
    return splices
  }

  /** Members that follow one another, and what stays after them. */
  #cutRun(map: MapNode, run: readonly Member[], next: Member | undefined): Splice[] {
    const { text } = this.#manifests
    const [first] = run
    const last = run[run.length - 1]
    if (first === undefined || last === undefined) return []
    const dashed = this.#before(first.offset).includes('-')
    if (next !== undefined && (map.flow || dashed)) {
      return [{ start: first.offset, end: next.offset, text: '', column: 0 }]
    }
    const alias = last.value.offset < last.offset
    if (map.flow) {
      const start = text.slice(0, first.offset).lastIndexOf(',')
      return [{ start, end: alias ? map.end - 1 : last.value.end, text: '', column: 0 }]
    }
    const start = first.offset - this.#before(first.offset).length
    const end = alias ? last.offset : last.value.end
    const line = text[end - 1] === '\n' ? end - 1 : text.indexOf('\n', end)
    return [{ start, end: line < 0 ? text.length : line + 1, text: '', column: 0 }]
  }

  #spell(member: Member, key: string): Splice {
    const { text } = this.#manifests
    const start = text.startsWith(member.key, member.offset) ? member.offset : member.offset + 1
    return { start, end: start + member.key.length, text: key, column: 0 }
  }

  #verify(edited: string): void {
    let after: Manifests | undefined
    try {
      after = parseManifests(edited)
    } catch (error) {
      if (!(error instanceof ManifestError)) throw error
    }
    const wanted = this.#manifests.documents.map(({ root }) => this.#canonical(root))
    const got = after?.documents.map(({ root }) => canonical(root))
    if (JSON.stringify(wanted) === JSON.stringify(got)) return
    const [document] = this.#manifests.documents
    const place = this.#manifests.lines.place(document?.root.offset ?? 0, '$')
    throw new ManifestError('ERR_MANIFEST_EDIT', {
      ...place,
      problem: 'is written in a way that cannot be edited in place without changing more',
      hint: 'Edit it by hand; nothing was changed.',
    })
  }

  /** What it should say after the edits. */
  #canonical(node: TreeNode): unknown {
    const replaced = this.#replaced.get(node)
    if (replaced !== undefined) return canonicalPlain(replaced)
    if (node.kind === 'list') {
      const items = node.items.map((item) => this.#canonical(item))
      const first = this.#prepended.get(node)
      return first === undefined ? items : [first, ...items]
    }
    if (node.kind !== 'map') return canonical(node)
    const removed = this.#removed.get(node)
    const members: [string, unknown][] = []
    const added = new Map(this.#added.get(node))
    for (const member of node.members) {
      if (removed?.has(member) === true) continue
      const key = this.#renamed.get(member) ?? member.key
      const value = memberOf(node, member.key) === member ? added.get(key) : undefined
      if (value === undefined) members.push([key, this.#canonical(member.value)])
      else {
        members.push([key, canonicalPlain(value)])
        added.delete(key)
      }
    }
    for (const [key, value] of added) members.push([key, canonicalPlain(value)])
    return sorted(members)
  }
}

/** Members by key; those of one key in their order. */
const sorted = (members: [string, unknown][]): unknown => ({
  map: members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
})

function canonical(node: TreeNode): unknown {
  switch (node.kind) {
    case 'map':
      return sorted(node.members.map(({ key, value }) => [key, canonical(value)]))
    case 'list':
      return node.items.map(canonical)
    case 'number':
      return { number: node.source }
    case 'null':
      return null
    case 'string':
    case 'boolean':
      return node.value
  }
}

function canonicalPlain(value: Plain): unknown {
  if (Array.isArray(value)) return value.map(canonicalPlain)
  if (!isMap(value)) return value
  return sorted(Object.entries(value).map(([key, field]) => [key, canonicalPlain(field)]))
}

/** Nodes that are reached in two ways, and what is in them. */
function sharedNodes({ documents }: Manifests): ReadonlySet<TreeNode> {
  const seen = new Set<TreeNode>()
  const shared = new Set<TreeNode>()
  const visit = (node: TreeNode, within: boolean): void => {
    const again = seen.has(node)
    if (again && shared.has(node)) return
    seen.add(node)
    const is = within || again
    if (is) shared.add(node)
    const children = node.kind === 'map' ? node.members.map(({ value }) => value) : []
    for (const child of node.kind === 'list' ? node.items : children) visit(child, is)
  }
  for (const { root } of documents) visit(root, false)
  return shared
}

function spliced(text: string, splices: readonly Splice[]): string {
  const sortedSplices = [...splices].sort((a, b) => a.start - b.start || b.column - a.column)
  let at = 0
  const pieces: string[] = []
  for (const { start, end, text: inserted } of sortedSplices) {
    pieces.push(text.slice(at, start), inserted)
    at = Math.max(at, end)
  }
  return [...pieces, text.slice(at)].join('')
}

/** Text that every reader of YAML takes for text. */
const PLAIN = /^(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z][\w./-]*$/i

const flowScalar = (value: string | boolean, quoted: boolean): string =>
  typeof value === 'boolean' || (!quoted && PLAIN.test(value))
    ? String(value)
    : JSON.stringify(value)

function flowValue(value: Plain, quoted: boolean): string {
  if (typeof value === 'string' || typeof value === 'boolean') return flowScalar(value, quoted)
  if (!isMap(value)) return `[${value.map((item) => flowValue(item, quoted)).join(', ')}]`
  const members = Object.entries(value).map(([key, field]) => flowMember(key, field, quoted))
  return `{${members.join(', ')}}`
}

const flowMember = (key: string, value: Plain, quoted: boolean): string =>
  `${flowScalar(key, quoted)}: ${flowValue(value, quoted)}`

function blockLines(key: string, value: Plain): string[] {
  if (!isMap(value)) return [`${flowScalar(key, false)}: ${flowValue(value, false)}`]
  const members = Object.entries(value).flatMap(([name, field]) => blockLines(name, field))
  return [`${flowScalar(key, false)}:`, ...members.map((line) => STEP + line)]
}
