/**
 * `webServer`: a service that listens, talks to clients and databases, resolves names, reads files,
 * uses Workers. It starts no programs, writes no files, and asks the kernel for nothing else. It has
 * no Unix sockets: listening on one makes a file, and behind some of them (a container engine's, a
 * service manager's) is a server that starts programs for whoever may connect.
 *
 * Which calls V8, libuv and libc make was measured with strace on Node 20 to 26 (glibc 2.36) and,
 * for musl, on a C program; calls that appear only in races, as a fallback for the vDSO or on musl
 * are listed with the rest.
 */
import {
  allow,
  eq,
  errno,
  hasNone,
  maskedEq,
  noneOf,
  oneOf,
  type Action,
  type Policy,
} from '../policy'
import type { SyscallName } from '../syscalls'

/** Without a prototype, which makes it a table from the start: every start of a program fills it. */
function allowAll<const S extends SyscallName>(
  ...groups: readonly (readonly S[])[]
): Record<S, Action> {
  const rules = Object.create(null) as Record<S, Action>
  for (const group of groups) {
    for (const name of group) rules[name] = allow
  }
  return rules
}

/** What `{ ...rules, ...others }` is, in place. */
const add = <A extends object, B extends object>(rules: A, others: B): Omit<A, keyof B> & B =>
  Object.assign(rules, others)

/** include/uapi/asm-generic/fcntl.h: FASYNC. */
const O_ASYNC = 0x2000

/** Memory, time, threads' own business, and the descriptors that are already open. */
const runtime = add(
  allowAll(
    ['read', 'write', 'readv', 'writev', 'pread64', 'pwrite64', 'preadv', 'pwritev'],
    ['close', 'fstat', 'lseek', 'dup', 'dup3', 'fsync', 'fdatasync', 'pipe2', 'eventfd2'],
    ['brk', 'mmap', 'munmap', 'mprotect', 'mremap'],
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
  {
    // Not the two that, with privilege, take pages of memory out of use.
    madvise: allow.when({ behavior: noneOf('MADV_HWPOISON', 'MADV_SOFT_OFFLINE') }),
    fcntl: [
      allow.when({ cmd: oneOf('F_GETFL', 'F_GETFD', 'F_SETFD', 'F_DUPFD_CLOEXEC') }),
      // Not O_ASYNC: on a terminal it makes the kernel signal the terminal's foreground processes.
      allow.when({ cmd: eq('F_SETFL'), arg2: hasNone(O_ASYNC) }),
    ],
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
  } satisfies Policy['syscalls'],
)

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
const fsRead = add(
  allowAll(
    ['stat', 'lstat', 'newfstatat', 'statx', 'statfs', 'fstatfs'],
    ['access', 'faccessat', 'faccessat2', 'readlink', 'readlinkat'],
    ['getdents64', 'getdents', 'preadv2', 'fadvise64'],
  ),
  {
    open: [allow.when({ flags: readOnly }), errno('EACCES')],
    openat: [allow.when({ flags: readOnly }), errno('EACCES')],
  } satisfies Policy['syscalls'],
)

/** include/linux/net.h: SOCK_TYPE_MASK; above it stand SOCK_CLOEXEC and SOCK_NONBLOCK. */
const SOCK_TYPE_MASK = 0xf

const stream = maskedEq(SOCK_TYPE_MASK, 'SOCK_STREAM')
const datagram = maskedEq(SOCK_TYPE_MASK, 'SOCK_DGRAM')
const raw = maskedEq(SOCK_TYPE_MASK, 'SOCK_RAW')
const internet = oneOf('AF_INET', 'AF_INET6')

/**
 * The options that libuv sets, by their level and numbers (asm-generic/socket.h, linux/tcp.h, in.h,
 * in6.h). Among the others are some that replace the host's firewall rules, given the privilege, and
 * some that load kernel modules.
 */
const SOL_SOCKET = [
  ...[2 /* REUSEADDR */, 6 /* BROADCAST */, 7 /* SNDBUF */, 8 /* RCVBUF */, 9 /* KEEPALIVE */],
  ...[13 /* LINGER */, 15 /* REUSEPORT */],
] as const
const SOL_TCP = [
  ...[1 /* NODELAY */, 4 /* KEEPIDLE */, 5 /* KEEPINTVL */, 6 /* KEEPCNT */],
  ...[18 /* USER_TIMEOUT */, 30 /* FASTOPEN_CONNECT */],
] as const
const SOL_IP = [
  ...[1 /* TOS */, 2 /* TTL */, 11 /* RECVERR */, 32 /* MULTICAST_IF */, 33 /* MULTICAST_TTL */],
  ...[34 /* MULTICAST_LOOP */, 35 /* ADD_MEMBERSHIP */, 36 /* DROP_MEMBERSHIP */],
  ...[39 /* ADD_SOURCE_MEMBERSHIP */, 40 /* DROP_SOURCE_MEMBERSHIP */],
] as const
const SOL_IPV6 = [
  ...[16 /* UNICAST_HOPS */, 17 /* MULTICAST_IF */, 18 /* MULTICAST_HOPS */],
  ...[19 /* MULTICAST_LOOP */, 20 /* ADD_MEMBERSHIP */, 21 /* DROP_MEMBERSHIP */],
  ...[25 /* RECVERR */, 26 /* V6ONLY */, 46 /* JOIN_SOURCE */, 47 /* LEAVE_SOURCE */],
  ...[67 /* TCLASS */],
] as const

/** TCP and UDP, both ways. */
const net = add(
  allowAll(
    ['bind', 'listen', 'accept', 'accept4', 'connect', 'shutdown'],
    ['getsockname', 'getpeername', 'getsockopt'],
    ['sendto', 'recvfrom', 'sendmsg', 'recvmsg', 'sendmmsg', 'recvmmsg'],
  ),
  {
    socket: [
      allow.when({ family: internet, type: stream, protocol: oneOf(0, 'IPPROTO_TCP') }),
      allow.when({ family: internet, type: datagram, protocol: oneOf(0, 'IPPROTO_UDP') }),
      // getaddrinfo() and os.networkInterfaces() ask the kernel for its addresses: NETLINK_ROUTE, 0.
      allow.when({ family: eq('AF_NETLINK'), type: raw, protocol: eq(0) }),
    ],
    setsockopt: [
      allow.when({ level: eq(1), optname: oneOf(...SOL_SOCKET) }),
      allow.when({ level: eq(6), optname: oneOf(...SOL_TCP) }),
      allow.when({ level: eq(0), optname: oneOf(...SOL_IP) }),
      allow.when({ level: eq(41), optname: oneOf(...SOL_IPV6) }),
      errno('ENOPROTOOPT'),
    ],
  } satisfies Policy['syscalls'],
)

/** A ready policy is known by its identity: nothing in it may change. All else is frozen already. */
function freezeLists<Rules extends object>(rules: Rules): Rules {
  for (const each of Object.values(rules)) Object.freeze(each)
  return Object.freeze(rules)
}

/**
 * For a service that listens, talks to clients and databases, and reads files.
 *
 * Its type tells what is in it, so that a policy can add to a rule list:
 * `socket: [...webServer.syscalls.socket, allow.when(…)]`.
 */
export const webServer = Object.freeze({
  name: 'webServer',
  default: errno('EPERM'),
  // Old enough for the kernels Node 20 runs on; libc falls back from whatever came later.
  baseline: '5.10',
  syscalls: freezeLists(add(add(add(runtime, threads), fsRead), net)),
} as const satisfies Policy)
