/** Text → profile: the syntax, the dialect, and then the dialect's own reader. */
import { PolicyError, type ProfileFinding, type ProfilePlace } from '../errors'
import {
  describeValue,
  readFields,
  reading as readingOptions,
  refuseUnknownKeys,
} from '../policy/snapshot'
import { suggest } from '../syscalls'
import {
  DIALECTS,
  detectDialect,
  detectedFinding,
  isSeccompProfile,
  kindOf,
  nameOf,
  syntaxOf,
  type Detected,
} from './dialect'
import { readContainerd } from './dialects/containerd'
import { readContainersCommon } from './dialects/containers-common'
import { readInspektorGadget } from './dialects/inspektor-gadget'
import { readMoby } from './dialects/moby'
import { readOci } from './dialects/oci'
import { readOwn } from './dialects/own'
import { readSpo } from './dialects/spo'
import { readSystemd } from './dialects/systemd'
import { parseJson } from './json'
import { Reading, type At, type Manners } from './reading'
import { decodeText, limitSize } from './text'
import { Lines, quote, type Member, type Note, type TreeNode } from './tree'
import type { Dialect, Profile } from './types'
import { parseYaml } from './yaml'

export interface ReadProfileOptions {
  /** The dialect to read it in, instead of the one that is detected. */
  readonly dialect?: Dialect
  /** What to call it: the policy it comes to has this name. */
  readonly name?: string
  /** Of several SeccompProfiles in one text, the `metadata.name` of the one to read. */
  readonly document?: string
}

export interface ReadProfileResult {
  readonly profile: Profile
  readonly dialect: Dialect
  /** In the order of the text. */
  readonly findings: readonly ProfileFinding[]
}

/**
 * So that reading takes less than two seconds whatever is in it. The largest profile anybody is known to
 * use has 37 KB.
 */
const MAX_JSON = 1_000_000

/** Reading YAML takes some four times as long. */
const MAX_YAML = 256_000

/** A unit has a few KB, and a word of it can stand for hundreds of names. */
const MAX_UNIT = 64_000

/** What a profile was read from, for a runtime that reads it in its own way. */
interface Source {
  readonly lines: Lines
  readonly root: TreeNode
  readonly syntax: 'json' | 'yaml'
  readonly notes: readonly Note[]
  readonly dialect: Dialect
  /** What strict reading found, as `keyOf` has it. */
  readonly found: ReadonlySet<string>
}

const keyOf = ({ code, line, column }: ProfileFinding): string => `${code} ${line}:${column}`

const sources = new WeakMap<Profile, Source>()

/**
 * Reads a profile of any dialect (docs/profiles.md). It is read strictly: whatever has no single meaning
 * is a finding of severity `error`, and only what cannot be read at all is an error. Several documents
 * of YAML are taken where exactly one is a profile.
 *
 * @param text the file's text, or its bytes (UTF-8)
 * @throws ProfileError ERR_PROFILE_SYNTAX, ERR_PROFILE_LIMIT, ERR_PROFILE_DIALECT; for a policy of our
 * own also ERR_PROFILE_INVALID
 * @throws PolicyError ERR_OPTION
 */
export function readProfile(
  text: string | Uint8Array,
  options?: ReadProfileOptions,
): ReadProfileResult {
  const { dialect: forced, name, document } = parseOptions(options)
  const decoded = decodeText(text, new Lines(''), MAX_JSON)
  const lines = new Lines(decoded)
  const plain = decoded.startsWith('\ufeff') ? ` ${decoded.slice(1)}` : decoded
  const syntax = forced === 'systemd' ? 'systemd' : syntaxOf(plain)
  const reading = new Reading(lines, 'strict')
  if (plain !== decoded) {
    const message = 'begins with a byte order mark, which runtimes refuse'
    reading.report('warning', 'byte-order-mark', lines.place(0, '$'), message)
  }
  if (syntax === 'systemd' && (forced ?? 'systemd') === 'systemd') {
    limitSize(plain, MAX_UNIT, lines)
    return finish(reading, readSystemd(reading, plain, lines), name)
  }

  const source = parse(plain, lines, forced, document)
  const { root, dialect } = source
  const commented = source.syntax === 'yaml' || dialect === 'inspektor-gadget'
  for (const note of source.notes) reading.note(note, commented)
  if (source.syntax === 'yaml' && dialect !== 'spo' && dialect !== 'seccomp-ts') {
    const message = `is YAML, and ${dialect} is read as JSON by those it is made for`
    reading.report('warning', 'yaml', lines.place(root.offset, '$'), message)
  }
  if (source.detected !== undefined) {
    const { severity, code, message, ...place } = detectedFinding(source.detected, root, lines)
    reading.report(severity, code, place, message)
  }
  const result = finish(reading, readTree(reading, { node: root, path: '$' }, dialect), name)
  sources.set(result.profile, { ...source, found: new Set(result.findings.map(keyOf)) })
  return result
}

