// A containers or OCI seccomp profile → one neutral list of rules, from which every contestant is
// fed: seccomp-ts as a policy, the C harness of libseccomp as lines of text.
//
// Resolved for x86-64 and a container without capabilities, as a runtime resolves it that hands the
// rules to libseccomp.
'use strict'

const { readFileSync } = require('node:fs')
const { ScriptError } = require('../scripts/common')

/** SECCOMP_RET_* of linux/seccomp.h, and SCMP_ACT_* of seccomp.h: the same numbers. */
const RETURN_VALUES = {
  kill: 0x80000000,
  killThread: 0x00000000,
  trap: 0x00030000,
  errno: 0x00050000,
  notify: 0x7fc00000,
  trace: 0x7ff00000,
  log: 0x7ffc0000,
  allow: 0x7fff0000,
}

/** As the OCI runtime specification and libseccomp name them. */
const ACTIONS = {
  SCMP_ACT_KILL: RETURN_VALUES.killThread,
  SCMP_ACT_KILL_THREAD: RETURN_VALUES.killThread,
  SCMP_ACT_KILL_PROCESS: RETURN_VALUES.kill,
  SCMP_ACT_TRAP: RETURN_VALUES.trap,
  SCMP_ACT_ERRNO: RETURN_VALUES.errno,
  SCMP_ACT_TRACE: RETURN_VALUES.trace,
  SCMP_ACT_LOG: RETURN_VALUES.log,
  SCMP_ACT_ALLOW: RETURN_VALUES.allow,
}

const EPERM = 1
const ERRNO_EPERM = RETURN_VALUES.errno + EPERM

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
function appliesHere({ includes, excludes }) {
  if ((includes?.caps ?? []).length > 0) return false
  if (includes?.arches?.length > 0 && !includes.arches.includes(ARCH)) return false
  return !excludes?.arches?.includes(ARCH)
}

function toCondition({ index, op, value, valueTwo = 0 }) {
  const operator = OPERATORS[op]
  if (operator === undefined) throw new ScriptError(`unknown operator ${op}`)
  for (const number of [value, valueTwo]) {
    if (!Number.isSafeInteger(number)) throw new ScriptError(`${number} is not an exact integer`)
  }
  // libseccomp does not look at bits that are not in the mask.
  const wanted = operator === 'maskedEq' ? Number(BigInt(value) & BigInt(valueTwo)) : 0
  return { index, op: operator, value, valueTwo: wanted }
}

/**
 * The ways in which a group's conditions hold: one, in which all hold together; or, as in runc, one
 * for each condition where two are on the same argument.
 */
function alternatives(args) {
  const conditions = (args ?? []).map(toCondition)
  const indexes = new Set(conditions.map(({ index }) => index))
  if (indexes.size === conditions.length) return [conditions]
  return conditions.map((condition) => [condition])
}

/** A name of an action and its errno (runtimes say EPERM where there is none), as one number. */
function toAction(name, errno) {
  const action = ACTIONS[name]
  if (action === undefined) throw new ScriptError(`cannot say ${name}`)
  return action === RETURN_VALUES.errno ? action + (errno ?? EPERM) : action
}

/**
 * @param profile the parsed JSON of a profile, or of a runtime-spec `config.json`
 * @param isKnown whether x86-64 has a call of that name: the others are left out
 * @returns `{ default, rules: [{ name, action, conditions: [{ index, op, value, valueTwo }] }] }`:
 * a call gets the action of the first of its rules whose conditions all hold (arguments compared in
 * 64 bits, as libseccomp does), else the default; actions are SECCOMP_RET_* values
 */
