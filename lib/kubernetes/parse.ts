/**
 * The text of manifests → a tree for each document, in which everything knows where it stands. Read with the
 * readers of lib/profiles, within limits of its own: a stream of manifests is larger than any profile.
 */
import { ManifestError, type ManifestErrorCode, type ProfileErrorCode } from '../errors'
import { parseJson } from '../profiles/json'
import { decodeText, limitSize } from '../profiles/text'
import { Lines, type Limits, type TreeNode } from '../profiles/tree'
import { parseYaml } from '../profiles/yaml'

export interface ManifestDocument {
  /** From 1, as they stand in the text. */
  readonly number: number
  readonly root: TreeNode
}

export interface Manifests {
  readonly text: string
  readonly json: boolean
  readonly lines: Lines
  readonly documents: readonly ManifestDocument[]
}

/**
 * So that reading takes less than two seconds whatever is in it. A large chart comes to some 200 KB; what
 * comes with definitions of custom resources may be larger, and has to be split.
 */
const MAX_YAML = 400_000

/** Reading JSON takes less than half as long. */
const MAX_JSON = 1_000_000

/**
 * `defaultMode: 0644` is in every second manifest. kubectl reads it as YAML 1.1, in octal, and nothing that is
 * asked here is ever written so.
 */
const LIMITS: Limits = { values: 80_000, ambiguous: 'keep' }

const CODES: Partial<Readonly<Record<ProfileErrorCode, ManifestErrorCode>>> = {
  ERR_PROFILE_DIALECT: 'ERR_MANIFEST_OBJECT',
  ERR_PROFILE_LIMIT: 'ERR_MANIFEST_LIMIT',
  ERR_PROFILE_SYNTAX: 'ERR_MANIFEST_SYNTAX',
}

/** The readers of lib/profiles speak of profiles: here of manifests. */
class ManifestLines extends Lines {
  readonly #templated: boolean

  constructor(text: string) {
    super(text)
    this.#templated = /\{\{.*\}\}/.test(text)
  }

  override error(
    code: ProfileErrorCode,
    offset: number,
    { problem, path = '$', cause }: Parameters<Lines['error']>[2],
  ): ManifestError {
    const as = CODES[code] ?? 'ERR_MANIFEST_SYNTAX'
    const hint =
      as === 'ERR_MANIFEST_LIMIT'
        ? 'Split it.'
        : this.#templated
          ? 'It has {{ }}: render the template first, with `helm template` or what made it.'
          : undefined
    return new ManifestError(as, { ...this.place(offset, path), problem, hint, cause })
  }
}

/**
 * @throws ManifestError ERR_MANIFEST_SYNTAX, ERR_MANIFEST_LIMIT
 * @throws PolicyError ERR_OPTION for what is neither text nor bytes
 */
export function parseManifests(input: string | Uint8Array): Manifests {
  const text = decodeText(input, new ManifestLines(''), MAX_JSON)
  const lines = new ManifestLines(text)
  // A byte order mark is part of YAML; in JSON kubectl drops it.
  const plain = text.startsWith('\ufeff') ? ` ${text.slice(1)}` : text
  const control = /[\0-\x08\x0b\x0c\x0e-\x1f]/.exec(plain)
  if (control !== null) {
    throw lines.error('ERR_PROFILE_SYNTAX', control.index, {
      problem: 'a control character: this is no text',
    })
  }
  const json = /^\s*\{/.test(plain)
  if (!json) limitSize(plain, MAX_YAML, lines)
  const all = json
    ? [parseJson(plain, lines, LIMITS).root]
    : parseYaml(text, lines, LIMITS).map(({ root }) => root)
  // As kubectl does: separators with nothing between them.
  const roots = all.filter(({ kind }) => kind !== 'null')
  if (roots.length === 0) {
    throw lines.error('ERR_PROFILE_SYNTAX', 0, { problem: 'there is nothing in it' })
  }
  return { text, json, lines, documents: roots.map((root, index) => ({ number: index + 1, root })) }
}