function finish(
  reading: Reading,
  read: Omit<Profile, 'faults'>,
  name: string | undefined,
): ReadProfileResult {
  const { findings } = reading
  const faults = Object.freeze(findings.filter(({ severity }) => severity === 'error'))
  const named = name === undefined ? {} : { name }
  const profile: Profile = Object.freeze({
    ...read,
    ...named,
    entries: Object.freeze(read.entries),
    faults,
  })
  return { profile, dialect: profile.dialect, findings }
}

function readTree(reading: Reading, at: At, dialect: Dialect): Omit<Profile, 'faults'> {
  switch (dialect) {
    case 'oci':
      return readOci(reading, at)
    case 'moby':
      return readMoby(reading, at)
    case 'containers-common':
      return readContainersCommon(reading, at)
    case 'oci-seccomp-bpf-hook':
      return readContainersCommon(reading, at, dialect)
    case 'containerd':
      return readContainerd(reading, at)
    case 'inspektor-gadget':
      return readInspektorGadget(reading, at)
    case 'spo':
      return readSpo(reading, at)
    case 'seccomp-ts':
      return readOwn(reading, at)
    case 'systemd':
      throw new PolicyError('ERR_OPTION', {
        path: 'options.dialect',
        problem: "'systemd' is a text of its own, and this is JSON or YAML",
      })
  }
}

/**
 * The profile as `reader` would read it, with its manners, in its dialect; and what is found in it only
 * then. Undefined where it was not
 * read from a text by `readProfile` (a copy has no text).
 *
 * @throws ProfileError ERR_PROFILE_REFUSED, ERR_PROFILE_UNDETERMINED
 */
export function rereadProfile(
  profile: Profile,
  reader: { readonly name: string; readonly manners: Manners; readonly dialect: Dialect },
): { profile: Profile; findings: readonly ProfileFinding[] } | undefined {
  const source = sources.get(profile)
  if (source === undefined) return undefined
  const { root, lines, notes, found } = source
  // The operator hands the runtime what it made of the document itself.
  const ofOperator = source.dialect === 'spo'
  const reading = new Reading(lines, ofOperator ? 'go' : reader.manners, reader.name)
  const [comment] = notes.filter(({ kind }) => kind === 'comment')
  if (comment !== undefined && reading.manners === 'go' && source.syntax === 'json') {
    throw reading.refusal(lines.place(comment.offset, '$'), 'JSON has no comments')
  }
  const dialect = ofOperator ? 'spo' : reader.dialect
  const read = readTree(reading, { node: root, path: '$' }, dialect)
  const { profile: again, findings } = finish(reading, read, profile.name)
  sources.set(again, source)
  return { profile: again, findings: findings.filter((finding) => !found.has(keyOf(finding))) }
}

/**
 * Where in the profile's text a value stands, by a path such as `$.syscalls[0].names[2]`. Undefined where
 * there is none, or the profile was not read from JSON or YAML by `readProfile`.
 */
