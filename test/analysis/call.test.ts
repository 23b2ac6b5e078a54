/** Calls as people write and read them. */
import t from 'tap'
import { describeCall, parseCall } from '../../lib/analysis/call'
import { PolicyError } from '../../lib/errors'
import { ARM64, X64 } from '../helpers/analysis'

const target = { arch: 'x86_64', pid: 4242 } as const

t.test('registers of a call', async (t) => {
  const args = (syscall: unknown, args: unknown, arch?: unknown): readonly bigint[] =>
    parseCall({ syscall, args, arch }, target).args
  t.same(parseCall({ syscall: 'socket' }, target), {
    arch: X64,
    number: 41,
    args: [0n, 0n, 0n, 0n, 0n, 0n],
    instructionPointer: 0n,
  })
  t.same(args('socket', { family: 'AF_INET6', protocol: 6 }), [10n, 0n, 6n, 0n, 0n, 0n])
  t.same(args('socket', ['AF_INET', 1]), [2n, 1n, 0n, 0n, 0n, 0n])
  t.same(args('socket', { arg5: '0xffffffffffffffff' })[5], 2n ** 64n - 1n)
  t.same(args('socket', { family: -1 })[0], 2n ** 64n - 1n, 'a negative int, sign-extended')
  t.same(args('socket', { family: 0x1_0000_0002n })[0], 0x1_0000_0002n, 'garbage above it')
  t.same(args('kill', { pid: 'SELF' })[0], 4242n)
  t.same(args('openat', { filename: 0x1000 })[1], 0x1000n, 'an address')
  t.equal(parseCall({ syscall: 'openat', arch: 'aarch64' }, target).number, 56)
  t.equal(parseCall({ syscall: 'openat', arch: ARM64 }, target).number, 56)
  t.same(parseCall({ syscall: 5, arch: 0x40000003, args: [1] }, target).args[0], 1n)
  t.equal(parseCall({ syscall: 0xffffffff }, target).number, 0xffffffff)
})

const mistakes: Record<string, [call: unknown, code: string, path: string, suggestion?: string]> = {
  'no object': [7, 'ERR_POLICY_SHAPE', 'call'],
  'no system call': [{}, 'ERR_VALUE_TYPE', 'call.syscall'],
  'a misspelt key': [{ syscall: 'read', arg: [] }, 'ERR_UNKNOWN_KEY', 'call.arg', 'args'],
  'a misspelt call': [{ syscall: 'scoket' }, 'ERR_UNKNOWN_SYSCALL', 'call.syscall', 'socket'],
  "another architecture's call": [
    { syscall: 'open', arch: 'aarch64' },
    'ERR_UNKNOWN_SYSCALL',
    'call.syscall',
  ],
  'a name on an architecture without a table': [
    { syscall: 'open', arch: 0x40000003 },
    'ERR_UNKNOWN_SYSCALL',
    'call.syscall',
  ],
  'an unknown architecture': [{ syscall: 0, arch: 'riscv64' }, 'ERR_OPTION', 'call.arch'],
  'half a number': [{ syscall: 0.5 }, 'ERR_VALUE_TYPE', 'call.syscall'],
  'a misspelt argument': [
    { syscall: 'socket', args: { famly: 2 } },
    'ERR_UNKNOWN_ARGUMENT',
    'call.args.famly',
    'family',
  ],
  'a misspelt constant': [
    { syscall: 'socket', args: { family: 'AF_INTE' } },
    'ERR_UNKNOWN_CONSTANT',
    'call.args.family',
    'AF_INET',
  ],
  'seven arguments': [{ syscall: 0, args: [1, 2, 3, 4, 5, 6, 7] }, 'ERR_POLICY_SHAPE', 'call.args'],
  'too large': [{ syscall: 0, args: [2n ** 64n] }, 'ERR_VALUE_RANGE', 'call.args[0]'],
}

t.test('mistakes', async (t) => {
  for (const [name, [call, code, path, suggestion]] of Object.entries(mistakes)) {
    try {
      parseCall(call, target)
      t.fail(`${name}: accepted`)
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      t.match(error, { code, path, ...(suggestion === undefined ? {} : { suggestion }) }, name)
    }
  }
})

t.test('in words', async (t) => {
  const text = (number: number, args: bigint[], arch = X64, instructionPointer = 0n): string =>
    describeCall({ arch, number, args, instructionPointer }).text
  const none = [0n, 0n, 0n, 0n, 0n, 0n]
  t.equal(
    text(41, [2n, 0x1_0000_0001n, 17n, 0n, 5n, 0n]),
    'socket(family: AF_INET, type: 0x100000001 (SOCK_STREAM), protocol: IPPROTO_UDP, arg4: 5) on x86_64',
  )
  t.equal(text(39, none), 'getpid() on x86_64')
  t.equal(text(0x40000000, none), 'syscall 0x40000000() on x86_64')
  t.equal(text(5, [16n], 0x40000003), 'syscall 5(arg0: 0x10) on architecture 0x40000003')
  t.equal(text(39, none, X64, 0x1000n), 'getpid() on x86_64 from 0x1000')
})

t.test("Node's name for an architecture", async (t) => {
  const mistake = (arch: unknown): object => ({ syscall: 'read', arch })
  t.throws(() => parseCall(mistake('arm64')), { code: 'ERR_OPTION', suggestion: 'aarch64' })
  for (const arch of ['toString', '__proto__', 'mips', {}]) {
    t.throws(() => parseCall(mistake(arch)), { code: 'ERR_OPTION', suggestion: undefined })
  }
})

t.test("the manual pages' names, and flags together", async (t) => {
  const args = (syscall: string, values: Record<string, string | number>): readonly bigint[] =>
    parseCall({ syscall, args: values }, target).args
  t.equal(args('socket', { domain: 'AF_VSOCK' })[0], 40n)
  t.equal(args('prctl', { op: 'PR_SET_NAME' })[0], 15n)
  t.equal(args('mmap', { prot: 'PROT_READ|PROT_EXEC', length: 4096 })[2], 5n)
  t.equal(args('tgkill', { pid: 7 })[1], 7n, "the kernel's name comes first")
  t.throws(() => args('socket', { domian: 2 }), { code: 'ERR_UNKNOWN_ARGUMENT' })
  t.throws(() => args('mmap', { prot: 'PROT_READ|PROT_EXCE' }), { code: 'ERR_UNKNOWN_CONSTANT' })
})
