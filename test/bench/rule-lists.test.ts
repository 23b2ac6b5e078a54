/** Lists of rules, one a line, and the interpreter that counts what their programs execute. */
import t from 'tap'
import { decode, isCached, run } from '../../bench/interpreter'
import { toPolicy, toText } from '../../bench/profile'
import { parseRuleList } from '../../bench/rule-lists'
import { compile } from '../../lib'
import { native } from '../../lib/native'
import { AUDIT_ARCH } from '../../lib/syscalls'

const text = `default errno 1
bdflush -1 allow 0 0
read 0 allow 0 0
futex 202 allow 0 1 1 masked_eq 18446744073709551359 9
socket 41 allow 0 2 0 le 5 0 1 eq 1 0
socket 41 allow 0 2 0 eq 16 0 2 eq 3 0
`

t.test('a list', async (t) => {
  const list = parseRuleList(text)
  t.equal(list.errno, 1)
  t.same(
    list.rules.map(({ name, number }) => [name, number]),
    [
      ['socket', 41],
      ['socket', 41],
      ['futex', 202],
      ['read', 0],
    ],
    'narrow rules first, and none for what does not exist',
  )
  t.match(list.rules[2], {
    conditions: [{ index: 1, op: 'maskedEq', value: 18446744073709551359n, valueTwo: 9 }],
  })
  t.match(toText(list), /^errno 1\n/)
  t.match(toText(parseRuleList('default kill_process 0\nread 0 allow 0 0\n')), /^kill 0\nread 0\n/)
  t.throws(() => parseRuleList('read 0 allow 0 0'), /expected 'default/)
  t.throws(() => parseRuleList('default errno 1\nread 0 log 0 0'), /expected a rule that allows/)
  t.throws(() => parseRuleList('default errno 1\nread 0 allow 0 1 0 in 1 0'), /operator in/)
})

t.test('the interpreter agrees with the addon', async (t) => {
  const { bytes } = compile(toPolicy(parseRuleList(text)), { arch: 'x86_64' })
  const program = decode(bytes)
  const auditArch = AUDIT_ARCH.x86_64
  const values = [0n, 1n, 3n, 5n, 6n, 9n, 16n, 0x109n, 0x1_0000_0005n, 2n ** 64n - 1n]
  for (let nr = 0; nr < 450; nr++) {
    for (const value of values) {
      for (const args of [Array<bigint>(6).fill(value), [16n, value, 3n, 0n, 0n, 0n]]) {
        const { action, executed, dispatch } = run(program, { auditArch, nr, args })
        const expected = native().evaluate(bytes, auditArch, nr, BigUint64Array.from(args))
        if (action !== expected) t.equal(action, expected, `${nr} ${args.join()}`)
        if (dispatch > executed) t.fail(`${nr}: ${dispatch} of ${executed}`)
      }
    }
    if (isCached(program, { auditArch, nr }) !== (nr === 0)) t.fail(`${nr} in the cache`)
  }
})