function resolveProfile(profile, isKnown) {
  const { defaultAction, defaultErrnoRet, syscalls } = profile.linux?.seccomp ?? profile
  if (defaultAction === undefined) throw new ScriptError('not a profile: it has no defaultAction')
  const fallback = toAction(defaultAction, defaultErrnoRet)
  const byName = new Map()
  for (const group of syscalls ?? []) {
    if (!appliesHere(group)) continue
    const action = toAction(group.action, group.errnoRet)
    // Runtimes leave these out; libseccomp refuses them.
    if (action === fallback) continue
    for (const name of group.names ?? [group.name]) {
      if (!isKnown(name)) continue
      const ways = alternatives(group.args).map((conditions) => ({ name, action, conditions }))
      byName.set(name, [...(byName.get(name) ?? []), ...ways])
    }
  }
  const rules = [...byName.keys()].sort().flatMap((name) => {
    const ways = byName.get(name)
    // In libseccomp a rule without conditions takes the place of all with, and of later ones.
    const always = ways.find(({ conditions }) => conditions.length === 0)
    if (always !== undefined) return [always]
    return [...new Map(ways.map((way) => [JSON.stringify(way), way])).values()]
  })
  return { default: fallback, rules }
}

/**
 * The list with every errno made EPERM: no more than "allowed, or allowed if, else EPERM", which
 * every contestant can say.
 */
function foldErrnos({ default: fallback, rules }) {
  const fold = (action) =>
    (action & 0xffff0000) >>> 0 === RETURN_VALUES.errno ? ERRNO_EPERM : action
  const folded = rules
    .map((rule) => ({ ...rule, action: fold(rule.action) }))
    .filter(({ action }) => action !== fold(fallback))
  if (
    fold(fallback) !== ERRNO_EPERM ||
    folded.some(({ action }) => action !== ACTIONS.SCMP_ACT_ALLOW)
  ) {
    throw new ScriptError('not a profile that allows by name and answers an errno otherwise')
  }
  return { default: ERRNO_EPERM, rules: folded }
}

function readProfile(file, isKnown) {
  return resolveProfile(JSON.parse(readFileSync(file, 'utf8')), isKnown)
}

/** seccomp-ts would answer ENOSYS for these where they are not named; libseccomp does not. */
const ANSWERED_BY_LIBRARY = [
  'clone3',
  'openat2',
  'io_uring_setup',
  'io_uring_enter',
  'io_uring_register',
]

/** A SECCOMP_RET_* value in the words of a policy. */
function toWords(value) {
  const data = value & 0xffff
  const [action] = Object.entries(RETURN_VALUES).find(([, each]) => each === value - data)
  if (action === 'errno') return { action, errno: data }
  return action === 'trace' ? { action, data } : { action }
}

/** The list as a policy: plain data, and `arg0` … `arg5`, which are compared in 64 bits. */
function toPolicy({ default: fallback, rules }) {
  const syscalls = {}
  for (const { name, action, conditions } of rules) {
    const when = conditions.map(({ index, op, value, valueTwo }) => [
      `arg${index}`,
      op === 'maskedEq' ? { op, mask: value, value: valueTwo } : { op, value },
    ])
    const rule = when.length === 0 ? {} : { when: Object.fromEntries(when) }
    syscalls[name] = [...(syscalls[name] ?? []), { ...toWords(action), ...rule }]
  }
  for (const name of ANSWERED_BY_LIBRARY) syscalls[name] ??= toWords(fallback)
  return { name: 'profile', default: toWords(fallback), syscalls }
}

/** The list as text, for test/differential/libseccomp.c. */
function toText({ default: fallback, rules, x86 = false }) {
  const lines = rules.map(({ name, action, conditions }) =>
    [
      name,
      action,
      conditions.length,
      ...conditions.flatMap(({ index, op, value, valueTwo }) => [index, op, value, valueTwo]),
    ].join(' '),
  )
  return [`${x86 ? 'default3' : 'default'} ${fallback}`, ...lines, ''].join('\n')
}

module.exports = {
  ACTIONS,
  OPERATORS,
  RETURN_VALUES,
  appliesHere,
  defaultProfile,
  foldErrnos,
  readProfile,
  resolveProfile,
  toPolicy,
  toText,
}
