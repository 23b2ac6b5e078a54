/** What in a policy does nothing. */
import t from 'tap'
import { lint } from '../../lib/analysis/lint'
import {
  allow,
  between,
  eq,
  errno,
  ge,
  gt,
  kill,
  le,
  lt,
  ne,
  oneOf,
  type Policy,
} from '../../lib/policy'
import { noNewRings, webServer } from '../../lib/promises'

const target = { arch: 'x86_64', pid: 4242 } as const
const found = (syscalls: NonNullable<Policy['syscalls']>, more: Partial<Policy> = {}): string[] =>
  lint({ default: errno('EPERM'), ...more, syscalls }, target).map(
    ({ rule, severity, path }) => `${severity} ${rule} ${path}`,
  )

t.test('a good policy has nothing', async (t) => {
  t.same(found({ read: allow, socket: [allow.when({ family: eq(2) }), errno('EACCES')] }), [])
  t.same(lint(noNewRings, target), [])
})

t.test('a rule that earlier ones cover together', async (t) => {
  const rules = [
    allow.when({ whence: le(2) }),
    kill.when({ whence: ge(2) }),
    errno('EACCES').when({ offset: eq(5) }),
  ]
  t.same(found({ lseek: rules }), ['error shadowed-rule $.syscalls.lseek[2]'])
  t.same(found({ lseek: [rules[0]!, kill.when({ whence: gt(3) }), rules[2]!] }), [], 'but for 3')
})

t.test('conditions that exclude each other', async (t) => {
  t.same(found({ lseek: [allow.when({ offset: lt(5), arg1: between(5, 9) }), kill] }), [
    'error impossible-rule $.syscalls.lseek[0]',
  ])
})

t.test('a condition that an unconditional rule makes meaningless', async (t) => {
  t.same(found({ read: [allow.when({ fd: eq(3) }), allow] }), [
    'warning widened-rule $.syscalls.read[0]',
  ])
  t.same(found({ read: [allow.when({ fd: eq(3) }), kill.when({ fd: eq(4) }), allow] }), [
    'warning widened-rule $.syscalls.read[0]',
  ])
})

t.test('a rule that changes nothing', async (t) => {
  t.same(found({ read: [allow.when({ fd: eq(3) }), errno('EPERM')] }), [
    'warning redundant-rule $.syscalls.read[1]',
  ])
  t.same(found({ lseek: [allow.when({ offset: eq(3) }), allow.when({ offset: lt(9) }), kill] }), [
    'warning redundant-rule $.syscalls.lseek[0]',
  ])
})

t.test('conditions that always hold, and those that others imply', async (t) => {
  t.same(found({ mmap: allow.when({ len: ge(0), prot: ne(4) }) }), [
    'warning constant-condition $.syscalls.mmap.when.len',
  ])
  t.same(found({ socket: allow.when({ family: oneOf(2, 10), arg0: eq(2) }) }), [
    'note implied-condition $.syscalls.socket.when.family',
  ])
})

t.test('a call that gets the same without its name', async (t) => {
  t.same(found({ read: errno('EPERM') }), ['note redundant-syscall $.syscalls.read'])
  t.same(found({ clone3: errno('EPERM') }), [], 'it would answer ENOSYS')
  t.same(found({ clone3: errno('ENOSYS') }), [], 'what the library would add may be written')
  t.same(
    found({ cachestat: errno('EPERM') }, { baseline: '5.10' }),
    [],
    'being newer it would answer ENOSYS',
  )
})

t.test('the ready policies', async (t) => {
  for (const arch of ['x86_64', 'aarch64'] as const) {
    t.same(lint(webServer, { ...target, arch }), [], arch)
  }
})

t.test('findings say what is meant, and mistakes are errors as everywhere', async (t) => {
  const [finding] = lint(
    { default: kill, syscalls: { read: [allow.when({ fd: eq(3) }), allow] } },
    target,
  )
  t.equal(
    finding?.message,
    '$.syscalls.read[1] does the same without conditions: these restrict nothing',
  )
  t.throws(() => lint({ default: kill, syscalls: { raed: allow } } as Policy, target), {
    code: 'ERR_UNKNOWN_SYSCALL',
  })
})
