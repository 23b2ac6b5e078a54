/** What a policy and its program do with a call. */
import t from 'tap'
import { simulate } from '../../lib/analysis/simulate'
import { compile } from '../../lib/compiler/compile'
import { allow, eq, errno, oneOf, type Policy } from '../../lib/policy'

const policy: Policy = {
  default: errno('EPERM'),
  syscalls: {
    read: allow,
    socket: [allow.when({ family: oneOf('AF_INET', 'AF_INET6') }), errno('EAFNOSUPPORT')],
    kill: allow.when({ pid: eq('SELF') }),
  },
}
const target = { arch: 'x86_64', pid: 4242 } as const

t.test('a policy tells which rule decides', async (t) => {
  t.same(simulate(policy, { syscall: 'socket', args: ['AF_INET'] }, target), {
    action: 'allow',
    by: 'rule',
    path: '$.syscalls.socket[0]',
  })
  t.same(simulate(policy, { syscall: 'socket', args: { family: 'AF_UNIX' } }, target), {
    action: 'errno',
    errno: 'EAFNOSUPPORT',
    by: 'rule',
    path: '$.syscalls.socket[1]',
  })
  t.same(simulate(policy, { syscall: 'ptrace' }, target), {
    action: 'errno',
    errno: 'EPERM',
    by: 'default',
    path: '$.default',
  })
  t.same(simulate(policy, { syscall: 'clone3' }, target), {
    action: 'errno',
    errno: 'ENOSYS',
    by: 'rule',
  })
  t.match(simulate(policy, { syscall: 0x40000001 }, target), { errno: 'ENOSYS', by: 'number' })
  t.match(simulate(policy, { syscall: 0, arch: 0x40000003 }, target), {
    action: 'kill',
    by: 'architecture',
  })
  t.match(simulate(policy, { syscall: 'kill', args: ['SELF'] }, target), { action: 'allow' })
  t.match(simulate(policy, { syscall: 'kill', args: [1] }, target), { action: 'errno' })
  t.match(simulate(policy, { syscall: 'read', arch: 'aarch64' }, target), { action: 'allow' })
})

t.test('a program tells how long it took, and whether the kernel would run it', async (t) => {
  const program = compile(policy, target)
  const read = simulate(program, { syscall: 'read' }, target)
  t.match(read, { action: 'allow', cached: true })
  t.ok(read.executed >= 4)
  t.match(simulate(program.bytes, { syscall: 'socket', args: ['AF_INET'] }, target), {
    action: 'allow',
    cached: false,
  })
  t.match(simulate(program, { syscall: 'socket', args: ['AF_UNIX'] }, target), {
    action: 'errno',
    errno: 'EAFNOSUPPORT',
    cached: false,
  })
  const arm = compile(policy, { arch: 'aarch64' })
  t.match(simulate(arm, { syscall: 'read' }), { action: 'allow' }, 'on its own architecture')
  t.match(simulate(arm, { syscall: 'read' }, target), { action: 'kill' }, 'on another')
})

t.test('mistakes', async (t) => {
  t.throws(() => simulate(policy, { syscall: 'scoket' as 'socket' }, target), {
    code: 'ERR_UNKNOWN_SYSCALL',
    suggestion: 'socket',
  })
  t.throws(() => simulate(new Uint8Array(8), { syscall: 'read' }, target), {
    code: 'ERR_INVALID_PROGRAM',
  })
})
