import t from 'tap'
import { seccompTs, workplace } from '../helpers/cli'

const { write } = workplace()
const TARGET = ['--arch', 'x86_64', '--kernel', '6.1']

const file = write(
  'sockets.json',
  JSON.stringify(
    {
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [
        {
          names: ['socket'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }],
        },
        { names: ['ptrace'], action: 'SCMP_ACT_ALLOW' },
      ],
    },
    null,
    1,
  ),
)

t.test('explain: the rule, its place, and what gets past it', async (t) => {
  const { code, stdout } = seccompTs(['explain', file, 'socket', 'family=40', ...TARGET])
  t.equal(code, 0)
  t.match(stdout, /^socket\(family: AF_VSOCK.*: errno\(EPERM\)$/m)
  t.match(stdout, /allow where arg0 \(family\) ≠ 40/)
  t.match(stdout, /sockets\.json:4:3/)
  t.match(stdout, /Got past by:\n {2}socket\(family: 0x100000028 \(AF_VSOCK\)/)
})

t.test('explain: a dangerous call', async (t) => {
  const { code, stdout } = seccompTs(['explain', file, 'ptrace', ...TARGET])
  t.equal(code, 0)
  t.match(stdout, /Control other processes:\n {2}an attacker reads and writes the memory/)
  t.match(stdout, /dropping capabilities +in part/)
  t.match(stdout, /a read-only root +no/)
  t.match(JSON.parse(seccompTs(['explain', file, 'ptrace', '--json', ...TARGET]).stdout), {
    verdict: { action: 'allow' },
    place: { path: '$.syscalls[1]', line: 17 },
    dangers: [{ id: 'ptrace', open: true }],
  })
})

t.test('simulate: the answer, and nothing else', async (t) => {
  const answer = (...args: string[]): string =>
    seccompTs(['simulate', file, ...args, ...TARGET]).stdout
  t.equal(answer('socket', 'domain=AF_VSOCK'), 'errno(EPERM)\n')
  t.equal(answer('socket', 'domain=0x100000028'), 'allow\n')
  t.equal(answer('socket', 'AF_INET', 'SOCK_STREAM|SOCK_CLOEXEC'), 'allow\n')
  t.equal(answer('41', 'arg0=40'), 'errno(EPERM)\n')
  t.match(JSON.parse(answer('ptrace', '--json')), { action: 'allow', by: 'rule' })
})

t.test('mistakes of whoever types', async (t) => {
  const mistakes: [string[], RegExp][] = [
    [['explain'], /POLICY is missing/],
    [['explain', file], /SYSCALL is missing/],
    [['explain', file, 'sokcet'], /Did you mean 'socket'\?/],
    [['explain', file, 'socket', 'famly=2'], /Did you mean 'family'\?/],
    [['simulate', file, 'socket', 'family=AF_INTE'], /Did you mean 'AF_INET'\?/],
    [['simulate', file, 'socket', 'family=2', '1'], /give all of them one, or none/],
    [['simulate', file, 'socket', 'family=2', 'family=3'], /given twice/],
  ]
  for (const [args, message] of mistakes) {
    const { code, stderr } = seccompTs([...args, ...TARGET])
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
    t.notMatch(stderr, /^ +at /m)
  }
})
