/**
 * YAML → tree. Only what Kubernetes' readers agree on is taken: an integer that YAML 1.1 and 1.2 read
 * differently, a merge key or a tag of its own is refused where it stands.
 */
import type * as Yaml from 'yaml'
import type { Document, ParsedNode } from 'yaml'
import { loadLate } from '../late'
import {
  MAX_DEPTH,
  PROFILE_LIMITS,
  toInteger,
  type Limits,
  type Lines,
  type Member,
  type Note,
  type TreeNode,
} from './tree'

/** Loaded only when a profile is read: a lockdown needs no package but this one. */
const yaml = (): typeof Yaml => loadLate(() => require('yaml')) as typeof Yaml

/** Tokens for each value: it takes two or more, with indicators, spaces and line breaks. */
const TOKENS = 2

/** Columns a line may be indented: what MAX_DEPTH levels take, generously. */
const MAX_INDENT = 8 * MAX_DEPTH

/**
 * The documents of a stream, comments and warnings with the document they stand in.
 *
 * @throws ProfileError ERR_PROFILE_SYNTAX, ERR_PROFILE_LIMIT
 */
export function parseYaml(
  text: string,
  lines: Lines,
  limits: Limits = PROFILE_LIMITS,
): { root: TreeNode; notes: Note[] }[] {
  const comments = scan(text, lines, TOKENS * limits.values)
  const documents = parse(text, lines)
  let start = 0
  const trees: { root: TreeNode; notes: Note[] }[] = []
  for (const document of documents) {
    const [error] = document.errors
    if (error !== undefined) {
      const [problem = 'not YAML'] = error.message.split(/(?: at line \d+|\n)/)
      throw lines.error('ERR_PROFILE_SYNTAX', error.pos[0], { problem })
    }
    // What stands before a document is part of it, and after the last one too.
    const end = document === documents[documents.length - 1] ? Infinity : document.range[2]
    const from = start
    const notes: Note[] = comments.filter(({ offset }) => offset >= from && offset < end)
    start = end
    for (const warning of document.warnings) {
      const [problem = 'not plain YAML'] = warning.message.split(/(?: at line \d+|\n)/)
      notes.push({ kind: 'yaml', offset: warning.pos[0], text: problem })
    }
    if (document.contents === null) continue
    trees.push({ root: new Converter(lines, limits).convert(document.contents, 0).node, notes })
  }
  return trees
}

function parse(text: string, lines: Lines): Document.Parsed[] {
  try {
    const documents = yaml().parseAllDocuments(text, {
      intAsBigInt: true,
      // Duplicates are kept, and reported by whoever reads the map.
      uniqueKeys: false,
      schema: 'core',
      merge: false,
      prettyErrors: false,
      logLevel: 'silent',
    })
    return 'empty' in documents ? [] : documents
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw lines.error('ERR_PROFILE_LIMIT', 0, { problem: 'nested too deep to be read', cause })
  }
}

/** Comments, which the tree of yaml has only in part; and size and depth, before anything recurses. */
function scan(text: string, lines: Lines, most: number): Note[] {
  const { CST, Lexer } = yaml()
  const comments: Note[] = []
  let offset = 0
  let flow = 0
  let indicators = 0
  let scalar = false
  let tokens = 0
  for (const token of new Lexer().lex(text)) {
    if (++tokens > most) {
      throw lines.error('ERR_PROFILE_LIMIT', offset, {
        problem: `has more than ${most} tokens of YAML`,
        hint: 'No profile has.',
      })
    }
    // After this mark comes the content of a scalar, whatever it looks like.
    if (token === CST.SCALAR) {
      scalar = true
      continue
    }
    // The other marks do not stand in the text either.
    if (token === CST.DOCUMENT || token === CST.FLOW_END) continue
    const type = scalar ? 'scalar' : CST.tokenType(token)
    scalar = false
    if (type === 'comment') comments.push({ kind: 'comment', offset, text: token })
    else if (type === 'flow-map-start' || type === 'flow-seq-start') flow++
    else if (type === 'flow-map-end' || type === 'flow-seq-end') flow--
    else if (type === 'newline') indicators = 0
    else if (type === 'seq-item-ind' || type === 'explicit-key-ind') indicators++
    const indent = type === 'space' && text[offset - 1] === '\n' ? token.length : 0
    if (flow > MAX_DEPTH || indicators > MAX_DEPTH || indent > MAX_INDENT) {
      throw lines.error('ERR_PROFILE_LIMIT', offset, {
        problem: `nested deeper than ${MAX_DEPTH} levels`,
        hint: 'No profile is.',
      })
    }
    offset += token.length
  }
  return comments
}

