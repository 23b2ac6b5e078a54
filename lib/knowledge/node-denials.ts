/**
 * What Node does when a call is refused after it has started. Measured with a filter that refuses that
 * one call, on Node 18 to 26 (glibc 2.36, x86-64): only what was seen is here. What no entry is about was
 * not tried alone.
 */
import { errnoValue, type SyscallName } from '../syscalls'

export type NodeEffect =
  /** The process ends by abort() or a fault. */
  | 'aborts'
  /** It neither goes on nor ends. */
  | 'hangs'
  /** An exception that nobody catches, in code of Node's own. */
  | 'throws'
  /** The operation that needed it fails, with an error that can be caught. */
  | 'fails'
  /** It falls back to something else, or does without. */
  | 'survives'

export interface NodeDenial {
  readonly syscalls: readonly SyscallName[]
  readonly effect: NodeEffect
  /** Where it is so, and how it shows. */
  readonly how: string
  /** With this errno alone; with any, where there is none. */
  readonly errno?: 'EPERM' | 'ENOSYS'
  /** Only while something else is so, so that not every program sees it. */
  readonly sometimes?: true
}

const denial = (
  effect: NodeEffect,
  how: string,
  syscalls: readonly SyscallName[],
  more: Pick<NodeDenial, 'errno' | 'sometimes'> = {},
): NodeDenial => ({ syscalls, effect, how, ...more })

export const NODE_DENIALS: readonly NodeDenial[] = [
  denial('aborts', 'a fault: libc takes the errno for an address', ['brk']),
  denial('aborts', 'at once or soon, on every version', [
    ...(['close', 'futex', 'mmap', 'mprotect', 'munmap', 'read', 'write'] as const),
    ...(['rt_sigprocmask', 'rt_sigreturn'] as const),
  ]),
  denial('aborts', 'the event loop cannot wait, on Node 20 and later', ['epoll_pwait']),
  denial('aborts', 'the event loop cannot wait, on Node 18', ['epoll_wait'], { sometimes: true }),
  denial('aborts', 'on Node 18 and 20, which watch descriptors with it', ['epoll_ctl'], {
    sometimes: true,
  }),
  denial('aborts', 'at exit, when it puts stdin, stdout and stderr back (ResetStdio)', [
    ...(['fcntl', 'fstat', 'rt_sigaction'] as const),
  ]),
  denial('aborts', 'on Node 22 and later, in V8', ['madvise']),
  denial('aborts', '"rseq registration failed", with the next thread', ['rseq']),
  denial('aborts', 'when a child has ended', ['wait4'], { sometimes: true }),
  denial('aborts', 'on Node 26', ['uname'], { sometimes: true }),
  denial('aborts', 'on Node 18', ['clock_gettime'], { sometimes: true }),
  denial(
    'aborts',
    '"libuv: io_uring_enter(getevents)", on Node 22 and later where a ring was open before',
    ['io_uring_enter'],
    { sometimes: true },
  ),
  denial('aborts', 'glibc does not fall back to clone(2), and no thread starts', ['clone3'], {
    errno: 'EPERM',
  }),
  denial('survives', 'glibc falls back to clone(2)', ['clone3'], { errno: 'ENOSYS' }),
  denial('hangs', 'the resolver asks again for ever, on the main thread', ['getrandom'], {
    errno: 'EPERM',
  }),
  denial('survives', 'on Node 22 and 26, once it has started', ['getrandom'], {
    errno: 'ENOSYS',
  }),
  denial('hangs', 'the process never ends; only SIGKILL ends it', ['exit', 'exit_group']),
  denial('throws', 'with the first line to stdout or stderr', ['ioctl', 'getsockname']),
  denial('fails', 'no new threads, or no child: EPERM', ['clone', 'pipe2', 'execve', 'socketpair']),
  denial('fails', 'ERR_WORKER_INIT_FAILED: no Worker starts', [
    ...(['eventfd2', 'epoll_create1', 'getcwd'] as const),
  ]),
  denial('fails', 'with its errno', [
    ...(['socket', 'bind', 'listen', 'setsockopt', 'kill', 'openat', 'access'] as const),
  ]),
  denial('fails', 'the request or connection fails or stalls, and the server stays', [
    ...(['accept4', 'connect', 'writev'] as const),
  ]),
  denial('survives', 'falls back to newfstatat(2): refusing statx alone protects nothing', [
    'statx',
  ]),
  denial('survives', 'falls back to epoll_ctl(2)', ['io_uring_setup']),
  denial('survives', 'nothing was seen to change', [
    ...(['sched_yield', 'sched_getaffinity', 'sched_getparam', 'sched_getscheduler'] as const),
    ...(['getpid', 'gettid', 'prlimit64', 'set_robust_list', 'prctl', 'capget', 'getuid'] as const),
    ...(['lseek', 'readlink', 'membarrier', 'pkey_alloc', 'pkey_free', 'pkey_mprotect'] as const),
    ...(['mremap', 'sigaltstack', 'dup3', 'sysinfo', 'clock_nanosleep'] as const),
  ]),
]

/** What refusing the call comes to, with that errno (a name or number), if it was tried. */
export function nodeDenial(
  syscall: SyscallName,
  errno: string | number | undefined,
): NodeDenial | undefined {
  const number = typeof errno === 'string' ? errnoValue(errno) : errno
  return NODE_DENIALS.find(
    (each) =>
      each.syscalls.includes(syscall) &&
      (each.errno === undefined || errnoValue(each.errno) === number),
  )
}
