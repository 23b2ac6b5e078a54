/** `seccomp-ts convert`: what is written where, what is said of losses, exit codes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { seccompTs, workplace } from '../helpers/cli'

const { folder, write } = workplace()
const policy = write(
  'app.json',
  JSON.stringify({
    default: { action: 'errno', errno: 'EPERM' },
    syscalls: {
      execve: { action: 'allow' },
      socket: { action: 'allow', when: { family: { op: 'eq', value: 'AF_INET' } } },
    },
  }),
)

t.test('to standard output, and losses to standard error', async (t) => {
  const { code, stdout, stderr } = seccompTs(['convert', policy, '--to', 'oci'])
  t.equal(code, 0)
  t.equal((JSON.parse(stdout) as { defaultAction: string }).defaultAction, 'SCMP_ACT_ERRNO')
  t.match(stderr, /^info foreign-calls: \$: /m)
})

t.test('an answer that is another is exit code 1', async (t) => {
  const { code, stdout, stderr } = seccompTs(['convert', policy, '--to', 'systemd'])
  t.equal(code, 1)
  t.match(stdout, /^\[Service\]\n/)
  t.match(stderr, /^warning conditions: \$\.syscalls\.socket: /m)
})

t.test('to a file; the name of a SeccompProfile is that of the file', async (t) => {
  const file = join(folder, 'out.yaml')
  const { code, stdout } = seccompTs(['convert', policy, '--to', 'spo', '-o', file])
  t.equal(code, 0)
  t.equal(stdout, '')
  t.match(readFileSync(file, 'utf8'), 'metadata:\n  name: app\n')
  const named = seccompTs(['convert', policy, '--to', 'spo', '--name', 'mine'])
  t.match(named.stdout, 'metadata:\n  name: mine\n')
})

t.test('there and back', async (t) => {
  const file = join(folder, 'kubernetes.json')
  t.equal(seccompTs(['convert', policy, '--to', 'kubernetes', '-o', file]).code, 0)
  const { code, stdout } = seccompTs(['diff', policy, file])
  t.equal(code, 0)
  t.match(stdout, /^equal:/)
  const program = join(folder, 'app.bpf')
  t.equal(seccompTs(['convert', policy, '--to', 'bpf', '-o', program]).code, 0)
  t.equal(seccompTs(['prove', policy, program]).code, 0)
})

t.test('as JSON, with all losses', async (t) => {
  const { code, stdout, stderr } = seccompTs(['convert', policy, '--to', 'oci', '--json'])
  t.equal(code, 0)
  t.equal(stderr, '')
  const { to, text, losses } = JSON.parse(stdout) as Record<string, unknown>
  t.equal(to, 'oci')
  t.match(text, '"SCMP_ACT_ALLOW"')
  t.match(losses, [{ code: 'foreign-calls', severity: 'info', path: '$' }])
  const bpf = seccompTs(['convert', policy, '--to', 'bpf', '--json'])
  t.match(JSON.parse(bpf.stdout), { base64: /^[A-Za-z0-9+/]+=*$/ })
})

t.test('built-in policies, for a container', async (t) => {
  const args = ['convert', 'docker-default', '--to', 'oci', '--kernel', '6.1']
  t.notMatch(seccompTs(args).stdout, '"chroot"')
  t.match(seccompTs([...args, '--caps', 'docker']).stdout, '"chroot"')
  t.equal(seccompTs(['convert', 'webServer', '--to', 'oci']).code, 2)
  t.match(seccompTs(['convert', 'webServer', '--to', 'oci', '--pid', '1']).stdout, '"socket"')
})

t.test('mistakes are exit code 2', async (t) => {
  const stderrOf = (...args: string[]): string => {
    const { code, stdout, stderr } = seccompTs(['convert', ...args])
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    return stderr
  }
  t.match(stderrOf(policy), '--to is missing')
  t.match(stderrOf(policy, '--to', 'dokcer'), "Did you mean 'docker'?")
  t.match(stderrOf('audit', '--to', 'systemd'), 'cannot log')
  t.match(stderrOf('--to', 'oci'), 'POLICY is missing')
  t.match(stderrOf(policy, '--to', 'oci', '--runtime', 'docker'), /runtime/)
  t.match(stderrOf(policy, '--to', 'oci', '--pid', 'x'), /pid/)
})
