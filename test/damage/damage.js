'use strict'
/**
 * Policies as no one would write them: a good one with something broken, or nonsense from scratch.
 * Seeded, so that what is found can be found again. Plain JavaScript: used by a test, and by
 * scripts/asan-policies.js under the sanitizers.
 */

/** mulberry32: small, fast, and the same everywhere. */
function random(seed) {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n) => Math.floor(next() * n)
  const pick = (list) => list[below(list.length)]
  return { next, below, pick }
}

const words = [
  ...['default', 'syscalls', 'name', 'baseline', 'action', 'errno', 'data', 'when', 'op', 'value'],
  'ceiling',
  ...['values', 'flags', 'mask', 'min', 'max', 'width', 'allow', 'kill', 'log', 'trap', 'trace'],
  ...['notify', 'eq', 'ne', 'lt', 'between', 'oneOf', 'noneOf', 'maskedEq', 'hasAll', 'hasAny'],
  ...['read', 'openat', 'socket', 'ioctl', 'clone', 'family', 'cmd', 'arg0', 'arg5', 'EPERM'],
  ...['AF_INET', 'SELF', '__proto__', 'constructor', 'toString', '', '5.10', '0xffffffffffffffff'],
]

const scalar = ({ below, pick, next }) =>
  pick([
    () => below(2 ** 31),
    () => -below(2 ** 31),
    () => below(16),
    () => next() * 1e20,
    () => next() - 0.5,
    () => BigInt(below(2 ** 31)) ** BigInt(below(4)),
    () => -1n,
    () => 2n ** 64n,
    () => pick(words),
    () => pick([null, undefined, true, NaN, Infinity, -0, Symbol('s'), () => 0]),
  ])()

function value(source, depth) {
  const { below, pick } = source
  if (depth === 0 || below(3) === 0) return scalar(source)
  if (below(3) === 0) return Array.from({ length: below(5) }, () => value(source, depth - 1))
  return Object.fromEntries(
    Array.from({ length: below(5) }, () => [pick(words), value(source, depth - 1)]),
  )
}

/** Every place in a value, which may refer to itself: [container, key]. */
function places(root, found = [], depth = 0) {
  if (typeof root !== 'object' || root === null || depth > 6 || found.length > 5000) return found
  for (const key of Object.keys(root)) {
    found.push([root, key])
    places(root[key], found, depth + 1)
  }
  return found
}

function damage(policy, source) {
  const { below, pick } = source
  const root = { policy: structuredClone(policy) }
  for (let i = 0; i <= below(4); i++) {
    const found = places(root)
    if (found.length === 0) break
    const [container, key] = pick(found)
    const change = below(7)
    if (change === 0) delete container[key]
    else if (change === 1) container[key] = value(source, 3)
    else if (change === 2) container[key] = scalar(source)
    else if (change === 3 && typeof container[key] === 'object')
      container[pick(words)] = container[key]
    else if (change === 4) container[key] = [container[key], container[key]]
    else if (change === 5)
      container[key] = root.policy // cyclic
    else if (Array.isArray(container[key])) container[key].length = below(1000)
    else container[key] = scalar(source)
  }
  return root.policy
}

/** The `count` damaged policies that follow from a seed. */
function* damagedPolicies(policy, seed, count) {
  const source = random(seed)
  const plain = JSON.parse(JSON.stringify(policy))
  for (let i = 0; i < count; i++) {
    yield source.below(5) === 0 ? value(source, 5) : damage(plain, source)
  }
}

module.exports = { damagedPolicies }