/** A value, and how many values it comes to where aliases are followed. */
interface Converted {
  readonly node: TreeNode
  readonly size: number
}

class Converter {
  readonly #lines: Lines
  readonly #limits: Limits
  /** As far as the text goes: an alias stands for the last anchor of its name before it. */
  readonly #anchors = new Map<string, Converted>()

  constructor(lines: Lines, limits: Limits) {
    this.#lines = lines
    this.#limits = limits
  }

  convert(node: ParsedNode, depth: number): Converted {
    const offset = node.range[0]
    if (depth > MAX_DEPTH) {
      throw this.#lines.error('ERR_PROFILE_LIMIT', offset, {
        problem: `nested deeper than ${MAX_DEPTH} levels`,
        hint: 'No profile is.',
      })
    }
    const converted = this.#convert(node, offset, depth)
    if (converted.size > this.#limits.values) {
      throw this.#lines.error('ERR_PROFILE_LIMIT', offset, {
        problem: `comes to more than ${this.#limits.values} values once its aliases are followed`,
      })
    }
    if ('anchor' in node && typeof node.anchor === 'string') {
      this.#anchors.set(node.anchor, converted)
    }
    return converted
  }

  #convert(node: ParsedNode, offset: number, depth: number): Converted {
    const { isAlias, isMap, isSeq } = yaml()
    const [, end] = node.range
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source)
      if (target !== undefined) return target
      throw this.#lines.error('ERR_PROFILE_SYNTAX', offset, {
        problem: 'an alias of an anchor that is not complete before it',
      })
    }
    if (isMap(node)) {
      const members: Member[] = []
      let size = 1
      for (const { key, value } of node.items) {
        const at = key.range[0]
        const name = this.#key(key)
        const converted =
          value === null
            ? { node: { kind: 'null' as const, offset: at, end: key.range[1] }, size: 1 }
            : this.convert(value, depth + 1)
        members.push({ key: name, offset: at, value: converted.node })
        size += converted.size
      }
      return { node: { kind: 'map', offset, end, flow: node.flow === true, members }, size }
    }
    if (isSeq(node)) {
      const items: TreeNode[] = []
      let size = 1
      for (const item of node.items) {
        const converted = this.convert(item, depth + 1)
        items.push(converted.node)
        size += converted.size
      }
      return { node: { kind: 'list', offset, end, flow: node.flow === true, items }, size }
    }
    return { node: this.#scalar(node.value, node.source, { offset, end }), size: 1 }
  }

  #key(key: ParsedNode): string {
    const { isScalar } = yaml()
    const offset = key.range[0]
    if (!isScalar(key)) {
      throw this.#lines.error('ERR_PROFILE_SYNTAX', offset, { problem: 'a key that is not text' })
    }
    const text = typeof key.value === 'string' ? key.value : key.source
    if (text === '<<' && key.type === 'PLAIN') {
      throw this.#lines.error('ERR_PROFILE_SYNTAX', offset, {
        problem: "a merge key ('<<'), which YAML 1.2 does not have and some readers ignore",
        hint: 'Write out what it stands for.',
      })
    }
    return text
  }

  #scalar(value: unknown, source: string, span: { offset: number; end: number }): TreeNode {
    if (typeof value === 'string') return { kind: 'string', ...span, value }
    if (typeof value === 'boolean') return { kind: 'boolean', ...span, value }
    if (value === null) return { kind: 'null', ...span }
    if (typeof value === 'bigint' && !/^-?(0|[1-9]\d*)$/.test(source)) {
      if (this.#limits.ambiguous === 'keep') {
        return { kind: 'number', ...span, value: undefined, source }
      }
      throw this.#lines.error('ERR_PROFILE_SYNTAX', span.offset, {
        problem: 'an integer that YAML 1.1 and 1.2 do not read alike',
        hint: 'Write it in plain decimal digits.',
      })
    }
    return { kind: 'number', ...span, value: toInteger(source), source }
  }
}
