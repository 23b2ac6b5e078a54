// A containers or OCI seccomp profile → one neutral list of rules, from which every contestant is
// fed: seccomp-ts as a policy, the C harness of libseccomp as lines of text.
//
// Resolved for x86-64 and a container without capabilities; every errno is folded to EPERM, so that
// the list says no more than "allowed, or allowed if, else EPERM".
'use strict'

const { readFileSync } = require('node:fs')
const { ScriptError } = require('../scripts/common')

const EPERM = 1

/** Where Debian and Ubuntu have one. It is not ours, so it is read and never copied. */
const defaultProfile = '/usr/share/containers/seccomp.json'

/** GOARCH, as `includes.arches` and `excludes.arches` have it. */
const ARCH = 'amd64'

const OPERATORS = {
  SCMP_CMP_NE: 'ne',
  SCMP_CMP_LT: 'lt',
  SCMP_CMP_LE: 'le',
  SCMP_CMP_EQ: 'eq',
  SCMP_CMP_GE: 'ge',
  SCMP_CMP_GT: 'gt',
  SCMP_CMP_MASKED_EQ: 'maskedEq',
}

/** Whether a group of rules holds here: `includes` must all be met, `excludes` must not. */
function applies({ includes, excludes }) {
  if ((includes?.caps ?? []).length > 0) return false
  if (includes?.arches?.length > 0 && !includes.arches.includes(ARCH)) return false
  return !excludes?.arches?.includes(ARCH)
}

function toCondition({ index, op, value, valueTwo }) {
  const operator = OPERATORS[op]
  if (operator === undefined) throw new ScriptError(`unknown operator ${op}`)
  for (const number of [value, valueTwo ?? 0]) {
    if (!Number.isSafeInteger(number)) throw new ScriptError(`${number} is not an exact integer`)
  }
  return { index, op: operator, value, valueTwo: operator === 'maskedEq' ? valueTwo : 0 }
}

/**
 * The ways in which a group allows: one, in which all conditions hold together; or, as in runc,
 * one for each condition where two are on the same argument.
 */
function alternatives(args) {
  const conditions = (args ?? []).map(toCondition)
  const indexes = new Set(conditions.map(({ index }) => index))
  if (indexes.size === conditions.length) return [conditions]
  return conditions.map((condition) => [condition])
}

/**
 * @param profile the parsed JSON of a profile, or of a runtime-spec `config.json`
 * @param isKnown whether x86-64 has a call of that name: the others are left out
 * @returns `{ errno, rules: [{ name, conditions: [{ index, op, value, valueTwo }] }] }`: a call is
 * allowed if all conditions of one of its rules hold (arguments compared in 64 bits, as libseccomp
 * does), and fails with `errno` otherwise; in other lists, without an `errno`, the process is
 * killed
 */
function resolveProfile(profile, isKnown) {
  const { defaultAction, syscalls } = profile.linux?.seccomp ?? profile
  if (defaultAction !== 'SCMP_ACT_ERRNO' || !Array.isArray(syscalls)) {
    throw new ScriptError('not a profile that allows by name and answers an errno otherwise')
  }
  const byName = new Map()
  for (const group of syscalls) {
    if (!applies(group)) continue
    // The same as the default, once folded.
    if (group.action === 'SCMP_ACT_ERRNO') continue
    if (group.action !== 'SCMP_ACT_ALLOW') throw new ScriptError(`cannot say ${group.action}`)
    for (const name of group.names ?? [group.name]) {
      if (!isKnown(name)) continue
      byName.set(name, [...(byName.get(name) ?? []), ...alternatives(group.args)])
    }
  }
  const rules = []
  for (const name of [...byName.keys()].sort()) {
    const ways = byName.get(name)
    const distinct = new Map(ways.map((way) => [JSON.stringify(way), way]))
    const always = ways.some((way) => way.length === 0)
    for (const conditions of always ? [[]] : distinct.values()) rules.push({ name, conditions })
  }
  return { errno: EPERM, rules }
}

function readProfile(file, isKnown) {
  return resolveProfile(JSON.parse(readFileSync(file, 'utf8')), isKnown)
}

/** seccomp-ts would answer ENOSYS for these where they are not allowed; libseccomp does not. */
const ANSWERED_BY_LIBRARY = [
  'clone3',
  'openat2',
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
]

/** The list as a policy: plain data, and `arg0` … `arg5`, which are compared in 64 bits. */
function toPolicy({ errno, rules }) {
  const denied = errno === undefined ? { action: 'kill' } : { action: 'errno', errno }
  const syscalls = {}
  for (const { name, conditions } of rules) {
    const when = conditions.map(({ index, op, value, valueTwo }) => [
      `arg${index}`,
      op === 'maskedEq' ? { op, mask: value, value: valueTwo } : { op, value },
    ])
    const rule = when.length === 0 ? {} : { when: Object.fromEntries(when) }
    syscalls[name] = [...(syscalls[name] ?? []), { action: 'allow', ...rule }]
  }
  for (const name of ANSWERED_BY_LIBRARY) syscalls[name] ??= denied
  return { name: 'profile', default: denied, syscalls }
}

/** The list as text: `errno N` or `kill 0`, then `name count (index op value valueTwo)*`. */
function toText({ errno, rules }) {
  const lines = rules.map(({ name, conditions }) =>
    [name, conditions.length, ...conditions.flatMap((each) => Object.values(each))].join(' '),
  )
  const fallback = errno === undefined ? 'kill 0' : `errno ${errno}`
  return [fallback, ...lines, ''].join('\n')
}

module.exports = { defaultProfile, readProfile, resolveProfile, toPolicy, toText }
