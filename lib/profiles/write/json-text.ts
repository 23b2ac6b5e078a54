/** JSON as it is kept in Git: two spaces, one value a line, integers of any size exact. */

export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | readonly JsonValue[]
  /** Members that are undefined are left out. */
  | { readonly [key: string]: JsonValue | undefined }

/** Ends with a line feed. */
export const jsonText = (value: JsonValue): string => `${write(value, '')}\n`

function write(value: JsonValue, indent: string): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object') return JSON.stringify(value)
  const inner = `${indent}  `
  const [open, close, items] = isList(value)
    ? ['[', ']', value.map((item) => write(item, inner))]
    : [
        '{',
        '}',
        Object.entries(value).flatMap(([key, member]) =>
          member === undefined ? [] : [`${JSON.stringify(key)}: ${write(member, inner)}`],
        ),
      ]
  if (items.length === 0) return `${open}${close}`
  return `${open}\n${items.map((item) => `${inner}${item}`).join(',\n')}\n${indent}${close}`
}

const isList = (value: object): value is readonly JsonValue[] => Array.isArray(value)
