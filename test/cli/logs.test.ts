import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { webServer } from '../../lib'
import { findSyscall } from '../../lib/syscalls'
import { seccompTs, workplace } from '../helpers/cli'

const { folder, write } = workplace()
let serial = 0
const record = (comm: string, syscall: string, code: string, sig = 0): string => {
  const { number } = findSyscall(syscall, 'x86_64')!
  serial++
  return `audit: type=1326 audit(1795485518.172:${serial}): auid=4294967295 uid=0 gid=0 ses=4294967295 pid=${100 + serial} comm="${comm}" exe="/usr/bin/${comm.startsWith('runc') ? 'runc' : comm}" sig=${sig} arch=c000003e syscall=${number} compat=0 ip=0x7f95e7f95829 code=${code}\n`
}
const LOG = '0x7ffc0000'
const KILL = '0x80000000'

const logged = write(
  'logged.log',
  record('node', 'getppid', LOG) + record('runc:[2:INIT]', 'setgid', LOG),
)
const killed = write('killed.log', record('node', 'ptrace', KILL, 31))

t.test('what was only logged is nothing to report', (t) => {
  const { code, stdout, stderr } = seccompTs(['logs', logged])
  t.equal(code, 0, stderr)
  t.match(stdout, /^\/usr\/bin\/node \(1 process\)\n {2}getppid +1 +let through and logged$/m)
  t.match(stdout, /^runc:\[2:INIT\] .*runc/m)
  t.end()
})

t.test('what was refused, and the rule that permits it', (t) => {
  const { code, stdout } = seccompTs(['logs', killed])
  t.equal(code, 1)
  t.match(stdout, /ptrace +1 +killed the process/)
  t.match(stdout, /"ptrace": \{\n +"action": "allow"/)
  t.end()
})

t.test('--json, several files and standard input', (t) => {
  const { code, stdout } = seccompTs(['logs', logged, '-', '--json'], {
    input: readFileSync(killed),
  })
  t.equal(code, 1)
  const { summary, lines } = JSON.parse(stdout) as {
    summary: { events: number; programs: { name: string; calls: { syscall: string }[] }[] }
    lines: { total: number; events: number }
  }
  t.equal(summary.events, 3)
  t.equal(lines.events, 3)
  t.strictSame(
    summary.programs
      .find(({ name }) => name === '/usr/bin/node')
      ?.calls.map((each) => each.syscall),
    ['getppid', 'ptrace'],
  )
  t.end()
})

interface Written {
  readonly name?: string
  readonly default: object
  readonly syscalls: Record<string, unknown>
}

t.test('--policy', (t) => {
  const file = join(folder, 'policy.json')
  const ran = seccompTs([
    'logs',
    logged,
    '--policy',
    '--name',
    'api',
    '--default',
    'kill',
    '-o',
    file,
  ])
  t.strictSame([ran.code, ran.stdout], [0, ''])
  t.match(ran.stderr, /calls: 1 seen, \d\d that Node needs besides, 0 included by name/)
  t.match(ran.stderr, /left out: setgid .*runc/)
  const policy = JSON.parse(readFileSync(file, 'utf8')) as Written
  t.match(policy, { name: 'api', default: { action: 'kill' } })
  t.strictSame(policy.syscalls['getppid'], { action: 'allow' })
  t.strictSame(policy.syscalls['clone'], JSON.parse(JSON.stringify(webServer.syscalls.clone)))
  t.notOk('setgid' in policy.syscalls)
  t.equal(seccompTs(['prove', file]).code, 0)
  t.end()
})

t.test('--policy of what was asked for', (t) => {
  const policyOf = (...options: string[]): Written =>
    JSON.parse(seccompTs(['logs', logged, killed, '--policy', ...options]).stdout) as Written
  t.ok('setgid' in policyOf('--with-runtime').syscalls)
  t.ok('mount' in policyOf('--include', 'mount,umount2').syscalls)
  t.ok('umount2' in policyOf('--include', 'mount', '--include', 'umount2').syscalls)
  t.strictSame(policyOf('--default', 'enosys').default, { action: 'errno', errno: 'ENOSYS' })
  const runtime = policyOf('--program', 'runc:[2:INIT]')
  t.strictSame(Object.keys(runtime.syscalls), ['setgid'])
  t.ok('getppid' in policyOf('--program', 'node', '--with-runtime').syscalls)
  t.end()
})

t.test('says what the log lost', (t) => {
  const lines = `${record('node', 'read', LOG)}audit: rate limit exceeded\n[  1.5] audit_printk_skb: 77 callbacks suppressed\n`
  const { stderr } = seccompTs(['logs', '-'], { input: lines })
  t.match(stderr, /lost: \d+ records or more \(rate-limit/)
  t.end()
})

t.test('mistakes', (t) => {
  const mistakes: [string[], RegExp][] = [
    [['logs', join(folder, 'absent')], /there is no such file/],
    [['logs', folder], /is a directory/],
    [['logs', logged, '-o', 'x'], /--output is for a policy: give --policy too/],
    [['logs', logged, '--policy', '--default', 'kil'], /--default: 'kil' is neither/],
    [['logs', logged, '--policy', '--include', 'moun'], /no system call 'moun'.*'mount'/],
    [['logs', logged, '--program', 'nginx'], /the log has nothing of 'nginx'[^]*node/],
    [['logs', logged, '--format', 'dmesg'], /--format: expected one of/],
    [['logs', logged, '--arch', 'x64'], /--arch: expected x86_64 or aarch64/],
    [['logs', write('gzip.log', Buffer.from([0x1f, 0x8b, 8, 0, 0]))], /compressed with gzip.*zcat/],
    [['logs', write('none.log', 'nothing\n')], /no SECCOMP record.*ERR_LOG_NO_RECORD/],
  ]
  for (const [args, message] of mistakes) {
    const { code, stdout, stderr } = seccompTs(args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, message)
    t.notMatch(stderr, /^ +at /m)
  }
  t.end()
})
