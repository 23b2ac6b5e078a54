/**
 * The text of a profile as a tree in which nothing is lost: every value knows where it stands, numbers
 * are exact, and a key that is there twice is there twice. JSON and YAML come to the same.
 */
import {
  ProfileError,
  type ProfileErrorCode,
  type ProfilePlace,
  type SeccompError,
} from '../errors'

export type TreeNode = MapNode | ListNode | ScalarNode

interface Located {
  readonly offset: number
}

/** What a value takes of the text: from `offset` up to `end`. */
interface Spanning extends Located {
  readonly end: number
}

interface Collection extends Spanning {
  /** Written in brackets: all of JSON, and YAML's flow style. */
  readonly flow: boolean
}

export interface Member {
  readonly key: string
  readonly offset: number
  readonly value: TreeNode
}

export interface MapNode extends Collection {
  readonly kind: 'map'
  /** In the order of the text, duplicates included. */
  readonly members: readonly Member[]
}

export interface ListNode extends Collection {
  readonly kind: 'list'
  readonly items: readonly TreeNode[]
}

export type ScalarNode =
  | (Spanning & { readonly kind: 'string'; readonly value: string })
  | (Spanning & {
      readonly kind: 'number'
      /** Undefined for what is not written as an integer, and for more digits than anything takes. */
      readonly value: bigint | undefined
      readonly source: string
    })
  | (Spanning & { readonly kind: 'boolean'; readonly value: boolean })
  | (Spanning & { readonly kind: 'null' })

/** What stands beside the values: a comment, what a YAML reader warns of, another document. */
export interface Note extends Located {
  readonly kind: 'comment' | 'yaml' | 'other'
  readonly text: string
}

export interface Tree {
  readonly root: TreeNode
  readonly syntax: 'json' | 'yaml'
  readonly notes: readonly Note[]
}

/**
 * How deep values may be nested. A profile has 6 levels, in a config.json 8, and 64 is far from
 * where a recursive reader runs out of stack.
 */
export const MAX_DEPTH = 64

/**
 * How many values a text may have. The largest profile anybody is known to use has 4,000; a policy of
 * ours has room for more rules than any program.
 */
export const MAX_VALUES = 50_000

/** What a reader of text is held to; how profiles are, where nothing is said. */
export interface Limits {
  readonly values: number
  /** A number that YAML 1.1 and 1.2 do not read alike: it is refused, or has no value. */
  readonly ambiguous: 'refuse' | 'keep'
}

export const PROFILE_LIMITS: Limits = { values: MAX_VALUES, ambiguous: 'refuse' }

/** More digits than 64 bits have, and few enough to convert at once. */
const MAX_DIGITS = 40

export const toInteger = (source: string): bigint | undefined =>
  source.length <= MAX_DIGITS && /^-?\d+$/.test(source) ? BigInt(source) : undefined

/** Offsets as lines and columns. */
export class Lines {
  readonly #starts: number[] = [0]

  constructor(text: string) {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
      this.#starts.push(at + 1)
    }
  }

  place(offset: number, path: string): ProfilePlace {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return Object.freeze({ path, line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 })
  }

  error(
    code: ProfileErrorCode,
    offset: number,
    details: { problem: string; hint?: string; path?: string; cause?: unknown },
  ): SeccompError {
    return new ProfileError(code, { ...this.place(offset, details.path ?? '$'), ...details })
  }
}

const IDENTIFIER = /^[A-Za-z_$][\w$-]*$/

/** A path with one more key: `$.spec`, or `$["a b"]` where that could not be read back. */
export const memberPath = (path: string, key: string): string =>
  IDENTIFIER.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key.slice(0, 64))}]`

/** How a value is shown in a message. */
export function describeNode(node: TreeNode): string {
  switch (node.kind) {
    case 'map':
      return 'an object'
    case 'list':
      return 'a list'
    case 'string':
      return quote(node.value)
    case 'number':
      return node.source.length > 24 ? `${node.source.slice(0, 24)}…` : node.source
    case 'boolean':
      return String(node.value)
    case 'null':
      return 'null'
  }
}

/** Text from a file, safe to print: short, and without control characters. */
export function quote(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  return `'${shown.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')}'`
}
