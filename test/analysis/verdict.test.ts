/** Return values: what the kernel makes of them, and how they are told. */
import t from 'tap'
import {
  describeVerdict,
  permissiveness,
  runs,
  verdictOf,
  verdictText,
} from '../../lib/analysis/verdict'

t.test('values of the same effect are one verdict', async (t) => {
  t.equal(verdictOf(0x7fff0000), 0x7fff0000)
  t.equal(verdictOf(0x7fff1234), 0x7fff0000, 'allow has no data')
  t.equal(verdictOf(0x7ffc0001), 0x7ffc0000, 'nor has log')
  t.equal(verdictOf(0x7fc00001), 0x7fc00000, 'nor has notify')
  t.equal(verdictOf(0x7ff00001), 0x7ff00001, "the tracer's datum")
  t.equal(verdictOf(0x0005ffff), 0x00050fff, 'errnos end at 4095')
  t.equal(verdictOf(0x00030007), 0x00030007, 'si_errno of SIGSYS')
  t.equal(verdictOf(0x80000003), 0x80000003, 'which a core dump shows')
  t.equal(verdictOf(0x12340000), 0x80000000, 'what the kernel does not know kills')
  t.equal(verdictOf(0xffffffff), 0x80000000)
})

t.test('the order of permissiveness: seccomp(2)', async (t) => {
  const order = [
    ...[0x80000000, 0x00000000, 0x00030000, 0x00050001, 0x7fc00000],
    ...[0x7ff00000, 0x7ffc0000, 0x7fff0000],
  ]
  const shuffled = [...order].reverse().sort((a, b) => permissiveness(a) - permissiveness(b))
  t.same(shuffled, order)
  t.equal(permissiveness(0x00050001), permissiveness(0x00050026), 'whatever the errno')
  t.same(order.map(runs), [false, false, false, false, false, false, true, true])
})

t.test('in words', async (t) => {
  t.same(describeVerdict(0x7fff0000), { action: 'allow' })
  t.same(describeVerdict(0x00050001), { action: 'errno', errno: 'EPERM' })
  t.same(describeVerdict(0x00050ffe), { action: 'errno', errno: 4094 })
  t.same(describeVerdict(0x7ff00000), { action: 'trace', data: 0 })
  t.same(describeVerdict(0x80000000), { action: 'kill' })
  t.equal(verdictText(0x00050026), 'errno(ENOSYS)')
  t.equal(verdictText(0), 'killThread')
  t.equal(verdictText(0x7ff00009), 'trace(9)')
})
