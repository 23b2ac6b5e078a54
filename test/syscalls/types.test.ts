/** What the compiler must accept and refuse. `npm run typecheck` is the test; at run time, a few agree. */
import t from 'tap'
import {
  constantNames,
  findSyscall,
  syscallNames,
  type ConstantFamily,
  type Constants,
  type ErrnoName,
  type Numeric,
  type Pointer,
  type SyscallArguments,
  type SyscallName,
} from '../../lib/syscalls'

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const holds = <T extends true>(): T => true as T

holds<Equal<Constants<'SHUT'>, 'SHUT_RD' | 'SHUT_WR' | 'SHUT_RDWR'>>()
holds<Equal<SyscallArguments['socket']['family'], Constants<'AF'>>>()
holds<Equal<SyscallArguments['socket']['type'], Constants<'SOCK'>>>()
holds<Equal<SyscallArguments['openat']['filename'], Pointer>>()
holds<Equal<SyscallArguments['read']['fd'], Numeric>>()
holds<Equal<keyof SyscallArguments['getpid'], never>>()
// What tells the three kinds of arguments apart must not confuse them.
holds<Equal<Pointer extends Numeric ? true : false, false>>()
holds<Equal<Numeric extends Pointer ? true : false, false>>()
holds<Equal<Constants<ConstantFamily> extends Pointer | Numeric ? true : false, false>>()

export const good: [SyscallName, ErrnoName, Constants<'AF'>] = ['openat', 'EPERM', 'AF_INET']
// @ts-expect-error no such system call
export const badSyscall: SyscallName = 'opennat'
// @ts-expect-error no such error
export const badErrno: ErrnoName = 'EPERMS'
// @ts-expect-error of another family
export const badConstant: Constants<'AF'> = 'PROT_EXEC'
// @ts-expect-error no such argument
export type BadArgument = SyscallArguments['socket']['domain']
// @ts-expect-error the message says: seccomp sees the address, not what it points to
export const badPointer: Pointer = { op: 'eq', value: '/etc/passwd' }

t.test('the types and the tables come from the same source', async (t) => {
  const name: SyscallName = 'rseq_slice_yield'
  t.ok(syscallNames().includes(name))
  const family: keyof SyscallArguments['socket'] = 'family'
  t.equal(findSyscall('socket', 'x86_64')?.args[0]?.name, family)
  t.ok(constantNames('AF').includes('AF_INET' satisfies Constants<'AF'>))
})
