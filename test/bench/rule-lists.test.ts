/** Lists of rules, one a line. */
import t from 'tap'
import { toText } from '../../bench/profile'
import { parseRuleList } from '../../bench/rule-lists'

const text = `default errno 1
bdflush -1 allow 0 0
read 0 allow 0 0
futex 202 allow 0 1 1 masked_eq 18446744073709551359 9
socket 41 allow 0 2 0 le 5 0 1 eq 1 0
socket 41 allow 0 2 0 eq 16 0 2 eq 3 0
`

t.test('a list', async (t) => {
  const list = parseRuleList(text)
  t.equal(list.default, 0x00050001)
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
  t.match(toText(list), /^default 327681\n/)
  t.match(
    toText(parseRuleList('default kill_process 0\nread 0 allow 0 0\n')),
    /^default 2147483648\nread 2147418112 0\n/,
  )
  t.throws(() => parseRuleList('read 0 allow 0 0'), /expected 'default/)
  t.throws(() => parseRuleList('default errno 1\nread 0 log 0 0'), /expected a rule that allows/)
  t.throws(() => parseRuleList('default errno 1\nread 0 allow 0 1 0 in 1 0'), /operator in/)
})
