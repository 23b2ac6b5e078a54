/**
 * Untrusted value → policy data of known shape. What does not depend on an architecture is checked
 * here; names and values of arguments are checked where their C types are known, in normalise.ts.
 */
import { PolicyError } from '../errors'
import {
  errnoNames,
  errnoValue,
  isSyscallName,
  suggest,
  syscallNames,
  type SyscallName,
} from '../syscalls'
import type { ActionName } from './actions'
import {
  describeValue,
  forEachField,
  readFields,
  readList,
  readOnlyField,
  reading,
  refuseUnknownKeys,
} from './snapshot'

/** A comparator whose shape is known and whose values are still as they were written. */
export interface ParsedComparator {
  readonly op: string
  /** One list for each property the comparator has: `[min], [max]`, or `[flag, flag, …]`. */
  readonly operands: readonly (readonly ParsedOperand[])[]
  readonly wide: boolean
  readonly path: string
}

export interface ParsedOperand {
  readonly value: unknown
  readonly path: string
}

export interface ParsedAction {
  readonly action: ActionName
  /** SECCOMP_RET_DATA: the errno, or the tracer's datum. */
  readonly data: number
}

export interface ParsedRule extends ParsedAction {
  readonly conditions: ReadonlyMap<string, ParsedComparator>
  readonly path: string
}

export interface ParsedPolicy {
  readonly name: string | undefined
  readonly default: ParsedAction
  readonly baseline: string | undefined
  readonly ceiling: SyscallName | undefined
  readonly syscalls: ReadonlyMap<SyscallName, readonly ParsedRule[]>
}

/** linux/errno.h: MAX_ERRNO is 4095 and the kernel clamps to it; libseccomp stops at 4094 too. */
const MAX_ERRNO = 4094

/** More than any program of 4,096 instructions can test, few enough to read at once. */
const MAX_RULES = 4096
const MAX_VALUES = 65536

const ACTIONS: readonly ActionName[] = [
  'allow',
  'errno',
  'kill',
  'killThread',
  'trap',
  'trace',
  'log',
  'notify',
]

/** Every comparator and the properties that hold its operands. */
const COMPARATORS: Readonly<Record<string, readonly string[]>> = Object.freeze({
  __proto__: null,
  eq: ['value'],
  ne: ['value'],
  lt: ['value'],
  le: ['value'],
  gt: ['value'],
  ge: ['value'],
  between: ['min', 'max'],
  oneOf: ['values'],
  noneOf: ['values'],
  maskedEq: ['mask', 'value'],
  hasAll: ['flags'],
  hasAny: ['flags'],
  hasNone: ['flags'],
} as unknown as Record<string, readonly string[]>)

const KEYS = ['$schema', 'name', 'default', 'baseline', 'ceiling', 'syscalls']

/** @throws PolicyError */
export function parsePolicy(input: unknown): ParsedPolicy {
  return reading('$', () => parseRoot(input))
}

function parseRoot(input: unknown): ParsedPolicy {
  const fields = readFields(input, '$', 'a policy object')
  if (fields.has('defaultAction')) {
    throw new PolicyError('ERR_UNKNOWN_KEY', {
      path: '$.defaultAction',
      problem: 'this is a profile for containers and no policy',
      hint: 'fromOci makes a policy of it.',
    })
  }
  refuseUnknownKeys(fields, KEYS, '$', 'a policy')

  const name = fields.get('name')
  if (name !== undefined && typeof name !== 'string') {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path: '$.name',
      problem: `expected a string, got ${describeValue(name)}`,
    })
  }
  if (!fields.has('default')) {
    throw new PolicyError('ERR_MISSING_DEFAULT', {
      path: '$.default',
      problem: 'a policy must say what a call gets that no rule decides',
      hint: "Start from { ...webServer }, or write default: errno('EPERM') and name all that Node needs: without it, Node crashes.",
    })
  }
  const fallback = parseRule(fields.get('default'), '$.default')
  if (fallback.conditions.size > 0) {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path: '$.default.when',
      problem: 'the default decides what no rule does, so it cannot have conditions',
    })
  }

  const syscalls = new Map<SyscallName, readonly ParsedRule[]>()
  if (fields.has('syscalls')) {
    forEachField(fields.get('syscalls'), '$.syscalls', 'an object of rules', (name, rules) => {
      const path = `$.syscalls.${name}`
      syscalls.set(parseName(name, path), parseRules(rules, path))
    })
  }
  limitValues(syscalls)
  return {
    name,
    default: { action: fallback.action, data: fallback.data },
    baseline: parseBaseline(fields.get('baseline'), fallback.action),
    ceiling: parseCeiling(fields.get('ceiling')),
    syscalls,
  }
}

