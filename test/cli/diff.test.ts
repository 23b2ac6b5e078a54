import t from 'tap'
import { seccompTs, workplace } from '../helpers/cli'

const { write } = workplace()
const policy = (name: string, syscalls: object, action = 'errno'): string =>
  write(
    name,
    JSON.stringify({
      default: action === 'errno' ? { action, errno: 'EPERM' } : { action },
      syscalls,
    }),
  )
const allow = { action: 'allow' }
const small = policy('small.json', { read: allow })
const large = policy('large.json', { read: allow, ptrace: allow })
const softer = policy('softer.json', { read: allow, ptrace: { action: 'errno', errno: 'ENOSYS' } })

t.test('equal', (t) => {
  const { code, stdout } = seccompTs(['diff', small, small])
  t.equal(code, 0)
  t.match(stdout, /^equal: /)
  t.end()
})

t.test('B opens something', (t) => {
  const { code, stdout } = seccompTs(['diff', small, large])
  t.equal(code, 1)
  t.match(stdout, /lets through what .*small\.json refuses:\n {2}ptrace\(.*allow/)
  t.match(stdout, /1 opened, 0 closed, 0 otherwise different/)
  t.end()
})

t.test('B narrows', (t) => {
  const { code, stdout } = seccompTs(['diff', large, small])
  t.equal(code, 0)
  t.match(stdout, /refuses what .*large\.json lets through:\n {2}ptrace\(/)
  t.match(stdout, /^narrower: /m)
  t.end()
})

t.test('B only answers otherwise', (t) => {
  const { code, stdout } = seccompTs(['diff', small, softer])
  t.equal(code, 0)
  t.match(stdout, /ptrace\(.*EPERM.*ENOSYS/)
  t.end()
})

t.test('--json', (t) => {
  const { code, stdout, stderr } = seccompTs(['diff', small, large, '--json'])
  t.equal(code, 1)
  t.equal(stderr, '')
  t.match(JSON.parse(stdout), {
    a: small,
    b: large,
    equal: false,
    narrows: false,
    differences: [{ kind: 'allows', syscall: 'ptrace', witness: { syscall: 'ptrace' } }],
  })
  t.end()
})

t.test('for an architecture', (t) => {
  const only = policy('x86.json', { read: allow, iopl: allow })
  t.equal(seccompTs(['diff', small, only, '--arch', 'x86_64']).code, 1)
  const { code, stdout } = seccompTs(['diff', small, only, '--arch', 'aarch64'])
  t.equal(code, 0, 'where there is no such call')
  t.match(stdout, /^equal: /)
  t.end()
})
