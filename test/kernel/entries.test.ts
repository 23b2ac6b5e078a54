/** Other doors to the kernel: x32 numbers, the 32-bit entry, numbers nobody knows. */
import t from 'tap'
import { compile } from '../../lib/compiler/compile'
import { native } from '../../lib/native'
import { allow, errno } from '../../lib/policy'
import { AUDIT_ARCH } from '../../lib/syscalls'
import { runVictim } from '../helpers/victim'

const x64 = process.arch === 'x64'
const ENOSYS = -38

t.test(
  'x32 numbers answer ENOSYS, whatever the default',
  { skip: !x64 && 'x86-64 only' },
  async (t) => {
    for (const fallback of ['kill', 'allow', "errno('EPERM')"]) {
      const outcome = await runVictim({
        source: `
        const { lockdown, allow, errno, kill, webServer } = require('seccomp-ts')
        const attacker = require('./attacker.node')
        lockdown({ ...webServer, default: ${fallback}, baseline: undefined,
          syscalls: { ...webServer.syscalls, getpid: errno('EACCES') } })
        console.log(JSON.stringify([0x40000000 + 39, 0x40000000 + 59, 0x40000000 + 512, 0x7fffffff, -1]
          .map((number) => attacker.syscall(number))))`,
      })
      t.same(outcome.json(), [ENOSYS, ENOSYS, ENOSYS, ENOSYS, ENOSYS], fallback)
    }
  },
)

t.test('the 32-bit entry ends the process', { skip: !x64 && 'x86-64 only' }, async (t) => {
  const source = (lock: string): string => `
    const { lockdown, webServer } = require('seccomp-ts')
    const attacker = require('./attacker.node')
    ${lock}
    console.log(attacker.int80(20, 0, 0, 0))`
  const open = await runVictim({ source: source('') })
  const locked = await runVictim({ source: source('lockdown(webServer)') })
  t.not(locked.code, 0)
  if (open.code === 0) t.equal(locked.signal, 'SIGSYS', 'killed by the filter')
  else t.pass(`this machine has no 32-bit entry (${String(open.signal)}): see the next test`)
})

t.test('the program itself kills every other architecture', async (t) => {
  const foreign = [0x40000003, 0xc00000b7, 0xc000003e, 0x40000028, 0, 0xffffffff]
  for (const arch of ['x86_64', 'aarch64'] as const) {
    const { bytes } = compile({ default: allow, syscalls: { getpid: errno(1) } }, { arch })
    for (const auditArch of foreign) {
      if (auditArch === AUDIT_ARCH[arch]) continue
      for (const number of [0, 11, 20, 39, 0x40000000]) {
        const action = native().evaluate(bytes, auditArch, number, new BigUint64Array(6))
        t.equal(action, 0x80000000, `${arch}: arch ${auditArch.toString(16)}, call ${number}`)
      }
    }
  }
})

t.test('numbers nobody knows yet answer ENOSYS under a baseline', async (t) => {
  const outcome = await runVictim({
    source: `
      const { lockdown, webServer } = require('seccomp-ts')
      const attacker = require('./attacker.node')
      lockdown(webServer)
      const known = process.arch === 'x64' ? 165 : 40
      console.log(JSON.stringify([9999, 1000, 600].map((n) => attacker.syscall(n)).concat(attacker.syscall(known))))`,
  })
  t.same(outcome.json(), [ENOSYS, ENOSYS, ENOSYS, -1], 'and mount(2), which is known, EPERM')
})

t.test('without a baseline they get the default', async (t) => {
  const outcome = await runVictim({
    source: `
      const { lockdown, webServer } = require('seccomp-ts')
      const attacker = require('./attacker.node')
      lockdown({ ...webServer, baseline: undefined })
      console.log(attacker.syscall(9999))`,
  })
  t.equal(outcome.stdout.trim(), '-1')
})
