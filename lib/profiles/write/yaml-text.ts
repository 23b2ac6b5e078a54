/** YAML as kubectl prints it, of the few kinds of values that profiles have. Integers of any size. */
import type { JsonValue } from './json-text'

/** Ends with a line feed. */
export const yamlText = (value: JsonValue): string => `${lines(value).join('\n')}\n`

function lines(value: JsonValue): string[] {
  if (typeof value === 'string' && BLOCK.test(value)) return ['|', ...block(value)]
  if (typeof value !== 'object') return [scalar(value)]
  if (isList(value)) {
    if (value.length === 0) return ['[]']
    return value.flatMap((item) => indented(lines(item), '- '))
  }
  return Object.entries(value).flatMap(([key, member]) => {
    if (member === undefined) return []
    const below = lines(member)
    if (typeof member !== 'object') return [`${key}: ${below[0] ?? ''}`, ...below.slice(1)]
    // A list stands as far left as its key, as in everything Kubernetes prints.
    if (isList(member)) return member.length === 0 ? [`${key}: []`] : [`${key}:`, ...below]
    return [`${key}:`, ...below.map((line) => `  ${line}`)]
  })
}

/** Lines of printable ASCII, the first not indented: as a block it can be read, and is the same. */
const BLOCK = /^[!-~][ -~]*\n(?:[ -~]*[!-~]\n|\n(?!$))*$/

const block = (text: string): string[] =>
  text
    .slice(0, -1)
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))

const indented = (list: readonly string[], first: string): string[] =>
  list.map((line, at) => `${at === 0 ? first : ' '.repeat(first.length)}${line}`)

const isList = (value: object): value is readonly JsonValue[] => Array.isArray(value)

/** Words that YAML of any version reads as text, unquoted. */
const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./-]*$/
const RESERVED = /^(y|n|yes|no|on|off|true|false|null|nan|inf)$/i

function scalar(value: string | number | bigint | boolean): string {
  if (typeof value !== 'string') return String(value)
  return PLAIN.test(value) && !RESERVED.test(value) ? value : JSON.stringify(value)
}
