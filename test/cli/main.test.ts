/** What all commands have in common: finding them, options, help, errors, output. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CLI, seccompTs, workplace } from '../helpers/cli'

const root = join(__dirname, '..', '..')
const names = readdirSync(join(root, 'lib/cli/commands')).map((file) => file.replace(/\.ts$/, ''))
const { folder, write } = workplace()

t.test('lists every command there is', (t) => {
  const { code, stdout, stderr } = seccompTs(['--help'])
  t.equal(code, 0)
  t.equal(stderr, '')
  for (const name of names) t.match(stdout, new RegExp(`^  ${name}  +[a-z].+`, 'm'))
  t.equal(seccompTs(['help']).stdout, stdout)
  t.end()
})

t.test('what names say cannot reach the terminal', (t) => {
  const named = (name: string): string =>
    JSON.stringify({ default: { action: 'allow' }, syscalls: { [name]: { action: 'allow' } } })
  const policy = write('escapes.json', named('rea\u001b]0;PWN\u0007\u009b2J\u202ed'))
  for (const args of [['lint'], ['compile'], ['simulate', policy, 'read'], ['diff', policy]]) {
    const { stdout, stderr } = seccompTs([...args, policy])
    t.notMatch(stdout + stderr, /[\u0007\u001b\u009b\u202e]/, args.join(' '))
    t.match(stdout + stderr, 'rea\\u001b]0;PWN\\u0007\\u009b2J\\u202ed', args.join(' '))
  }
  t.end()
})

t.test('without a command, says so: it has done nothing', (t) => {
  const { code, stdout, stderr } = seccompTs([])
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, /^Usage: seccomp-ts COMMAND/)
  t.end()
})

for (const name of names) {
  t.test(`${name} --help`, (t) => {
    const { code, stdout, stderr } = seccompTs([name, '--help'])
    t.equal(code, 0)
    t.equal(stderr, '')
    t.match(stdout, new RegExp(`^Usage: seccomp-ts ${name}\\b`))
    t.match(stdout, /^ {2}-h, --help +print this help$/m)
    t.notOk(
      stdout.split('\n').some((line) => line.length > 100),
      'fits a screen',
    )
    t.equal(seccompTs(['help', name]).stdout, stdout)
    t.equal(seccompTs([name, 'whatever', '--nonsense', '-h']).stdout, stdout, 'before all else')
    t.end()
  })

  t.test(`${name}: a mistake in an option`, (t) => {
    const { code, stdout, stderr } = seccompTs([name, '--hepl'])
    t.equal(code, 2)
    t.equal(stdout, '')
    t.match(stderr, /there is no option --hepl\. Did you mean --help\?/)
    t.end()
  })
}

t.test('--version', (t) => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  t.strictSame(seccompTs(['--version']), {
    code: 0,
    signal: null,
    stdout: `${version}\n`,
    stderr: '',
  })
  t.end()
})

t.test('mistakes of usage', (t) => {
  const file = write('fine.json', '{ "default": { "action": "allow" } }')
  const mistakes: [string[], RegExp][] = [
    [['prov'], /there is no command 'prov'\. Did you mean prove\?/],
    [['help', 'prov'], /there is no command 'prov'\. Did you mean prove\?/],
    [['--json'], /there is no option --json before the command/],
    [['prove'], /POLICY is missing/],
    [['prove', file, file, file], /one argument too many/],
    [['prove', file, '--arch'], /--arch needs a value: --arch ARCH/],
    [['prove', file, '--arch='], /--arch needs a value/],
    [['prove', file, '--arch', '--json'], /--arch needs a value.*--arch=--json/],
    [['prove', file, '--json=yes'], /--json takes no value/],
    [['prove', file, '--arch', 'x86_64', '--arch', 'aarch64'], /--arch is given twice/],
    [['prove', file, '--arch', 'x64'], /--arch: expected x86_64 or aarch64, got 'x64'/],
    [['prove', file, '--dialect', 'moby2'], /--dialect: there is no dialect 'moby2'.*'moby'\?/],
    [['prove', file, '--runtime', 'dokcer'], /--runtime: .*'docker'/],
    [['prove', file, '--kernel', 'six'], /--kernel: expected a version/],
    [['prove', file, '--caps', 'sys_admn'], /--caps: .*'sys_admn'\. Did you mean CAP_SYS_ADMIN\?/],
    [['prove', file, '-x'], /there is no option -x/],
    [['prove', file, '--toString'], /there is no option --toString/],
    [['prove', file, '--__proto__'], /there is no option --__proto__/],
  ]
  for (const [args, message] of mistakes) {
    const { code, stdout, stderr } = seccompTs(args)
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, message)
    t.match(stderr, /^See seccomp-ts .*--help\.$/m)
    t.notMatch(stderr, /^ +at /m, 'no stack trace')
  }
  t.end()
})

t.test('colour is for terminals, or for who asks for it', (t) => {
  const escape = '\u001b['
  t.notOk(seccompTs(['--help']).stdout.includes(escape))
  t.ok(seccompTs(['--help'], { env: { FORCE_COLOR: '1' } }).stdout.includes(escape))
  t.notOk(seccompTs(['--help'], { env: { FORCE_COLOR: '0' } }).stdout.includes(escape))
  t.notOk(seccompTs(['--help'], { env: { NO_COLOR: '1' } }).stdout.includes(escape))
  t.notOk(seccompTs(['prov']).stderr.includes(escape))
  t.end()
})

t.test('who reads no further is no error', async (t) => {
  const child = spawn(process.execPath, [CLI, '--help'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  child.stdout.destroy()
  const said: Buffer[] = []
  child.stderr.on('data', (data: Buffer) => said.push(data))
  const [code] = await new Promise<[number | null]>((resolve) => {
    child.on('close', (code) => {
      resolve([code])
    })
  })
  t.equal(code, 0)
  t.equal(Buffer.concat(said).toString(), '')
})

t.test('runs from a folder without a package', (t) => {
  t.equal(seccompTs(['--version'], { cwd: folder }).code, 0)
  t.end()
})
