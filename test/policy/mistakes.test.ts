/** Bad input: each a typed error with its code and where it is. */
import t from 'tap'
import { PolicyError } from '../../lib/errors'
import {
  allow,
  definePolicy,
  eq,
  errno,
  hasAny,
  kill,
  maskedEq,
  oneOf,
  between,
  type Policy,
} from '../../lib/policy'
import { parseOptions } from '../../lib/lockdown/options'

const mistake = (policy: unknown): PolicyError => {
  try {
    definePolicy(policy as Policy)
  } catch (error) {
    if (error instanceof PolicyError) return error
    throw error
  }
  throw new Error('accepted')
}

const withRules = (syscalls: unknown): unknown => ({ default: errno('EPERM'), syscalls })
const withFamily = (comparator: unknown): unknown =>
  withRules({ socket: allow.when({ family: comparator }) })

const cyclic: Record<string, unknown> = { default: errno('EPERM') }
cyclic['syscalls'] = cyclic

class WithGetter {
  readonly default = allow
  get syscalls(): unknown {
    return { execve: kill }
  }
}

const table: Record<string, [policy: unknown, code: string, path: string, suggestion?: string]> = {
  // What reads as empty would let through what it was meant to refuse.
  'a Map of rules': [withRules(new Map([['execve', kill]])), 'ERR_POLICY_SHAPE', '$.syscalls'],
  'a promise of rules': [withRules(Promise.resolve({})), 'ERR_POLICY_SHAPE', '$.syscalls'],
  'inherited rules': [withRules(Object.create({ execve: kill })), 'ERR_POLICY_SHAPE', '$.syscalls'],
  'an instance of a class': [new WithGetter(), 'ERR_POLICY_SHAPE', '$'],
  'a rule under a symbol': [
    withRules({ [Symbol('execve')]: kill }),
    'ERR_POLICY_SHAPE',
    '$.syscalls',
  ],
  'a rule that is undefined': [
    withRules({ execve: undefined }),
    'ERR_POLICY_SHAPE',
    '$.syscalls.execve',
  ],
  'conditions that are undefined': [
    withRules({ socket: { action: 'allow', when: undefined } }),
    'ERR_POLICY_SHAPE',
    '$.syscalls.socket.when',
  ],
  'one of two comparators that is undefined': [
    withRules({ socket: allow.when({ family: eq('AF_INET'), type: undefined }) }),
    'ERR_POLICY_SHAPE',
    '$.syscalls.socket.when.type',
  ],
  'not an object': [null, 'ERR_POLICY_SHAPE', '$'],
  'an array': [[], 'ERR_POLICY_SHAPE', '$'],
  'no default': [{ syscalls: {} }, 'ERR_MISSING_DEFAULT', '$.default'],
  'an empty object': [{}, 'ERR_MISSING_DEFAULT', '$.default'],
  'a default that is no action': [{ default: 'kill' }, 'ERR_POLICY_SHAPE', '$.default'],
  'a misspelt key': [{ default: allow, sycalls: {} }, 'ERR_UNKNOWN_KEY', '$.sycalls', 'syscalls'],
  'a conditional default': [
    { default: { action: 'allow', when: { arg0: eq(1) } } },
    'ERR_POLICY_SHAPE',
    '$.default.when',
  ],
  'an unknown syscall': [
    withRules({ opnat: allow }),
    'ERR_UNKNOWN_SYSCALL',
    '$.syscalls.opnat',
    'openat',
  ],
  'constructor as a syscall': [
    withRules({ constructor: allow }),
    'ERR_UNKNOWN_SYSCALL',
    '$.syscalls.constructor',
  ],
  'an own __proto__': [
    JSON.parse('{"default":{"action":"allow"},"__proto__":{}}'),
    'ERR_UNKNOWN_KEY',
    '$.__proto__',
  ],
  'an unknown action': [
    withRules({ read: { action: 'alow' } }),
    'ERR_UNKNOWN_ACTION',
    '$.syscalls.read.action',
    'allow',
  ],
  'no rule': [withRules({ read: [] }), 'ERR_POLICY_SHAPE', '$.syscalls.read'],
  'a hole in the rules': [
    withRules({ read: new Array(1) }),
    'ERR_POLICY_SHAPE',
    '$.syscalls.read[0]',
  ],
  'an unknown errno': [
    withRules({ read: errno('EPERN' as 'EPERM') }),
    'ERR_UNKNOWN_ERRNO',
    '$.syscalls.read.errno',
    'EPERM',
  ],
  'errno -1': [withRules({ read: errno(-1) }), 'ERR_ERRNO_RANGE', '$.syscalls.read.errno'],
  'errno 4095': [withRules({ read: errno(4095) }), 'ERR_ERRNO_RANGE', '$.syscalls.read.errno'],
  'errno 1.5': [withRules({ read: errno(1.5) }), 'ERR_ERRNO_RANGE', '$.syscalls.read.errno'],
  'errno NaN': [withRules({ read: errno(NaN) }), 'ERR_ERRNO_RANGE', '$.syscalls.read.errno'],
  'errno on allow': [
    withRules({ read: { action: 'allow', errno: 1 } }),
    'ERR_UNKNOWN_KEY',
    '$.syscalls.read.errno',
  ],
  'trace 65536': [
    withRules({ read: { action: 'trace', data: 65536 } }),
    'ERR_TRACE_RANGE',
    '$.syscalls.read.data',
  ],
  'an unknown argument': [
    withRules({ socket: allow.when({ famly: eq(2) }) }),
    'ERR_UNKNOWN_ARGUMENT',
    '$.syscalls.socket.when.famly',
    'family',
  ],
  'a pointer argument': [
    withRules({ openat: allow.when({ filename: eq(0) }) }),
    'ERR_POINTER_ARGUMENT',
    '$.syscalls.openat.when.filename',
  ],
  arg6: [
    withRules({ read: allow.when({ arg6: eq(0) }) }),
    'ERR_UNKNOWN_ARGUMENT',
    '$.syscalls.read.when.arg6',
  ],
  'an empty when': [
    withRules({ read: allow.when({}) }),
    'ERR_POLICY_SHAPE',
    '$.syscalls.read.when',
  ],
  'an unknown comparator': [
    withFamily({ op: 'equals', value: 2 }),
    'ERR_UNKNOWN_COMPARATOR',
    '$.syscalls.socket.when.family.op',
  ],
  'constructor as a comparator': [
    withFamily({ op: 'constructor', value: 2 }),
    'ERR_UNKNOWN_COMPARATOR',
    '$.syscalls.socket.when.family.op',
  ],
  'an unknown constant': [
    withFamily(eq('AF_INTE')),
    'ERR_UNKNOWN_CONSTANT',
    '$.syscalls.socket.when.family.value',
    'AF_INET',
  ],
  'a constant of another family': [
    withFamily(eq('SOCK_RAW')),
    'ERR_UNKNOWN_CONSTANT',
    '$.syscalls.socket.when.family.value',
  ],
  'a fraction': [withFamily(eq(1.5)), 'ERR_VALUE_TYPE', '$.syscalls.socket.when.family.value'],
  NaN: [withFamily(eq(NaN)), 'ERR_VALUE_TYPE', '$.syscalls.socket.when.family.value'],
  Infinity: [withFamily(eq(Infinity)), 'ERR_VALUE_TYPE', '$.syscalls.socket.when.family.value'],
  'an inexact number': [
    withFamily(eq(2 ** 60)),
    'ERR_VALUE_TYPE',
    '$.syscalls.socket.when.family.value',
  ],
  'an object as a value': [
    withFamily({ op: 'eq', value: {} }),
    'ERR_VALUE_TYPE',
    '$.syscalls.socket.when.family.value',
  ],
  'no value': [withFamily({ op: 'eq' }), 'ERR_VALUE_TYPE', '$.syscalls.socket.when.family.value'],
  'an int above 2^32 - 1': [
    withFamily(eq(2 ** 32)),
    'ERR_VALUE_RANGE',
    '$.syscalls.socket.when.family.value',
  ],
  'an int below -2^31': [
    withFamily(eq(-(2 ** 31) - 1)),
    'ERR_VALUE_RANGE',
    '$.syscalls.socket.when.family.value',
  ],
  'below 0 where unsigned': [
    withRules({ ioctl: allow.when({ cmd: eq(-1) }) }),
    'ERR_VALUE_RANGE',
    '$.syscalls.ioctl.when.cmd.value',
  ],
  'a raw argument below 0': [
    withRules({ read: allow.when({ arg0: eq(-1) }) }),
    'ERR_VALUE_RANGE',
    '$.syscalls.read.when.arg0.value',
  ],
  'a raw argument above 2^64 - 1': [
    withRules({ read: allow.when({ arg0: eq(2n ** 64n) }) }),
    'ERR_VALUE_RANGE',
    '$.syscalls.read.when.arg0.value',
  ],
  'a second value out of range': [
    withFamily(oneOf(1, 2 ** 33)),
    'ERR_VALUE_RANGE',
    '$.syscalls.socket.when.family.values[1]',
  ],
  'an empty set': [withFamily(oneOf()), 'ERR_POLICY_SHAPE', '$.syscalls.socket.when.family.values'],
  'flags without a bit': [
    withFamily(hasAny(0)),
    'ERR_VALUE_RANGE',
    '$.syscalls.socket.when.family.flags',
  ],
  'width 32': [
    withFamily({ op: 'eq', value: 2, width: 32 }),
    'ERR_VALUE_TYPE',
    '$.syscalls.socket.when.family.width',
  ],
  'a range upside down': [
    withFamily(between(5, 3)),
    'ERR_UNREACHABLE_RULE',
    '$.syscalls.socket.when.family',
  ],
  'a masked value outside its mask': [
    withFamily(maskedEq(1, 2)),
    'ERR_UNREACHABLE_RULE',
    '$.syscalls.socket.when.family',
  ],
  'a rule twice': [
    withRules({
      socket: [allow.when({ family: eq(2) }), errno(1).when({ family: eq('AF_INET') })],
    }),
    'ERR_DUPLICATE_RULE',
    '$.syscalls.socket[1]',
  ],
  'a rule after one that always holds': [
    withRules({ socket: [allow, errno(1).when({ family: eq(2) })] }),
    'ERR_UNREACHABLE_RULE',
    '$.syscalls.socket[1]',
  ],
  'a rule that an earlier one covers': [
    withRules({
      socket: [allow.when({ family: oneOf(1, 2) }), errno(1).when({ family: eq(2), type: eq(1) })],
    }),
    'ERR_UNREACHABLE_RULE',
    '$.syscalls.socket[1]',
  ],
  'a baseline that is no version': [
    { default: errno('EPERM'), baseline: 'new' },
    'ERR_BASELINE',
    '$.baseline',
  ],
  'a ceiling that is no call': [
    { default: errno('EPERM'), ceiling: 'statxx' },
    'ERR_UNKNOWN_SYSCALL',
    '$.ceiling',
  ],
  'a ceiling that is a number': [
    { default: errno('EPERM'), ceiling: 332 },
    'ERR_POLICY_SHAPE',
    '$.ceiling',
  ],
  'a baseline without an errno default': [
    { default: { action: 'kill' }, baseline: '5.10' },
    'ERR_BASELINE',
    '$.baseline',
  ],
  'a cyclic policy': [
    cyclic,
    'ERR_POLICY_SHAPE',
    '$.syscalls.syscalls.syscalls.syscalls.syscalls.syscalls.syscalls.default',
  ],
  'a getter': [
    Object.defineProperty({}, 'default', { enumerable: true, get: () => allow }),
    'ERR_POLICY_SHAPE',
    '$.default',
  ],
  'a throwing proxy': [
    new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no')
        },
      },
    ),
    'ERR_POLICY_SHAPE',
    '$',
  ],
  'a function as data': [{ default: () => allow }, 'ERR_POLICY_SHAPE', '$.default'],
}

