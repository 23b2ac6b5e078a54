/**
 * Reading values that come from outside: a policy, a file, an options object.
 *
 * A policy decides what the kernel enforces, so what was checked must be what is used. Each property
 * is read once, from the object itself: nothing inherited (a polluted `Object.prototype` adds no
 * rule and no option), no accessors (they may answer differently the second time).
 */
import { PolicyError } from '../errors'
import { suggest } from '../syscalls'

export type Fields = ReadonlyMap<string, unknown>

const describe = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return `'${value.length > 40 ? value.slice(0, 40) + '…' : value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'undefined'
}

/** How a value is shown in an error message. */
export { describe as describeValue }

/**
 * The own, enumerable data properties of an object, but for those that are undefined: `{ log: undefined }`
 * is how JavaScript spells "not given". @throws PolicyError ERR_POLICY_SHAPE
 */
export function readFields(value: unknown, path: string, what: string): Fields {
  const fields = new Map<string, unknown>()
  forEachField(value, path, what, (key, field) => {
    if (field !== undefined) fields.set(key, field)
  })
  return fields
}

/**
 * Calls `visit` with every property of an object, also with those that are undefined: where a rule was
 * meant, leaving it out would be the opposite of what was asked. @throws PolicyError ERR_POLICY_SHAPE
 */
export function forEachField(
  value: unknown,
  path: string,
  what: string,
  visit: (key: string, field: unknown) => void,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path,
      problem: `expected ${what}, got ${describe(value)}`,
    })
  }
  if (!isPlain(value)) {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path,
      problem: `expected ${what}, got an object of another kind`,
      hint: 'Plain data is read, and nothing that is inherited or inside a Map: write an object literal.',
    })
  }
  for (const key of Object.keys(value)) {
    const property = Object.getOwnPropertyDescriptor(value, key)
    if (property === undefined) continue
    if (!Object.hasOwn(property, 'value')) {
      throw new PolicyError('ERR_POLICY_SHAPE', {
        path: `${path}.${key}`,
        problem: 'is an accessor (get/set)',
        hint: 'A policy is plain data: a getter could answer differently each time it is read.',
      })
    }
    visit(key, property.value)
  }
}

/**
 * Whether all that an object says is in its own properties with names: it is an object literal of any
 * realm, or has no prototype, and no symbol is a key of it.
 */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  const literal = prototype === null || Object.getPrototypeOf(prototype) === null
  return literal && Object.getOwnPropertySymbols(value).length === 0
}

/**
 * The value of an object's only property if it is called that; undefined for anything else, which
 * `readFields` then says what is wrong with.
 */
export function readOnlyField(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !isPlain(value)) return undefined
  const keys = Object.keys(value)
  if (keys.length !== 1 || keys[0] !== name) return undefined
  const property = Object.getOwnPropertyDescriptor(value, name)
  return property !== undefined && Object.hasOwn(property, 'value') ? property.value : undefined
}

/** The elements of an array, holes refused. @throws PolicyError ERR_POLICY_SHAPE */
export function readList(value: unknown, path: string, what: string, limit: number): unknown[] {
  if (!Array.isArray(value)) {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path,
      problem: `expected ${what}, got ${describe(value)}`,
    })
  }
  const { length } = value
  // A Proxy may say anything.
  if (!(length <= limit)) {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path,
      problem: `has ${length} elements, more than the ${limit} that can be read`,
    })
  }
  const elements: unknown[] = []
  for (let index = 0; index < length; index++) {
    const property = Object.getOwnPropertyDescriptor(value, index)
    if (property === undefined || !Object.hasOwn(property, 'value')) {
      throw new PolicyError('ERR_POLICY_SHAPE', {
        path: `${path}[${index}]`,
        problem: 'is a hole or an accessor',
      })
    }
    elements.push(property.value)
  }
  return elements
}

/** Refuses keys that nobody would read. @throws PolicyError ERR_UNKNOWN_KEY */
export function refuseUnknownKeys(
  fields: Fields,
  known: readonly string[],
  path: string,
  what: string,
): void {
  for (const key of fields.keys()) {
    if (!known.includes(key)) {
      throw new PolicyError('ERR_UNKNOWN_KEY', {
        path: `${path}.${key}`,
        problem: `${what} has no '${key}'`,
        suggestion: suggest(key, known),
        hint: `Known: ${known.join(', ')}.`,
      })
    }
  }
}

/**
 * Runs a reader over a foreign value. A Proxy may throw whatever it likes from inside a trap: that
 * too is bad input, and is reported as such.
 */
export function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause
    throw new PolicyError('ERR_POLICY_SHAPE', { path, problem: 'could not be read', cause })
  }
}
