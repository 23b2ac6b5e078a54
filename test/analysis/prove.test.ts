/** The proof as people ask for it. */
import t from 'tap'
import { prove } from '../../lib/analysis/prove'
import { compile } from '../../lib/compiler/compile'
import { allow, eq, errno, type Policy } from '../../lib/policy'
import { webServer } from '../../lib/promises'

const target = { arch: 'x86_64', pid: 4242 } as const
const policy: Policy = {
  default: errno('EPERM'),
  syscalls: { read: allow, socket: allow.when({ family: eq('AF_INET') }) },
}

t.test('proved', async (t) => {
  t.match(prove(webServer, compile(webServer, target), target), {
    proved: true,
    instructions: Number,
  })
  t.match(prove(policy, compile(policy, target).bytes, target), { proved: true })
  const arm = compile(policy, { arch: 'aarch64' })
  t.match(prove(policy, arm), { proved: true }, "for the program's own architecture")
})

t.test('refuted, with a call and who said what', async (t) => {
  const wider: Policy = { ...policy, syscalls: { ...policy.syscalls, socket: allow } }
  const result = prove(policy, compile(wider, target), target)
  t.match(result, {
    proved: false,
    witness: {
      call: { syscall: 'socket', number: 41, named: [{ name: 'family', value: 0n }, {}, {}] },
      expected: { action: 'errno', errno: 'EPERM' },
      actual: { action: 'allow' },
      path: '$.default',
    },
    text: 'socket(family: AF_UNSPEC, type: 0, protocol: IPPROTO_IP) on x86_64: the policy says errno(EPERM) ($.default), the program allow',
  })
  const narrower = prove(wider, compile(policy, target), target)
  t.match(narrower, { proved: false, witness: { path: '$.syscalls.socket' } })
})

t.test("another process id is another policy where it says 'SELF'", async (t) => {
  const program = compile(webServer, { ...target, pid: 1 })
  t.match(prove(webServer, program, { pid: 2 }), {
    proved: false,
    witness: { call: { syscall: 'kill' } },
  })
})
