/** Rules as they are written. */
import t from 'tap'
import { evaluate } from '../../lib/analysis/evaluate'
import { allow, eq, errno, kill, log, rulesOf } from '../../lib/policy'
import { ALLOW, ENOSYS, EPERM, KILL, LOG, X64 } from '../helpers/analysis'

const rules = rulesOf(
  {
    default: errno('EPERM'),
    baseline: '5.10',
    syscalls: {
      read: log,
      socket: [allow.when({ family: eq('AF_INET') }), kill.when({ type: eq(3) })],
    },
  },
  { arch: 'x86_64', pid: 1 },
)

const call = (number: number, ...args: bigint[]): Parameters<typeof evaluate>[1] => ({
  arch: X64,
  number,
  args,
  instructionPointer: 0n,
})

t.test('who decides', async (t) => {
  const decided = (number: number, ...args: bigint[]): unknown[] => {
    const { action, by, rule } = evaluate([rules], call(number, ...args))
    return [action, by, rule?.path]
  }
  t.same(decided(0), [LOG, 'rule', '$.syscalls.read'])
  t.same(decided(1), [EPERM, 'default', undefined])
  t.same(decided(41, 2n), [ALLOW, 'rule', '$.syscalls.socket[0]'])
  t.same(decided(41, 2n, 3n), [ALLOW, 'rule', '$.syscalls.socket[0]'], 'the first that holds')
  t.same(decided(41, 1n, 3n), [KILL, 'rule', '$.syscalls.socket[1]'])
  t.same(decided(41, 1n), [EPERM, 'default', undefined], 'none holds')
  t.same(decided(41, 0xffffffff_00000002n)[0], ALLOW, 'an int is 32 bits')
  t.same(decided(451), [ENOSYS, 'number', undefined], 'newer than the baseline')
  t.same(decided(0x40000000), [ENOSYS, 'number', undefined], 'x32')
  const foreign = evaluate([rules], { ...call(0), arch: 0x40000003 })
  t.match(foreign, { action: KILL, by: 'architecture' })
})
