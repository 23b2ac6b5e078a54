import t from 'tap'
import { seccompTs, workplace } from '../helpers/cli'

const { write } = workplace()
const TARGET = ['--arch', 'x86_64', '--kernel', '6.1']

const profile = (...names: string[]): string =>
  JSON.stringify(
    { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }] },
    null,
    1,
  )
const misspelt = write('misspelt.json', profile('read', 'raed'))
const policy = write(
  'policy.json',
  '{ "default": { "action": "kill" },\n "syscalls": { "raed": { "action": "allow" } } }',
)

t.test('findings with place and fix, and exit code 1', async (t) => {
  const { code, stdout } = seccompTs(['lint', misspelt, ...TARGET])
  t.equal(code, 1)
  t.match(
    stdout,
    /misspelt\.json:7:5: warning: there is no system call 'raed'.*\[unknown-syscall\]/,
  )
  t.match(stdout, /^ {4}fix: Write 'read'\.$/m)
  t.match(stdout, /^\d+ errors?, \d+ warnings?, \d+ notes?$/m)
})

t.test('what counts is a matter of --fail-on', async (t) => {
  const clean = seccompTs(['lint', 'webServer', ...TARGET])
  t.equal(clean.code, 0)
  t.match(clean.stdout, /^nothing found in webServer$/m)
  const logs = write('audit.json', '{ "defaultAction": "SCMP_ACT_LOG" }')
  const warnings = JSON.parse(seccompTs(['lint', logs, '--json', ...TARGET]).stdout) as {
    files: { findings: { severity: string }[] }[]
  }
  const severities = warnings.files[0]?.findings.map(({ severity }) => severity) ?? []
  t.ok(severities.includes('note') && !severities.includes('error'))
  t.equal(seccompTs(['lint', logs, '--fail-on', 'error', ...TARGET]).code, 0)
  t.equal(seccompTs(['lint', logs, '--fail-on', 'note', ...TARGET]).code, 1)
  const { code, stderr } = seccompTs(['lint', logs, '--fail-on', 'eror'])
  t.equal(code, 2)
  t.match(stderr, /Did you mean error\?/)
})

t.test('for machines', async (t) => {
  const json = JSON.parse(seccompTs(['lint', misspelt, '--json', ...TARGET]).stdout) as object
  t.match(json, { files: [{ file: misspelt }] })
  const { code, stdout } = seccompTs(['lint', misspelt, policy, '--sarif', ...TARGET])
  t.equal(code, 1)
  t.match(JSON.parse(stdout), { version: '2.1.0', runs: [{ columnKind: 'utf16CodeUnits' }] })
  t.equal(seccompTs(['lint', misspelt, '--sarif', '--json']).code, 2)
})

t.test('a policy that is refused is a finding, and a text that is none is not', async (t) => {
  const { code, stdout } = seccompTs(['lint', policy])
  t.equal(code, 1)
  t.match(stdout, /policy\.json:2:\d+: error: there is no system call 'raed'.*\[invalid-policy\]/)
  const broken = seccompTs(['lint', write('broken.json', '{ "defaultAction": ')])
  t.equal(broken.code, 2)
  t.match(broken.stderr, /broken\.json:1:\d+/)
  t.equal(seccompTs(['lint']).code, 2)
  t.equal(seccompTs(['lint', 'nowhere.json']).code, 2)
})

t.test('standard input, modules, and whom it is for', async (t) => {
  const { code, stdout } = seccompTs(['lint', '-', ...TARGET], { input: profile('procexit') })
  t.equal(code, 1)
  t.match(stdout, /standard input:6:\d+: warning: 'procexit' is an event of sysdig/)
  const module = write('policy.cjs', "module.exports = { default: { action: 'kill' } }")
  t.match(seccompTs(['lint', module]).stdout, /\$\.default: error: .*Node aborts.*\[node-needs\]/)
  t.match(seccompTs(['lint', misspelt, '--node', ...TARGET]).stdout, /\[node-needs\]/)
})
