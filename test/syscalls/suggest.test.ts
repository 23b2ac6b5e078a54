import t from 'tap'
import { constantNames, suggest, syscallNames } from '../../lib/syscalls'

t.test('typing errors', async (t) => {
  const names = syscallNames()
  t.equal(suggest('opennat', names), 'openat', 'one too many')
  t.equal(suggest('opeat', names), 'openat', 'one missing')
  t.equal(suggest('scoket', names), 'socket', 'two swapped: one error, not two')
  t.equal(suggest('execvee', names), 'execve')
  t.equal(suggest('mprotekt', names), 'mprotect')
  t.equal(suggest('io_uring_entr', names), 'io_uring_enter')
})

t.test('letter case and a prefix left out', async (t) => {
  t.equal(suggest('Socket', syscallNames()), 'socket')
  t.equal(suggest('af_inet', constantNames('AF')), 'AF_INET')
  t.equal(suggest('INET6', constantNames('AF')), 'AF_INET6')
  t.equal(suggest('exec', constantNames('PROT')), 'PROT_EXEC')
})

t.test('the closest, and of equals the first', async (t) => {
  t.equal(suggest('abcdef', ['abcxyf', 'abcdxf', 'abcdef1']), 'abcdxf')
  t.equal(suggest('abcdef', ['xbcdef', 'abcdex']), 'xbcdef')
})

t.test('no wild guesses', async (t) => {
  const names = syscallNames()
  t.equal(suggest('frobnicate', names), undefined)
  t.equal(suggest('', names), undefined)
  t.equal(suggest('xy', ['ab', 'xyz']), undefined, 'too short to tell an error from another word')
  t.equal(suggest('abc', ['xyc']), undefined, 'two errors in three letters')
  t.equal(suggest('constructor', names), undefined)
  t.equal(suggest('__proto__', names), undefined)
  t.equal(suggest('a'.repeat(1_000_000), ['a'.repeat(64)]), undefined, 'and no work for huge input')
  t.equal(suggest('socket', []), undefined)
})
