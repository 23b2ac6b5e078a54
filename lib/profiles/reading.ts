/**
 * Reading a tree: which key, which type, and what to do about what does not fit.
 *
 * That depends on who reads. By default every doubt is a finding, and nothing is guessed. The readers
 * of the container world guess, each in its own way (all of it measured, with runc 1.1.5 and crun
 * 1.8.1): `go` is encoding/json, with which Docker, Podman, containerd and runc read; `crun` is
 * libocispec on yajl.
 */
import { ProfileError, type ProfileFinding, type ProfilePlace } from '../errors'
import { Findings } from './findings'
import {
  describeNode,
  memberPath,
  quote,
  type Lines,
  type Member,
  type Note,
  type TreeNode,
} from './tree'

export type Manners = 'strict' | 'go' | 'crun'

/** A value and the way to it. */
export interface At<N extends TreeNode = TreeNode> {
  readonly node: N
  readonly path: string
}

/** What a dialect knows of an object's keys. */
export interface Keys {
  /** What it is called in messages. */
  readonly what: string
  readonly known: readonly string[]
  /** Keys that other dialects have and this one passes over: key → what that comes to. */
  readonly ignored?: ReadonlyMap<string, Ignored>
}

export interface Ignored {
  readonly severity: ProfileFinding['severity']
  readonly consequence: string
}

export class Reading {
  readonly manners: Manners
  /** Who is followed, in messages: `'crun'`. */
  readonly reader: string
  readonly #lines: Lines
  readonly #findings = new Findings()

  constructor(lines: Lines, manners: Manners, reader = '') {
    this.#lines = lines
    this.manners = manners
    this.reader = reader
  }

  get findings(): readonly ProfileFinding[] {
    return this.#findings.list()
  }

  place(at: At): ProfilePlace {
    return this.#lines.place(at.node.offset, at.path)
  }

  report(
    severity: ProfileFinding['severity'],
    code: string,
    place: ProfilePlace,
    message: string,
  ): void {
    this.#findings.report(severity, code, place, message)
  }

  /** What nobody in their right mind would take. A runtime that is followed refuses the profile. */
  fault(code: string, at: At, message: string): void {
    if (this.manners !== 'strict') throw this.refusal(this.place(at), message)
    this.report('error', code, this.place(at), message)
  }

  /** A doubt that the runtimes do not have. */
  doubt(code: string, at: At, message: string, severity: ProfileFinding['severity']): void {
    if (this.manners === 'strict') this.report(severity, code, this.place(at), message)
    else this.report(severity === 'error' ? 'warning' : severity, code, this.place(at), message)
  }

  refusal(place: ProfilePlace, problem: string): ProfileError {
    return new ProfileError('ERR_PROFILE_REFUSED', {
      ...place,
      problem: `${this.reader} refuses this: ${problem}`,
    })
  }

  undetermined(at: At, problem: string): ProfileError {
    return new ProfileError('ERR_PROFILE_UNDETERMINED', {
      ...this.place(at),
      problem,
      hint: `What ${this.reader} would enforce cannot be told.`,
    })
  }

  suggestion(name: string, candidates: readonly string[]): string {
    return this.#findings.suggestion(name, candidates)
  }

  note({ kind, offset, text }: Note, allowed: boolean): void {
    const place = this.#lines.place(offset, '$')
    if (kind === 'yaml') this.report('error', 'yaml', place, text)
    else if (kind === 'other') this.report('warning', 'other-document', place, text)
    else if (allowed) this.report('info', 'comment', place, `a comment: ${quote(text)}`)
    else {
      const message = `a comment, which readers written in Go refuse: ${quote(text)}`
      this.report('warning', 'comment', place, message)
    }
  }

  /** An object's values by key, each of the last or the first of its name, as whoever reads does. */
  fields(at: At, keys: Keys): Fields | undefined {
    const { node, path } = at
    if (node.kind !== 'map') {
      this.fault('wrong-type', at, `expected ${keys.what}, found ${describeNode(node)}`)
      return undefined
    }
    const values = new Map<string, At>()
    for (const member of node.members) {
      const key = this.#keyOf(member, path, keys)
      if (key === undefined) continue
      const value = { node: member.value, path: memberPath(path, key) }
      const earlier = values.get(key)
      if (earlier !== undefined) this.#duplicate(key, member, earlier, value)
      if (earlier === undefined || this.manners !== 'crun') values.set(key, value)
    }
    return new Fields(this, at, values)
  }

