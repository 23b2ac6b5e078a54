/** The argument POLICY, by `prove`, which every kind of it goes through. */
import t from 'tap'
import { nodes } from '../nodes'
import { seccompTs, workplace } from '../helpers/cli'

const { folder, write } = workplace()
const own =
  '{ "default": { "action": "errno", "errno": "EPERM" }, "syscalls": { "read": { "action": "allow" } } }'
const oci =
  '{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "names": ["read"], "action": "SCMP_ACT_ALLOW" }] }'
const conditional = `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "syscalls": [
    { "names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_ADMIN"] } }
  ]
}`
const same = (a: string, b: string, ...options: string[]): number | null =>
  seccompTs(['diff', a, b, ...options]).code
const equal = (a: string, b: string, ...options: string[]): boolean =>
  seccompTs(['diff', a, b, ...options]).stdout.startsWith('equal:')

const ownFile = write('own.json', own)

t.test('files of any dialect', (t) => {
  const files = [
    write('oci.json', oci),
    write(
      'oci.yaml',
      'defaultAction: SCMP_ACT_ERRNO\nsyscalls: [{ names: [read], action: SCMP_ACT_ALLOW }]\n',
    ),
    write(
      'spo.yaml',
      `apiVersion: security-profiles-operator.x-k8s.io/v1beta1
kind: SeccompProfile
metadata: { name: one }
spec:
  defaultAction: SCMP_ACT_ERRNO
  syscalls: [{ names: [read], action: SCMP_ACT_ALLOW }]
`,
    ),
    write('some.service', '[Service]\nSystemCallFilter=read\nSystemCallErrorNumber=EPERM\n'),
    write('own.cjs', `module.exports = ${own}`),
    write('typescript.cjs', `exports.__esModule = true; exports.default = ${own}`),
    write('own.mjs', `export default ${own}`),
    write('oci.mjs', `export default ${oci}`),
  ]
  for (const file of files.filter((each) => !each.endsWith('.service'))) {
    t.ok(equal(ownFile, file), file)
  }
  // systemd allows what every unit needs besides.
  t.equal(seccompTs(['prove', files[3]!]).code, 0)
  t.end()
})

t.test('standard input', (t) => {
  t.equal(seccompTs(['prove', '-'], { input: oci }).code, 0)
  t.equal(seccompTs(['diff', '-', '-'], { input: oci }).code, 2)
  const { code, stderr } = seccompTs(['prove', '-'], { input: '{ "defaultAction": 1 ' })
  t.equal(code, 2)
  t.match(stderr, /standard input:1:22: .*ERR_PROFILE_SYNTAX/)
  t.end()
})

t.test('a built-in one', (t) => {
  t.equal(seccompTs(['prove', 'webServer']).code, 0)
  const { code, stderr } = seccompTs(['prove', 'webSever'])
  t.equal(code, 2)
  t.match(stderr, /neither a file nor a built-in policy\. Did you mean webServer\?/)
  t.end()
})

t.test('a file that is called like a built-in one', (t) => {
  write('webServer', oci)
  t.equal(seccompTs(['diff', './webServer', 'webServer'], { cwd: folder }).code, 1)
  t.equal(seccompTs(['diff', 'webServer', 'webServer'], { cwd: folder }).code, 0)
  t.end()
})

t.test('is resolved for what the options say', (t) => {
  const file = write('conditional.json', conditional)
  const with_ = write(
    'with.json',
    '{ "default": { "action": "errno", "errno": "EPERM" }, "syscalls": { "mount": { "action": "allow" } } }',
  )
  const without = write('without.json', '{ "default": { "action": "errno", "errno": "EPERM" } }')
  t.ok(equal(file, without))
  t.ok(equal(file, without, '--caps', 'docker'))
  t.ok(equal(file, with_, '--caps', 'all'))
  t.ok(equal(file, with_, '--caps', 'chown,SYS_ADMIN'))
  // An exact reading as Docker's differs where runc answers ENOSYS, and for no other call.
  t.equal(same(file, without, '--runtime', 'docker'), 2, 'our own dialect is not read by docker')
  t.end()
})

t.test('what is wrong has its place, and editors find it', (t) => {
  const file = write(
    'wrong.json',
    `{
  "defaultAction": "SCMP_ACT_ERRNO",
  "defaultAction": "SCMP_ACT_ALLOW",
  "syscalls": [{ "names": ["read"], "action": "SCMP_ACT_ALOW" }]
}`,
  )
  const { code, stdout, stderr } = seccompTs(['prove', file])
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, `seccomp-ts prove: ${file}:`)
  t.match(stderr, /wrong\.json:3:3: .*\(.* at \$\.defaultAction\)/)
  t.match(stderr, /wrong\.json:4:\d+: .*SCMP_ACT_ALOW/)
  t.notMatch(stderr, /^ +at /m)
  t.end()
})

t.test('modules that cannot be', (t) => {
  const broken: [string, string, RegExp][] = [
    ['throws.mjs', 'throw new Error("no luck")', /could not be loaded: Error: no luck/],
    ['syntax.mjs', 'export default {', /could not be loaded: SyntaxError/],
    ['nothing.mjs', 'export const policy = {}', /has no default export/],
    ['number.mjs', 'export default 1', /exports no policy/],
    ['other.mjs', 'export default { name: "no policy" }', /is not a seccomp profile/],
    ['wrong.mjs', 'export default { default: { action: "alow" } }', /ERR_UNKNOWN_ACTION/],
  ]
  for (const [name, text, message] of broken) {
    const { code, stderr } = seccompTs(['prove', write(name, text)])
    t.equal(code, 2, name)
    t.match(stderr, message)
    t.notMatch(stderr, /^ +at /m)
  }
  t.match(seccompTs(['prove', 'absent.mjs'], { cwd: folder }).stderr, /there is no such file/)
  t.end()
})

t.test('TypeScript, where Node reads it', (t) => {
  const file = write('typed.ts', `const policy: object = ${own}\nexport default policy`)
  const stripping = nodes().find(({ major }) => major === '24')!
  t.equal(seccompTs(['prove', file], { node: stripping.execPath }).code, 0)
  if (!('typescript' in process.features)) {
    const { code, stderr } = seccompTs(['prove', file])
    t.equal(code, 3)
    t.match(stderr, /cannot read TypeScript, Node 22\.18 and later can/)
  }
  t.end()
})

t.test('what leaves something running does not keep the command', (t) => {
  const file = write('timer.mjs', `setInterval(() => {}, 1000); export default ${own}`)
  t.equal(seccompTs(['prove', file]).code, 0)
  t.end()
})
