/** Text from logs: bounded, decoded, and harmless to print. */

/** Control and format characters, line separators, halves of pairs: what a terminal acts on or hides. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Almost everything, and quickly told. */
const PLAIN = /^[\x20-\x7e]*$/

/** The text with such characters as `\u001b`, cut to `limit` characters. */
export function printable(text: string, limit = 4096): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  if (PLAIN.test(cut)) return cut
  return cut.replace(
    UNPRINTABLE,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * A copy. V8 keeps the whole text alive that a piece was cut from, and what is kept of a log is a
 * few words of each megabyte.
 */
export const own = (text: string): string => Buffer.from(text, 'utf8').toString('utf8')

/**
 * A string as audit_log_untrustedstring (kernel/audit.c) writes it: in quotes, or, where it has a
 * quote, a space or a character that is not ASCII, as hexadecimal without them. `(null)` is none.
 */
export function decodeUntrusted(field: string): string | undefined {
  if (field.startsWith('"')) return printable(field.endsWith('"') ? field.slice(1, -1) : field)
  if (field === '' || field === '(null)') return undefined
  if (!/^(?:[0-9A-F]{2})+$/.test(field)) return printable(field)
  // comm may be padded with what follows the first NUL.
  const text = Buffer.from(field, 'hex').toString('utf8')
  return printable(text.replace(/\0+$/, ''))
}

/** A number that JavaScript holds exactly, or undefined. */
export function toNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?(?:0x[0-9a-f]+|\d+)$/i.test(text)) return undefined
  const value = text.startsWith('-') ? -Number(text.slice(1)) : Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}
