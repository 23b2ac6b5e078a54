/** Programs from outside: what is none is a typed error. */
import t from 'tap'
import { disassemble, prove, simulate, type ProgramBytes } from '../../lib/analysis'
import { compile } from '../../lib/compiler/compile'
import { allow } from '../../lib/policy'
import { webServer } from '../../lib/promises'

const policy = { default: allow }

const nothing: Record<string, unknown> = {
  undefined,
  null: null,
  'a number': 5,
  'a string': 'ld [0]',
  'an array': [6, 0, 0, 0],
  'an object': {},
  'bytes that are none': { bytes: 'ret allow' },
  'another kind of array': new Uint16Array(8),
  'no bytes': new Uint8Array(0),
  'half an instruction': Buffer.alloc(12),
}

for (const [name, value] of Object.entries(nothing)) {
  t.test(name, async (t) => {
    const program = value as ProgramBytes
    const invalid = { name: 'AnalysisError', code: 'ERR_INVALID_PROGRAM' }
    t.throws(() => prove(policy, program), invalid)
    t.throws(() => disassemble(program), invalid)
    const isBytes = value instanceof Uint8Array || Object.hasOwn(Object(value) as object, 'bytes')
    const simulated = isBytes ? invalid : { name: 'PolicyError' }
    t.throws(() => simulate(program, { syscall: 'read' }), simulated)
  })
}

t.test('bytes, and what compile returns', async (t) => {
  const program = compile(policy)
  t.ok(prove(policy, program).proved)
  t.ok(prove(policy, program.bytes).proved)
  t.equal(disassemble(program), disassemble(program.bytes))
  const foreign = { ...program, arch: 'mips' } as unknown as ProgramBytes
  t.throws(() => prove(policy, foreign), { code: 'ERR_OPTION', path: 'target.arch' })
  const getter = Object.defineProperty({}, 'bytes', { get: () => program.bytes, enumerable: true })
  t.throws(() => prove(policy, getter as ProgramBytes), { code: 'ERR_POLICY_SHAPE' })
})

t.test("the process id that 'SELF' stands for goes with the program", async (t) => {
  const program = compile(webServer, { arch: 'x86_64', pid: 7 })
  t.match(program, { arch: 'x86_64', pid: 7 })
  t.ok(prove(webServer, program).proved)
  t.notOk(prove(webServer, program, { pid: 8 }).proved)
  t.notOk(prove(webServer, program.bytes, { arch: 'x86_64' }).proved, 'the bytes alone do not say')
})

t.test('what throws when it is looked at', async (t) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const hostile: unknown[] = [
    proxy,
    new Proxy(
      { bytes: new Uint8Array(8) },
      {
        ownKeys: () => {
          throw new Error('no')
        },
      },
    ),
    Object.create(Uint8Array.prototype),
    new Proxy(new Uint8Array(8), {}),
  ]
  for (const program of hostile) {
    t.throws(() => prove(policy, program as ProgramBytes), { name: 'AnalysisError' })
  }
  class Liar extends Uint8Array {
    override get length(): number {
      return 8000
    }
  }
  const lying = Liar.from(compile(policy).bytes)
  t.ok(prove(policy, lying).proved, 'the bytes are counted by us')
})
