import { join } from 'node:path'
import t from 'tap'
import { seccompTs, workplace } from '../helpers/cli'

const { folder, write } = workplace()
const one = write(
  'one.json',
  '{ "default": { "action": "kill" }, "syscalls": { "read": { "action": "allow" } } }',
)
const two = write('two.json', '{ "default": { "action": "kill" } }')
const program = join(folder, 'two.bpf')
seccompTs(['compile', two, '-o', program])

t.test('proved', (t) => {
  const { code, stdout } = seccompTs(['prove', two, program])
  t.equal(code, 0)
  t.match(stdout, /^proved: .*two\.bpf does what .*two\.json says \(\d+ instructions\)/)
  t.match(JSON.parse(seccompTs(['prove', two, program, '--json']).stdout), { proved: true })
  t.end()
})

t.test('refuted, by a call', (t) => {
  const { code, stdout } = seccompTs(['prove', one, program])
  t.equal(code, 1)
  t.match(stdout, /^not so: read\(.*: the policy says allow.*, the program kill/)
  t.match(JSON.parse(seccompTs(['prove', one, program, '--json']).stdout), {
    proved: false,
    witness: { call: { syscall: 'read' } },
  })
  t.end()
})

t.test('what is no program', (t) => {
  for (const content of ['', 'seven b', 'a'.repeat(8), 'x'.repeat(70000)]) {
    const { code, stderr } = seccompTs(['prove', two, write('junk.bpf', content)])
    t.equal(code, 2, `${content.length} bytes`)
    t.match(stderr, /junk\.bpf: /)
    t.notMatch(stderr, /^ +at /m)
  }
  t.end()
})
