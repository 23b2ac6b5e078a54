/** Our own policies, as JSON or YAML: lib/policy says what is wrong, the tree where it stands. */
import { PolicyError, ProfileError } from '../../errors'
import { hostTarget, type Policy } from '../../policy'
import { normalise } from '../../policy/normalise'
import type { At, Reading } from '../reading'
import { memberPath, type TreeNode } from '../tree'
import type { Profile } from '../types'

/** @throws ProfileError ERR_PROFILE_INVALID, with the PolicyError as its cause */
export function readOwn(reading: Reading, at: At): Omit<Profile, 'faults'> {
  const places = new Map<string, At>()
  const policy = toData(at, places, reading) as Policy
  const place = reading.place(at)
  try {
    normalise(policy, hostTarget())
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause
    const where = nearest(cause.path, places) ?? at
    throw new ProfileError('ERR_PROFILE_INVALID', {
      ...reading.place(where),
      path: cause.path,
      problem: cause.message
        .slice(cause.message.startsWith(cause.path) ? cause.path.length + 2 : 0)
        .replace(/\.$/, ''),
      cause,
    })
  }
  const name = typeof policy.name === 'string' ? { name: policy.name } : {}
  return { dialect: 'seccomp-ts', place, ...name, entries: [], policy }
}

/** The deepest place on the way to a path: of a key that is missing, the object that lacks it. */
function nearest(path: string, places: ReadonlyMap<string, At>): At | undefined {
  for (let part = path; part !== ''; part = part.replace(/(\.[^.[]*|\[[^.[]*)$/, '')) {
    const at = places.get(part)
    if (at !== undefined) return at
    if (!/[.[]/.test(part)) return undefined
  }
  return undefined
}

function toData(at: At, places: Map<string, At>, reading: Reading): unknown {
  const { node, path } = at
  places.set(path, at)
  if (node.kind === 'list') {
    return node.items.map((item, index) =>
      toData({ node: item, path: `${path}[${index}]` }, places, reading),
    )
  }
  if (node.kind === 'map') {
    const data: Record<string, unknown> = {}
    for (const { key, offset, value } of node.members) {
      // The path that lib/policy has for it.
      const below = `${path}.${key}`
      if (Object.hasOwn(data, key)) {
        const where = { node: { ...value, offset }, path: memberPath(path, key) }
        reading.fault('duplicate-key', where, `'${key}' is there twice`)
      }
      // Defined, not assigned: a key called __proto__ is data like any other.
      Object.defineProperty(data, key, {
        value: toData({ node: value, path: below }, places, reading),
        enumerable: true,
        configurable: true,
      })
    }
    return data
  }
  return toScalar(node)
}

/** What JSON.parse would make of it, except that a large integer stays exact. */
function toScalar(node: TreeNode): unknown {
  if (node.kind === 'number') {
    const { value, source } = node
    if (value === undefined) return Number(source)
    const small = Number(value)
    if (Number.isSafeInteger(small)) return small
    return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`
  }
  return node.kind === 'string' || node.kind === 'boolean' ? node.value : null
}