export function placeIn(profile: Profile, path: string): ProfilePlace | undefined {
  const source = sources.get(profile)
  if (source === undefined || !/^\$(?:\.[^.[]+|\[\d+\])*$/.test(path)) return undefined
  let node: TreeNode | undefined = source.root
  let offset = node.offset
  for (const [step, key, index] of path.matchAll(/\.([^.[]+)|\[(\d+)\]/g)) {
    if (node === undefined) return undefined
    if (index !== undefined) {
      node = node.kind === 'list' ? node.items[Number(index)] : undefined
      offset = node?.offset ?? offset
    } else {
      const member: Member | undefined =
        node.kind === 'map' ? node.members.find((each) => each.key === (key ?? step)) : undefined
      node = member?.value
      offset = member?.offset ?? offset
    }
  }
  return node === undefined ? undefined : source.lines.place(offset, path)
}

function parseOptions(input: unknown): ReadProfileOptions {
  return readingOptions('options', () => {
    const fields = readFields(input ?? {}, 'options', 'an object')
    refuseUnknownKeys(fields, ['dialect', 'document', 'name'], 'options', 'readProfile')
    const { dialect, document, name } = Object.fromEntries(fields)
    if (dialect !== undefined && !(DIALECTS as readonly unknown[]).includes(dialect)) {
      throw new PolicyError('ERR_OPTION', {
        path: 'options.dialect',
        problem: `there is no dialect ${describeValue(dialect)}`,
        suggestion: typeof dialect === 'string' ? suggest(dialect, DIALECTS) : undefined,
        hint: `Known: ${DIALECTS.join(', ')}.`,
      })
    }
    for (const [key, value] of Object.entries({ document, name })) {
      if (value === undefined || typeof value === 'string') continue
      throw new PolicyError('ERR_OPTION', {
        path: `options.${key}`,
        problem: `expected text, got ${describeValue(value)}`,
      })
    }
    return Object.fromEntries(fields)
  })
}

function parse(
  text: string,
  lines: Lines,
  forced: Dialect | undefined,
  document: string | undefined,
): Omit<Source, 'found'> & { readonly detected: Detected | undefined } {
  const trees = parseTrees(text, lines)
  const [only] = trees
  if (only === undefined) {
    throw lines.error('ERR_PROFILE_SYNTAX', 0, { problem: 'there is nothing in it' })
  }
  const chosen = trees.length === 1 ? only : chooseDocument(trees, lines, document)
  const { root, notes, syntax } = chosen
  const commented = notes.some(({ kind, offset }) => kind === 'comment' && offset < root.offset)
  const detected = detectDialect(root, commented && syntax === 'json')
  const dialect = forced ?? detected?.dialect
  if (dialect === undefined) throw noProfile(root, lines)
  if (root.kind !== 'map') throw noProfile(root, lines)
  return {
    root,
    syntax,
    notes,
    lines,
    dialect,
    detected: forced === undefined ? detected : undefined,
  }
}

interface Document {
  readonly root: TreeNode
  readonly notes: readonly Note[]
  readonly syntax: 'json' | 'yaml'
}

function parseTrees(text: string, lines: Lines): Document[] {
  if (syntaxOf(text) === 'json') {
    limitSize(text, MAX_JSON, lines)
    return [parseJson(text, lines)]
  }
  limitSize(text, MAX_YAML, lines)
  return parseYaml(text, lines).map((tree) => ({ ...tree, syntax: 'yaml' }))
}

/** Of several documents, as Kubernetes manifests have them. */
function chooseDocument(
  trees: readonly Document[],
  lines: Lines,
  wanted: string | undefined,
): Document {
  const profiles = trees.filter(
    ({ root }) => isSeccompProfile(root) && (wanted === undefined || nameOf(root) === wanted),
  )
  const [first, second] = profiles
  if (first !== undefined && second !== undefined) {
    throw lines.error('ERR_PROFILE_DIALECT', second.root.offset, {
      problem: `there are ${profiles.length} profiles in it, and this is the second`,
      hint: 'Name the one to read (document), by its metadata.name.',
    })
  }
  const [document] = trees
  if (first === undefined) throw noProfile(document?.root ?? NOTHING, lines)
  const others = trees.filter((tree) => tree !== first)
  const notes = others.map(({ root }): Note => ({
    kind: 'other',
    offset: root.offset,
    text: `another document${kindText(root)}, which is no profile and is not read`,
  }))
  return { ...first, notes: [...first.notes, ...notes] }
}

const NOTHING: TreeNode = { kind: 'null', offset: 0, end: 0 }

function kindText(root: TreeNode): string {
  const claimed = kindOf(root)
  return claimed === undefined ? '' : ` (${quote(`${claimed.apiVersion} ${claimed.kind}`)})`
}

function noProfile(root: TreeNode, lines: Lines): Error {
  return lines.error('ERR_PROFILE_DIALECT', root.offset, {
    problem: `is not a seccomp profile in any dialect that is known${kindText(root)}`,
    hint: "One has 'defaultAction' or 'syscalls', is a SeccompProfile, or a policy with 'default'.",
  })
}
