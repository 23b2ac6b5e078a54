/**
 * Policy → JSON. Not JSON.stringify, which would ask objects and bigints for a `toJSON` method that a
 * polluted prototype can supply, and so could write something else than was checked.
 */
export function serialise(value: unknown): string {
  if (typeof value === 'bigint') return `"${value < 0n ? '-' : ''}0x${abs(value).toString(16)}"`
  if (Array.isArray(value)) return `[${value.map(serialise).join()}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined)
    return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${serialise(field)}`).join()}}`
  }
  return JSON.stringify(value)
}

const abs = (value: bigint): bigint => (value < 0n ? -value : value)