/** Few enough to compare the rules with each other. */
function limitValues(syscalls: ParsedPolicy['syscalls']): void {
  let values = 0
  for (const rules of syscalls.values()) {
    for (const { conditions } of rules) {
      for (const { operands } of conditions.values()) {
        for (const list of operands) values += list.length
      }
    }
  }
  if (values <= MAX_VALUES) return
  throw new PolicyError('ERR_POLICY_SHAPE', {
    path: '$.syscalls',
    problem: `has ${values} values in all, more than the ${MAX_VALUES} that can be read`,
    hint: 'Use ranges or masks.',
  })
}

function parseBaseline(value: unknown, fallback: ActionName): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^\d{1,3}\.\d{1,4}$/.test(value)) {
    throw new PolicyError('ERR_BASELINE', {
      path: '$.baseline',
      problem: `expected a kernel version such as '5.10', got ${describeValue(value)}`,
    })
  }
  if (fallback !== 'errno') {
    throw new PolicyError('ERR_BASELINE', {
      path: '$.baseline',
      problem: `makes newer system calls answer ENOSYS instead of an errno default, and the default here is '${fallback}'`,
      hint: "Use default: errno('EPERM'), or leave baseline out.",
    })
  }
  return value
}

function parseCeiling(value: unknown): SyscallName | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string') return parseName(value, '$.ceiling')
  throw new PolicyError('ERR_POLICY_SHAPE', {
    path: '$.ceiling',
    problem: `expected the name of a system call, got ${describeValue(value)}`,
  })
}

function parseName(name: string, path: string): SyscallName {
  if (isSyscallName(name)) return name
  throw new PolicyError('ERR_UNKNOWN_SYSCALL', {
    path,
    problem: `there is no system call '${name}'`,
    suggestion: suggest(name, syscallNames()),
  })
}

function parseRules(value: unknown, path: string): ParsedRule[] {
  if (!Array.isArray(value)) return [parseRule(value, path)]
  const rules = readList(value, path, 'rules', MAX_RULES)
  if (rules.length === 0) {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path,
      problem: 'has no rule',
      hint: 'Leave the system call out to give it the default.',
    })
  }
  return rules.map((rule, index) => parseRule(rule, `${path}[${index}]`))
}

const NO_CONDITIONS: ReadonlyMap<string, ParsedComparator> = new Map()

function parseRule(value: unknown, path: string): ParsedRule {
  // Nine rules in ten.
  const alone = readOnlyField(value, 'action')
  if (isActionName(alone) && !carriesData(alone)) {
    return { action: alone, data: 0, conditions: NO_CONDITIONS, path }
  }
  const fields = new Map<string, unknown>()
  forEachField(value, path, "an action such as allow or errno('EPERM')", (key, field) => {
    // Conditions that came to nothing are no reason to do without.
    if (field !== undefined || key === 'when') fields.set(key, field)
  })
  refuseUnknownKeys(fields, ['action', 'errno', 'data', 'when'], path, 'a rule')
  const action = fields.get('action')
  if (!isActionName(action)) {
    throw new PolicyError('ERR_UNKNOWN_ACTION', {
      path: `${path}.action`,
      problem: `${describeValue(action)} is no action`,
      suggestion: typeof action === 'string' ? suggest(action, ACTIONS) : undefined,
      hint: `Known: ${ACTIONS.join(', ')}.`,
    })
  }
  return {
    action,
    data: parseData(action, fields.get('errno'), fields.get('data'), path),
    conditions: fields.has('when') ? parseConditions(fields.get('when'), path) : NO_CONDITIONS,
    path,
  }
}

