/**
 * `webServer`: a service that listens, talks to clients and databases, resolves names, reads files,
 * uses Workers. It starts no programs, writes no files, and asks the kernel for nothing else.
 *
 * Which calls V8, libuv and libc make was measured with strace on Node 20 to 26 (glibc 2.36) and,
 * for musl, on a C program; calls that appear only in races, as a fallback for the vDSO or on musl
 * are listed with the rest.
 */
import { allow, eq, errno, maskedEq, oneOf, type Policy, type RulesFor } from '../policy'
import type { SyscallName } from '../syscalls'

const allowAll = (
  ...groups: readonly (readonly SyscallName[])[]
): { [S in SyscallName]?: RulesFor<S> } =>
  Object.fromEntries(groups.flat().map((name) => [name, allow]))

/** Memory, time, threads' own business, and the descriptors that are already open. */
const runtime = {
  ...allowAll(
    ['read', 'write', 'readv', 'writev', 'pread64', 'pwrite64', 'preadv', 'pwritev'],
    ['close', 'fstat', 'lseek', 'dup', 'dup3', 'fsync', 'fdatasync', 'pipe2', 'eventfd2'],
    ['brk', 'mmap', 'munmap', 'mprotect', 'mremap', 'madvise'],
    // V8 isolates its JIT memory with protection keys where the processor has them.
    ['pkey_alloc', 'pkey_free', 'pkey_mprotect'],
    ['futex', 'sched_yield', 'sched_getaffinity', 'sched_getparam', 'sched_getscheduler'],
    ['rseq', 'set_robust_list', 'membarrier', 'getcpu'],
    ['rt_sigaction', 'rt_sigprocmask', 'rt_sigreturn', 'sigaltstack', 'restart_syscall'],
    // Usually answered by the vDSO, by the kernel where the clock source has none.
    ['clock_gettime', 'clock_getres', 'clock_nanosleep', 'nanosleep', 'gettimeofday', 'time'],
    ['epoll_create1', 'epoll_ctl', 'epoll_wait', 'epoll_pwait', 'epoll_pwait2', 'poll', 'ppoll'],
    ['getpid', 'getppid', 'gettid', 'getuid', 'geteuid', 'getgid', 'getegid', 'getgroups'],
    ['getrandom', 'uname', 'getcwd', 'sysinfo', 'getrusage', 'getpriority', 'capget', 'umask'],
    // Children that were started before: libuv aborts when it cannot reap them.
    ['wait4'],
    ['exit', 'exit_group'],
  ),
  fcntl: allow.when({
    cmd: oneOf('F_GETFL', 'F_SETFL', 'F_GETFD', 'F_SETFD', 'F_DUPFD_CLOEXEC'),
  }),
  // Not TIOCSTI and TIOCLINUX, which type into the terminal the service was started from.
  ioctl: allow.when({ cmd: oneOf('TCGETS', 'TIOCGWINSZ', 'FIONBIO', 'FIONREAD', 'FIOCLEX') }),
  // Reading limits, not setting them: new_rlim is NULL.
  prlimit64: allow.when({ arg2: eq(0) }),
  // Thread names; and what a second, tighter lockdown needs.
  prctl: allow.when({
    option: oneOf(
      'PR_SET_NAME',
      'PR_GET_NAME',
      'PR_SET_VMA',
      'PR_GET_SECCOMP',
      'PR_GET_NO_NEW_PRIVS',
      'PR_SET_NO_NEW_PRIVS',
    ),
  }),
  seccomp: allow,
  // abort() and V8's fatal errors signal this process; no other may be reached.
  kill: allow.when({ pid: eq('SELF') }),
  tgkill: allow.when({ tgid: eq('SELF') }),
} satisfies Policy['syscalls']

/** New threads: never a new process, never a new namespace. clone3 answers ENOSYS by itself. */
const threads = {
  clone: allow.when({
    clone_flags: maskedEq(
      [
        'CLONE_VM',
        'CLONE_SIGHAND',
        'CLONE_THREAD',
        'CLONE_NEWNS',
        'CLONE_NEWUSER',
        'CLONE_NEWPID',
        'CLONE_NEWNET',
        'CLONE_NEWIPC',
        'CLONE_NEWUTS',
        'CLONE_NEWCGROUP',
      ],
      ['CLONE_VM', 'CLONE_SIGHAND', 'CLONE_THREAD'],
    ),
  }),
} satisfies Policy['syscalls']

const readOnly = maskedEq(['O_ACCMODE', 'O_CREAT', 'O_TRUNC'], 'O_RDONLY')

/** Opening for reading, and looking at what is there. */
const fsRead = {
  ...allowAll(
    ['stat', 'lstat', 'newfstatat', 'statx', 'statfs', 'fstatfs'],
    ['access', 'faccessat', 'faccessat2', 'readlink', 'readlinkat'],
    ['getdents64', 'getdents', 'preadv2', 'fadvise64'],
  ),
  open: [allow.when({ flags: readOnly }), errno('EACCES')],
  openat: [allow.when({ flags: readOnly }), errno('EACCES')],
} satisfies Policy['syscalls']

/** include/linux/net.h: SOCK_TYPE_MASK; above it stand SOCK_CLOEXEC and SOCK_NONBLOCK. */
const SOCK_TYPE_MASK = 0xf

const stream = maskedEq(SOCK_TYPE_MASK, 'SOCK_STREAM')
const datagram = maskedEq(SOCK_TYPE_MASK, 'SOCK_DGRAM')
const raw = maskedEq(SOCK_TYPE_MASK, 'SOCK_RAW')
const internet = oneOf('AF_INET', 'AF_INET6')

/** TCP, UDP and Unix sockets, both ways. */
const net = {
  ...allowAll(
    ['bind', 'listen', 'accept', 'accept4', 'connect', 'shutdown'],
    ['getsockname', 'getpeername', 'getsockopt', 'setsockopt'],
    ['sendto', 'recvfrom', 'sendmsg', 'recvmsg', 'sendmmsg', 'recvmmsg'],
  ),
  socket: [
    allow.when({ family: internet, type: stream, protocol: oneOf(0, 'IPPROTO_TCP') }),
    allow.when({ family: internet, type: datagram, protocol: oneOf(0, 'IPPROTO_UDP') }),
    allow.when({ family: eq('AF_UNIX'), type: stream }),
    allow.when({ family: eq('AF_UNIX'), type: datagram }),
    // getaddrinfo() and os.networkInterfaces() ask the kernel for its addresses: NETLINK_ROUTE, 0.
    allow.when({ family: eq('AF_NETLINK'), type: raw, protocol: eq(0) }),
  ],
} satisfies Policy['syscalls']

/** For a service that listens, talks to clients and databases, and reads files. */
export const webServer: Policy = Object.freeze<Policy>({
  name: 'webServer',
  default: errno('EPERM'),
  // Old enough for the kernels Node 20 runs on; libc falls back from whatever came later.
  baseline: '5.10',
  syscalls: Object.freeze({ ...runtime, ...threads, ...fsRead, ...net }),
})
