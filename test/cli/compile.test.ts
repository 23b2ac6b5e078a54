import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compile, definePolicy, errno, allow, disassemble } from '../../lib'
import { seccompTs, workplace } from '../helpers/cli'

const { folder, write } = workplace()
const policy = definePolicy({ default: errno('EPERM'), syscalls: { read: allow, write: allow } })
const file = write('policy.json', JSON.stringify(policy))
const program = compile(policy, { arch: 'x86_64' })

t.test('bpf is the raw program, to a file or through a pipe', (t) => {
  const target = join(folder, 'program.bpf')
  const { code, stdout, stderr } = seccompTs([
    ...['compile', file, '--arch', 'x86_64', '-o', target],
  ])
  t.strictSame([code, stdout, stderr], [0, '', ''])
  t.strictSame(readFileSync(target), Buffer.from(program.bytes))
  t.equal(statSync(target).size % 8, 0)
  t.equal(seccompTs(['prove', file, target]).code, 0)
  t.end()
})

t.test('text is the listing', (t) => {
  const { code, stdout } = seccompTs(['compile', file, '--arch', 'x86_64', '--format', 'text'])
  t.equal(code, 0)
  t.equal(stdout, disassemble(program))
  t.end()
})

t.test('json has every instruction', (t) => {
  const { stdout } = seccompTs(['compile', file, '--arch', 'aarch64', '--format', 'json'])
  const { arch, instructions } = JSON.parse(stdout) as {
    arch: string
    instructions: { code: number; jt: number; jf: number; k: number }[]
  }
  t.equal(arch, 'aarch64')
  t.equal(instructions.length, compile(policy, { arch: 'aarch64' }).length)
  // linux/bpf_common.h: BPF_LD | BPF_W | BPF_ABS of seccomp_data.arch
  t.strictSame(instructions[0], { code: 0x20, jt: 0, jf: 0, k: 4 })
  t.end()
})

t.test("a policy with 'SELF' is for one process, which must be named", (t) => {
  const refused = seccompTs(['compile', 'webServer', '-o', join(folder, 'self.bpf')])
  t.equal(refused.code, 2)
  t.match(refused.stderr, /'SELF'[^]*--pid PID/)
  t.notOk(existsSync(join(folder, 'self.bpf')))
  const given = seccompTs(['compile', 'webServer', '--pid', '77', '--format', 'text'])
  t.equal(given.code, 0)
  t.match(given.stdout, /0x4d\b/)
  t.equal(seccompTs(['compile', 'webServer', '--pid', 'x', '--format', 'text']).code, 2)
  t.end()
})

t.test('mistakes', (t) => {
  const mistakes: [string[], RegExp][] = [
    [['compile', file, '--format', 'txt'], /no format 'txt'\. Did you mean text\?/],
    [['compile', file, '-o', join(folder, 'no/where')], /could not be written: .*no such folder/],
    [['compile', file, '-o', folder], /could not be written: it is a directory/],
    [['compile', folder], /is a directory/],
  ]
  for (const [args, message] of mistakes) {
    const { code, stderr } = seccompTs(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
  t.end()
})