const carriesData = (action: ActionName): boolean => action === 'errno' || action === 'trace'

const isActionName = (value: unknown): value is ActionName =>
  typeof value === 'string' && (ACTIONS as readonly string[]).includes(value)

function parseData(action: ActionName, error: unknown, data: unknown, path: string): number {
  if (error !== undefined && action !== 'errno') {
    throw new PolicyError('ERR_UNKNOWN_KEY', {
      path: `${path}.errno`,
      problem: `action '${action}' carries no errno`,
    })
  }
  if (data !== undefined && action !== 'trace') {
    throw new PolicyError('ERR_UNKNOWN_KEY', {
      path: `${path}.data`,
      problem: `action '${action}' carries no data`,
    })
  }
  if (action === 'errno') return parseErrno(error, `${path}.errno`)
  if (action === 'trace') {
    if (typeof data !== 'number' || !Number.isInteger(data) || data < 0 || data > 0xffff) {
      throw new PolicyError('ERR_TRACE_RANGE', {
        path: `${path}.data`,
        problem: `expected an integer from 0 to 65535, got ${describeValue(data)}`,
      })
    }
    return data
  }
  return 0
}

function parseErrno(value: unknown, path: string): number {
  if (typeof value === 'string') {
    const number = errnoValue(value)
    if (number === undefined) {
      throw new PolicyError('ERR_UNKNOWN_ERRNO', {
        path,
        problem: `there is no errno '${value}'`,
        suggestion: suggest(value, errnoNames()),
      })
    }
    return number
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_ERRNO) {
    throw new PolicyError('ERR_ERRNO_RANGE', {
      path,
      problem: `expected an errno name or an integer from 0 to ${MAX_ERRNO}, got ${describeValue(value)}`,
    })
  }
  return value
}

function parseConditions(value: unknown, rulePath: string): ReadonlyMap<string, ParsedComparator> {
  const path = `${rulePath}.when`
  const conditions = new Map<string, ParsedComparator>()
  forEachField(value, path, 'an object of comparators by argument name', (argument, comparator) => {
    conditions.set(argument, parseComparator(comparator, `${path}.${argument}`))
  })
  if (conditions.size === 0) {
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path,
      problem: 'has no condition',
      hint: 'Leave `when` out for a rule that always holds.',
    })
  }
  return conditions
}

function parseComparator(value: unknown, path: string): ParsedComparator {
  const fields = readFields(value, path, "a comparator such as eq('AF_INET')")
  const op = fields.get('op')
  const keys = typeof op === 'string' ? COMPARATORS[op] : undefined
  if (typeof op !== 'string' || keys === undefined) {
    throw new PolicyError('ERR_UNKNOWN_COMPARATOR', {
      path: `${path}.op`,
      problem: `${describeValue(op)} is no comparator`,
      suggestion: typeof op === 'string' ? suggest(op, Object.keys(COMPARATORS)) : undefined,
      hint: `Known: ${Object.keys(COMPARATORS).join(', ')}.`,
    })
  }
  refuseUnknownKeys(fields, ['op', 'width', ...keys], path, `comparator '${op}'`)
  const width = fields.get('width')
  if (width !== undefined && width !== 64) {
    throw new PolicyError('ERR_VALUE_TYPE', {
      path: `${path}.width`,
      problem: `only 64 can be asked for, got ${describeValue(width)}`,
      hint: "Without it, an argument is compared in its C type's width.",
    })
  }
  const operands = keys.map((key) => {
    const at = `${path}.${key}`
    const value = fields.get(key)
    const takesList = key === 'values' || key === 'flags'
    const maskAsList = op === 'maskedEq' && Array.isArray(value)
    if (!takesList && !maskAsList) return [{ value, path: at }]
    const list = readList(value, at, 'a list of values', MAX_VALUES)
    if (list.length === 0) {
      throw new PolicyError('ERR_POLICY_SHAPE', { path: at, problem: 'is an empty list' })
    }
    return list.map((value, index) => ({ value, path: `${at}[${index}]` }))
  })
  return { op, operands, wide: width === 64, path }
}
