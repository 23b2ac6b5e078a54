/**
 * JSON → tree. The scanner is jsonc-parser's, which sees comments and the source of every number; the
 * tree is built here, without recursion, because its parser keeps neither and recurses.
 */
import type * as Jsonc from 'jsonc-parser'
import type { JSONScanner } from 'jsonc-parser'
import { loadLate } from '../late'
import {
  MAX_DEPTH,
  MAX_VALUES,
  toInteger,
  type Lines,
  type Member,
  type Note,
  type Tree,
  type TreeNode,
} from './tree'

/**
 * Loaded only when a profile is read: a lockdown needs no package but this one. The scanner alone: the
 * package's main file reads four more, and a command that asks about a profile waits for each.
 */
const jsonc = (): Pick<typeof Jsonc, 'createScanner'> =>
  loadLate(() => require('jsonc-parser/lib/umd/impl/scanner')) as typeof Jsonc

/** jsonc-parser's SyntaxKind and ScanError, which it declares in a way that cannot be imported. */
const Token = {
  openBrace: 1,
  closeBrace: 2,
  openBracket: 3,
  closeBracket: 4,
  comma: 5,
  colon: 6,
  null: 7,
  true: 8,
  false: 9,
  string: 10,
  number: 11,
  lineComment: 12,
  blockComment: 13,
  lineBreak: 14,
  trivia: 15,
  end: 17,
} as const

const SCAN_ERRORS = [
  '',
  'a comment that does not end',
  'a string that does not end',
  'a number that does not end',
  'a \\u escape that is not four hexadecimal digits',
  'an escape that JSON does not have',
  'a control character in a string',
]

/** What is being filled: where the next value goes. */
type Open =
  | { readonly kind: 'map'; readonly offset: number; readonly members: Member[]; key?: Key }
  | { readonly kind: 'list'; readonly offset: number; readonly items: TreeNode[] }
interface Key {
  readonly key: string
  readonly offset: number
}

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'end'

const EXPECTED: Readonly<Record<Expected, string>> = {
  value: 'a value',
  'value or ]': "a value or ']'",
  key: 'a key in quotes',
  'key or }': "a key in quotes or '}'",
  ':': "':'",
  ', or end': "',' or the end of the list or object",
  end: 'nothing more',
}

/** @throws ProfileError ERR_PROFILE_SYNTAX, ERR_PROFILE_LIMIT */
export function parseJson(text: string, lines: Lines): Tree {
  const scanner = jsonc().createScanner(text, false)
  const notes: Note[] = []
  const stack: Open[] = []
  let expected = 'value' as Expected
  let root: TreeNode | undefined
  let values = 0

  const wrong = (found: string): Error => {
    const several = expected === 'end' && found !== 'the end'
    return lines.error('ERR_PROFILE_SYNTAX', scanner.getTokenOffset(), {
      problem: `expected ${EXPECTED[expected]}, found ${found}`,
      ...(several ? { hint: 'Read one profile at a time.' } : {}),
    })
  }
  const put = (value: TreeNode): void => {
    if (++values > MAX_VALUES) {
      throw lines.error('ERR_PROFILE_LIMIT', value.offset, {
        problem: `has more than ${MAX_VALUES} values`,
        hint: 'No profile has.',
      })
    }
    const open = stack[stack.length - 1]
    if (open === undefined) root = value
    else if (open.kind === 'list') open.items.push(value)
    else if (open.key !== undefined) open.members.push({ ...open.key, value })
    expected = open === undefined ? 'end' : ', or end'
  }
  const begin = (open: Open): void => {
    if (stack.length === MAX_DEPTH) {
      throw lines.error('ERR_PROFILE_LIMIT', open.offset, {
        problem: `nested deeper than ${MAX_DEPTH} levels`,
        hint: 'No profile is.',
      })
    }
    stack.push(open)
    expected = open.kind === 'map' ? 'key or }' : 'value or ]'
  }
  const finish = (kind: Open['kind'], found: string): void => {
    const open = stack[stack.length - 1]
    const may = expected === ', or end' || expected === 'key or }' || expected === 'value or ]'
    if (open?.kind !== kind || !may) throw wrong(found)
    stack.pop()
    if (open.kind === 'map') delete open.key
    put(open)
  }
  const wantsValue = (): boolean => expected === 'value' || expected === 'value or ]'

  for (;;) {
    const token: number = scanner.scan()
    const offset = scanner.getTokenOffset()
    const error: number = scanner.getTokenError()
    if (error !== 0) {
      throw lines.error('ERR_PROFILE_SYNTAX', offset, {
        problem: SCAN_ERRORS[error] ?? 'not JSON',
      })
    }
    if (token === Token.lineBreak || token === Token.trivia) continue
    if (token === Token.lineComment || token === Token.blockComment) {
      notes.push({ kind: 'comment', offset, text: scanner.getTokenValue() })
      continue
    }
    const open = stack[stack.length - 1]
    if (token === Token.end) {
      if (root === undefined || expected !== 'end') throw wrong('the end')
      return { root, syntax: 'json', notes }
    }
    if (token === Token.closeBrace) finish('map', "'}'")
    else if (token === Token.closeBracket) finish('list', "']'")
    else if (token === Token.comma) {
      if (expected !== ', or end' || open === undefined) throw wrong("','")
      expected = open.kind === 'map' ? 'key' : 'value'
    } else if (token === Token.colon) {
      if (expected !== ':') throw wrong("':'")
      expected = 'value'
    } else if (token === Token.string && (expected === 'key' || expected === 'key or }')) {
      if (open?.kind === 'map') open.key = { key: scanner.getTokenValue(), offset }
      expected = ':'
    } else if (!wantsValue()) throw wrong(describeToken(scanner))
    else if (token === Token.openBrace) begin({ kind: 'map', offset, members: [] })
    else if (token === Token.openBracket) begin({ kind: 'list', offset, items: [] })
    else if (token === Token.string) put({ kind: 'string', offset, value: scanner.getTokenValue() })
    else if (token === Token.number) {
      const source = scanner.getTokenValue()
      put({ kind: 'number', offset, value: toInteger(source), source })
    } else if (token === Token.true || token === Token.false) {
      put({ kind: 'boolean', offset, value: token === Token.true })
    } else if (token === Token.null) put({ kind: 'null', offset })
    else throw wrong(describeToken(scanner))
  }
}

function describeToken(scanner: JSONScanner): string {
  const text = scanner.getTokenValue().slice(0, 24)
  return JSON.stringify(text)
}
