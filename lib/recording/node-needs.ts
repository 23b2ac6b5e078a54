/**
 * What a Node program needs although a recording of it may not show it: it did not crash while it was
 * observed, did not end, or had as much memory and as many threads as it needed. Measured with strace
 * and with filters that deny one call each, Node 18 to 26 (glibc 2.36); what only musl, a clock without
 * vDSO or a race brings about is listed with the rest.
 *
 * None of it reaches anything outside the process: no file is opened for writing, no connection made,
 * no program started, no other process signalled.
 */
import { errno, type Policy } from '../policy'
import { webServer } from '../promises/web-server'
import type { SyscallName } from '../syscalls'

export interface NodeNeed {
  /** What for: to go on, to take more memory and threads, to end, or to end in an error. */
  readonly for: 'run' | 'grow' | 'exit' | 'crash'
  readonly why: string
  readonly syscalls: readonly SyscallName[]
}

/** Where `webServer` has a rule for a call that looks at its arguments, it is that rule. */
export const NODE_NEEDS: readonly NodeNeed[] = [
  {
    for: 'run',
    why: 'the event loop waits and is woken; libuv aborts when it is refused',
    syscalls: ['epoll_ctl', 'epoll_wait', 'epoll_pwait', 'epoll_pwait2', 'poll', 'ppoll'],
  },
  {
    for: 'run',
    why: 'threads wait for each other; glibc aborts when it is refused',
    syscalls: ['futex', 'sched_yield', 'membarrier'],
  },
  {
    for: 'run',
    why: 'what is open already, and the pipes and eventfds by which threads wake each other',
    syscalls: ['read', 'readv', 'write', 'writev', 'close', 'fstat', 'lseek', 'dup3'],
  },
  {
    for: 'run',
    why: 'the first line written to stdout or stderr, that of an error included: what kind of file it is (uv_guess_handle)',
    syscalls: ['fstat', 'getsockname', 'getsockopt', 'ioctl', 'fcntl'],
  },
  {
    for: 'run',
    why: 'signals arrive, and calls that they interrupted go on',
    syscalls: ['rt_sigreturn', 'restart_syscall'],
  },
  {
    for: 'run',
    why: 'time, where the vDSO cannot tell it; V8 asks for the processor time of its threads',
    syscalls: [
      ...(['clock_gettime', 'clock_getres', 'gettimeofday', 'time'] as const),
      ...(['clock_nanosleep', 'nanosleep', 'getcpu'] as const),
    ],
  },
  {
    for: 'run',
    why: 'random numbers; with EPERM the resolver asks again for ever',
    syscalls: ['getrandom'],
  },
  {
    for: 'run',
    why: 'process.memoryUsage(), process.resourceUsage(), os.freemem(), process.title and the like',
    syscalls: ['getrusage', 'sysinfo', 'uname', 'getpid', 'getppid'],
  },
  {
    for: 'run',
    why: 'children that were started before; libuv aborts when it cannot reap them',
    syscalls: ['wait4'],
  },
  {
    for: 'grow',
    why: 'V8 and libc take memory and give it back; brk with an errno is taken for an address',
    syscalls: ['brk', 'mmap', 'munmap', 'mprotect', 'mremap', 'madvise'],
  },
  {
    for: 'grow',
    why: 'V8 guards the code it generates with protection keys, where the processor has them',
    syscalls: ['pkey_alloc', 'pkey_free', 'pkey_mprotect'],
  },
  {
    for: 'grow',
    why: 'threads: the pool of libuv begins with the first asynchronous call that needs it, Workers when they are made. clone3 answers ENOSYS, and glibc takes clone',
    syscalls: ['clone', 'set_robust_list', 'rseq', 'rt_sigprocmask', 'sigaltstack', 'gettid'],
  },
  {
    for: 'grow',
    why: 'what a new thread asks about processors and limits, and its name',
    syscalls: [
      ...(['sched_getaffinity', 'sched_getparam', 'sched_getscheduler'] as const),
      ...(['getpriority', 'prlimit64', 'prctl'] as const),
    ],
  },
  {
    for: 'grow',
    why: 'the event loop of a Worker, and whom it runs as: ERR_WORKER_INIT_FAILED without',
    syscalls: [
      ...(['epoll_create1', 'eventfd2', 'pipe2', 'getcwd', 'capget'] as const),
      ...(['getuid', 'geteuid', 'getgid', 'getegid'] as const),
    ],
  },
  {
    for: 'exit',
    why: 'the process ends, and its threads; refused, it hangs',
    syscalls: ['exit', 'exit_group'],
  },
  {
    for: 'exit',
    why: 'Node puts stdin, stdout and stderr back as they were (ResetStdio), and aborts where it cannot',
    syscalls: ['fcntl', 'fstat', 'ioctl', 'rt_sigaction', 'rt_sigprocmask'],
  },
  {
    for: 'crash',
    why: 'abort(), V8 and process.kill(process.pid) signal this process, and no other',
    syscalls: ['tgkill', 'kill', 'getpid', 'gettid', 'rt_sigaction', 'rt_sigprocmask'],
  },
]

/**
 * What Node looks at on its way, and does without: the time zone, the memory of the machine, its own
 * binary. It survives an errno and not a signal.
 */
export const NODE_LOOKS: NodeNeed = {
  for: 'run',
  why: 'Node looks at files of the system (time zone, /proc, /sys) and does without them, but dies of a signal',
  syscalls: [
    ...(['open', 'openat', 'stat', 'lstat', 'newfstatat', 'statx', 'statfs'] as const),
    ...(['access', 'faccessat', 'faccessat2', 'readlink', 'readlinkat', 'getdents64'] as const),
  ],
}

type Rules = NonNullable<Policy['syscalls']>

/** Errnos with which looking at a file was seen to fail in peace. */
const PEACEFUL: ReadonlySet<unknown> = new Set(['EPERM', 'EACCES', 'ENOENT', 1, 13, 2])

/** The rules for all that, and why each is there. Of two reasons for a call, both. */
export function nodeRules(
  fallback: Policy['default'],
): ReadonlyMap<SyscallName, { readonly rules: Rules[SyscallName]; readonly why: string }> {
  const found = new Map<SyscallName, { rules: Rules[SyscallName]; why: string }>()
  const peaceful = fallback.action === 'errno' && PEACEFUL.has(fallback.errno)
  const known = webServer.syscalls as Rules
  for (const need of NODE_NEEDS) {
    for (const name of need.syscalls) {
      const before = found.get(name)
      const why = `${need.for}: ${need.why}`
      found.set(name, {
        rules: known[name],
        why: before === undefined ? why : `${before.why}; ${why}`,
      })
    }
  }
  if (peaceful) return found
  for (const name of NODE_LOOKS.syscalls) {
    found.set(name, { rules: errno('EACCES'), why: `${NODE_LOOKS.for}: ${NODE_LOOKS.why}` })
  }
  return found
}