for (const [name, [policy, code, path, suggestion]] of Object.entries(table)) {
  t.test(name, async (t) => {
    const error = mistake(policy)
    t.equal(error.code, code, error.message)
    t.equal(error.path, path, error.message)
    if (suggestion !== undefined) t.equal(error.suggestion, suggestion)
    t.match(error.message, error.path, 'the message says where')
  })
}

t.test('frozen policies are fine', async (t) => {
  const policy = Object.freeze({
    default: errno('EPERM'),
    syscalls: Object.freeze({ read: allow }),
  })
  t.equal(definePolicy(policy).default.action, 'errno')
})

t.test('what was defined cannot be changed afterwards', async (t) => {
  const syscalls: Record<string, unknown> = { read: allow }
  const policy = definePolicy({ default: errno('EPERM'), syscalls })
  syscalls['execve'] = allow
  t.same(Object.keys(policy.syscalls ?? {}), ['read'])
  t.throws(() => {
    ;(policy as { default: unknown }).default = allow
  }, TypeError)
})

t.test('a polluted Object.prototype adds no rule and no option', async (t) => {
  const polluted = Object.prototype as unknown as Record<string, unknown>
  polluted['default'] = allow
  polluted['when'] = { arg0: eq(1) }
  polluted['ioUring'] = 'allow-enter'
  polluted['noNewPrivs'] = false
  try {
    t.equal(mistake({ syscalls: {} }).code, 'ERR_MISSING_DEFAULT')
    t.same(
      JSON.stringify(definePolicy({ default: errno(1) })),
      '{"default":{"action":"errno","errno":1}}',
    )
    t.equal(parseOptions({}).ioUring, 'auto')
    t.equal(parseOptions({}).noNewPrivs, true)
  } finally {
    for (const name of ['default', 'when', 'ioUring', 'noNewPrivs']) delete polluted[name]
  }
})

t.test('options', async (t) => {
  const refused = (options: unknown): string => {
    try {
      parseOptions(options)
    } catch (error) {
      if (error instanceof PolicyError) return `${error.code} ${error.path}`
      throw error
    }
    return 'accepted'
  }
  t.equal(refused({ ioUring: 'retired' }), 'ERR_OPTION options.ioUring')
  t.equal(refused({ log: 1 }), 'ERR_OPTION options.log')
  t.equal(refused({ tsync: false }), 'ERR_UNKNOWN_KEY options.tsync')
  t.equal(refused('auto'), 'ERR_POLICY_SHAPE options')
  t.equal(refused(undefined), 'accepted')
})
