/**
 * Calls that fail the same way every time and change nothing, whatever lets them through: bad descriptors,
 * null pointers, flags that there are not.
 */
import { constants } from 'node:os'
import { simulate } from '../../lib/analysis'
import type { Policy } from '../../lib/policy'
import { findSyscall, isSyscallName, errnoValue, type SyscallName } from '../../lib/syscalls'

export interface ProbeCall {
  readonly syscall: SyscallName | number
  readonly args: readonly bigint[]
}

const BAD = 0xffff_ffff_ffff_ffffn

const of = (syscall: SyscallName | number, ...args: (number | bigint)[]): ProbeCall => ({
  syscall,
  args: Array.from({ length: 6 }, (_, at) => BigInt.asUintN(64, BigInt(args[at] ?? 0))),
})

/** No descriptor. */
const ON_NOTHING = [
  ...(['read', 'write', 'close', 'fstat', 'lseek', 'pread64', 'dup', 'flock'] as const),
  ...(['ftruncate', 'fchmod', 'fchown', 'fsync', 'getdents64', 'fchdir', 'setns'] as const),
] satisfies SyscallName[]

/** No pointer. */
const OF_NOTHING = [
  ...(['open', 'chdir', 'mkdir', 'unlink', 'chmod', 'symlink', 'umount2', 'chroot'] as const),
  ...([
    'mount',
    'pivot_root',
    'add_key',
    'request_key',
    'perf_event_open',
    'memfd_create',
  ] as const),
] satisfies SyscallName[]

export const PROBE_CALLS: readonly ProbeCall[] = [
  ...ON_NOTHING.map((name) => of(name, BAD)),
  ...OF_NOTHING.map((name) => of(name)),
  // The family decides; there is no such type of socket.
  ...[1, 2, 10, 16, 38, 39, 40, 41, 0x1_0000_0028, BAD].map((family) => of('socket', family, 99)),
  // What personality(2) answers is the one there is.
  ...[0xffff_ffff, 0xffff_ffff_ffff_ffffn].map((persona) => of('personality', persona)),
  ...[1, 2, 3, 0x5412, 0x1_0000_5412].map((request) => of('ioctl', BAD, request)),
  ...[0, 1, 2, 3, 4, 7].map((advice) => of('madvise', 1, 1, advice)),
  of('openat', -100),
  of('openat2', BAD),
  of('clone3', 0, 0),
  of('unshare', 1),
  of('bpf', 9999),
  of('ptrace', 9999, BAD),
  of('keyctl', 9999),
  of('process_vm_readv', BAD, 0, 0, 0, 0, 1),
  of('io_uring_setup', 0, 0),
  of('userfaultfd', 0xffff),
  of('close_range', 1, 0),
  of('pidfd_open', BAD),
  of('landlock_create_ruleset', 0, 0, 2),
  of('faccessat2', BAD, 0, 0, 0xffff),
  of('statx', BAD),
  of('clock_settime', 999, 0),
  // Later than the profiles, or without a name, or nothing that there will ever be.
  of('futex_waitv', 0, 0, 1),
  of('cachestat', BAD, 0, 0, 1),
  of('mseal', 1, 1, 1),
  ...[400, 600, 9999, 0x3fff_ffff].map((number) => of(number)),
]

const numberOf = (syscall: SyscallName | number): number => {
  if (typeof syscall === 'number') return syscall
  const number = findSyscall(syscall, 'x86_64')?.number
  if (number === undefined) throw new Error(`no ${syscall} here`)
  return number
}

/** For the standard input of probe.c. */
export const PROBE_INPUT = PROBE_CALLS.map(
  ({ syscall, args }) => `${numberOf(syscall)} ${args.join(' ')}\n`,
).join('')

/** Lines of probe.c. */
export type Results = readonly string[]

export function parseResults(output: string): Results {
  const results = output.trim().split('\n')
  if (results.length !== PROBE_CALLS.length) {
    throw new Error(`${results.length} answers to ${PROBE_CALLS.length} calls: ${output}`)
  }
  return results
}

export const describeCall = ({ syscall, args }: ProbeCall): string => {
  const name = isSyscallName(String(syscall)) ? syscall : `number ${syscall}`
  return `${name}(${args.map((value) => `0x${value.toString(16)}`).join(', ')})`
}

/** What the probe must say of each call, by the policy and by what the kernel says without a filter. */
export function foretold(policy: Policy, unfiltered: Results): string[] {
  return PROBE_CALLS.map(({ syscall, args }, at) => {
    const { action, errno } = simulate(policy, { syscall, args }, { arch: 'x86_64', pid: 1 })
    switch (action) {
      case 'allow':
      case 'log':
        return unfiltered[at] ?? ''
      case 'errno': {
        const value = typeof errno === 'number' ? errno : errnoValue(errno ?? '')
        return `returned ${value === 0 ? 0 : -(value ?? NaN)}`
      }
      case 'kill':
      case 'killThread':
      case 'trap':
        return `died ${constants.signals.SIGSYS}`
      // Nobody traces and nobody listens: ENOSYS.
      case 'trace':
      case 'notify':
        return 'returned -38'
    }
  })
}

/** Calls that did not end as foretold, in words. */
export const mistakes = (expected: Results, found: Results): string[] =>
  PROBE_CALLS.flatMap((call, at) =>
    expected[at] === found[at]
      ? []
      : [`${describeCall(call)}: foretold '${expected[at] ?? ''}', was '${found[at] ?? ''}'`],
  )