  /** The known key a member sets, undefined where it sets none. */
  #keyOf({ key, offset, value }: Member, path: string, keys: Keys): string | undefined {
    const at = { node: { ...value, offset }, path: memberPath(path, key) }
    if (keys.known.includes(key)) return key
    const ignored = keys.ignored?.get(key)
    if (ignored !== undefined) {
      this.doubt('ignored-key', at, `'${key}' ${ignored.consequence}`, ignored.severity)
      return undefined
    }
    const folded = keys.known.find((known) => known.toLowerCase() === key.toLowerCase())
    if (folded !== undefined) {
      const message = `${quote(key)} is '${folded}' for readers written in Go, and nothing for crun`
      this.doubt('key-case', at, message, 'error')
      return this.manners === 'go' ? folded : undefined
    }
    const meant = this.manners === 'strict' ? this.suggestion(key, keys.known) : ''
    this.doubt('unknown-key', at, `${keys.what} has no ${quote(key)}${meant}`, 'error')
    return undefined
  }

  #duplicate(key: string, { offset }: Member, earlier: At, later: At): void {
    const at = { node: { ...later.node, offset }, path: later.path }
    const first = this.place(earlier)
    const message = `'${key}' is there twice, first on line ${first.line}: readers written in Go take the last, crun the first`
    this.doubt('duplicate-key', at, message, 'error')
    if (this.manners === 'go' && goMerges(earlier.node, later.node)) {
      throw this.undetermined(
        at,
        `'${key}' is there twice, and Go's decoder leaves in the second what only the first says`,
      )
    }
  }
}

/**
 * encoding/json decodes a repeated key into what the first left: objects and elements of lists keep
 * the members that the second does not name (golang/go#21092).
 */
function goMerges(earlier: TreeNode, later: TreeNode): boolean {
  if (earlier.kind === 'list' && later.kind === 'list') {
    return later.items.some((item, index) => {
      const before = earlier.items[index]
      return before !== undefined && goMerges(before, item)
    })
  }
  if (earlier.kind !== 'map' || later.kind !== 'map') return false
  return earlier.members.some(({ key, value }) => {
    const after = later.members.find((member) => member.key === key)
    return after === undefined || goMerges(value, after.value)
  })
}

/** What a reader of integers takes. */
export interface IntegerRange {
  readonly min: bigint
  readonly max: bigint
}

export const UINT64: IntegerRange = { min: 0n, max: 0xffff_ffff_ffff_ffffn }

/** The values of one object. null counts as not given: every reader takes it so. */
export class Fields {
  readonly at: At
  readonly #reading: Reading
  readonly #values: ReadonlyMap<string, At>

  constructor(reading: Reading, at: At, values: ReadonlyMap<string, At>) {
    this.#reading = reading
    this.at = at
    this.#values = values
  }

  get(key: string): At | undefined {
    const value = this.#values.get(key)
    return value?.node.kind === 'null' ? undefined : value
  }

  string(key: string): string | undefined {
    const at = this.get(key)
    if (at === undefined) return undefined
    if (at.node.kind === 'string') return at.node.value
    this.#reading.fault('wrong-type', at, `expected text, found ${describeNode(at.node)}`)
    return undefined
  }

  boolean(key: string): boolean | undefined {
    const at = this.get(key)
    if (at === undefined) return undefined
    if (at.node.kind === 'boolean') return at.node.value
    this.#reading.fault('wrong-type', at, `expected true or false, found ${describeNode(at.node)}`)
    return undefined
  }

  /** @param range beyond which strict reading does not go; runtimes go to 64 bits */
  integer(key: string, range: IntegerRange): bigint | undefined {
    const at = this.get(key)
    return at === undefined ? undefined : readInteger(this.#reading, at, range)
  }

  list(key: string): At[] | undefined {
    const at = this.get(key)
    if (at === undefined) return undefined
    const { node, path } = at
    if (node.kind === 'list') {
      return node.items.map((item, index) => ({ node: item, path: `${path}[${index}]` }))
    }
    this.#reading.fault('wrong-type', at, `expected a list, found ${describeNode(node)}`)
    return undefined
  }

  strings(key: string): { text: string; at: At }[] | undefined {
    return this.list(key)?.flatMap((at) => {
      if (at.node.kind === 'string') return [{ text: at.node.value, at }]
      // Go leaves an element that is null empty; crun's reader too.
      if (at.node.kind === 'null' && this.#reading.manners !== 'strict') return [{ text: '', at }]
      this.#reading.fault('wrong-type', at, `expected text, found ${describeNode(at.node)}`)
      return []
    })
  }
}

function readInteger(reading: Reading, at: At, range: IntegerRange): bigint | undefined {
  const { node } = at
  if (node.kind !== 'number') {
    // crun 1.8.1 takes a string or true for a number, and which is not known.
    if (reading.manners === 'crun' && (node.kind === 'string' || node.kind === 'boolean')) {
      throw reading.undetermined(
        at,
        `${describeNode(node)} is no number, and crun takes it for one`,
      )
    }
    reading.fault('wrong-type', at, `expected an integer, found ${describeNode(node)}`)
    return undefined
  }
  const { value } = node
  if (value === undefined) {
    reading.fault('number-range', at, `${describeNode(node)} is not an integer of 64 bits`)
    return undefined
  }
  // strtoull(3) wraps: -1 is 2^64 - 1.
  if (reading.manners === 'crun' && value < 0n && value >= -UINT64.max) {
    return BigInt.asUintN(64, value)
  }
  const { min, max } = reading.manners === 'strict' ? range : UINT64
  if (value >= min && value <= max) return value
  reading.fault('number-range', at, `${describeNode(node)} is not within ${min} … ${max}`)
  return undefined
}
