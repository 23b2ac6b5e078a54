/**
 * What container engines allow a container that asks for nothing else, as data: which calls, with which
 * capabilities of the bounding set, from which kernel on. Facts from the engines' sources, as of June
 * 2026; `node scripts/profiles/built-in.js FOLDER` compares them with the files those are in.
 *
 * As the engines do, arguments are compared as whole registers: garbage above an `int` can get past
 * a refusal by value (docs/profiles.md).
 */
import { PolicyError } from '../../errors'
import type { Policy, RuleFor } from '../../policy'
import type { SyscallName } from '../../syscalls'
import { isAtLeast, type ParsedTarget } from '../target'

type Names = readonly SyscallName[]
type Syscalls = Partial<Record<SyscallName, RuleFor<SyscallName> | readonly RuleFor<SyscallName>[]>>

const names = (...rows: readonly Names[]): Names => rows.flat()

/** Docker, containerd and Podman allow these to every container. */
const COMMON = names(
  ['accept', 'accept4', 'access', 'adjtimex', 'alarm', 'arch_prctl', 'bind', 'brk', 'capget'],
  ['capset', 'chdir', 'chmod', 'chown', 'clock_adjtime', 'clock_getres', 'clock_gettime'],
  ['clock_nanosleep', 'close', 'close_range', 'connect', 'copy_file_range', 'creat', 'dup'],
  ['dup2', 'dup3', 'epoll_create', 'epoll_create1', 'epoll_ctl', 'epoll_ctl_old', 'epoll_pwait'],
  ['epoll_pwait2', 'epoll_wait', 'epoll_wait_old', 'eventfd', 'eventfd2', 'execve', 'execveat'],
  ['exit', 'exit_group', 'faccessat', 'faccessat2', 'fadvise64', 'fallocate', 'fanotify_mark'],
  ['fchdir', 'fchmod', 'fchmodat', 'fchmodat2', 'fchown', 'fchownat', 'fcntl', 'fdatasync'],
  ['fgetxattr', 'flistxattr', 'flock', 'fork', 'fremovexattr', 'fsetxattr', 'fstat', 'fstatfs'],
  ['fsync', 'ftruncate', 'futex', 'futimesat', 'get_robust_list', 'get_thread_area', 'getcpu'],
  ['getcwd', 'getdents', 'getdents64', 'getegid', 'geteuid', 'getgid', 'getgroups', 'getitimer'],
  ['getpeername', 'getpgid', 'getpgrp', 'getpid', 'getppid', 'getpriority', 'getrandom'],
  ['getresgid', 'getresuid', 'getrlimit', 'getrusage', 'getsid', 'getsockname', 'getsockopt'],
  ['gettid', 'gettimeofday', 'getuid', 'getxattr', 'inotify_add_watch', 'inotify_init'],
  ['inotify_init1', 'inotify_rm_watch', 'io_cancel', 'io_destroy', 'io_getevents', 'io_setup'],
  ['io_submit', 'ioctl', 'ioprio_get', 'ioprio_set', 'kill', 'landlock_add_rule'],
  ['landlock_create_ruleset', 'landlock_restrict_self', 'lchown', 'lgetxattr', 'link', 'linkat'],
  ['listen', 'listxattr', 'llistxattr', 'lremovexattr', 'lseek', 'lsetxattr', 'lstat', 'madvise'],
  ['membarrier', 'memfd_create', 'memfd_secret', 'mincore', 'mkdir', 'mkdirat', 'mknod'],
  ['mknodat', 'mlock', 'mlock2', 'mlockall', 'mmap', 'modify_ldt', 'mprotect', 'mq_getsetattr'],
  ['mq_notify', 'mq_open', 'mq_timedreceive', 'mq_timedsend', 'mq_unlink', 'mremap', 'msgctl'],
  ['msgget', 'msgrcv', 'msgsnd', 'msync', 'munlock', 'munlockall', 'munmap', 'name_to_handle_at'],
  ['nanosleep', 'newfstatat', 'open', 'openat', 'openat2', 'pause', 'pidfd_open'],
  ['pidfd_send_signal', 'pipe', 'pipe2', 'pkey_alloc', 'pkey_free', 'pkey_mprotect', 'poll'],
  ['ppoll', 'prctl', 'pread64', 'preadv', 'preadv2', 'prlimit64', 'process_mrelease', 'pselect6'],
  ['pwrite64', 'pwritev', 'pwritev2', 'read', 'readahead', 'readlink', 'readlinkat', 'readv'],
  ['recvfrom', 'recvmmsg', 'recvmsg', 'remap_file_pages', 'removexattr', 'rename', 'renameat'],
  ['renameat2', 'restart_syscall', 'rmdir', 'rseq', 'rt_sigaction', 'rt_sigpending'],
  ['rt_sigprocmask', 'rt_sigqueueinfo', 'rt_sigreturn', 'rt_sigsuspend', 'rt_sigtimedwait'],
  ['rt_tgsigqueueinfo', 'sched_get_priority_max', 'sched_get_priority_min', 'sched_getaffinity'],
  ['sched_getattr', 'sched_getparam', 'sched_getscheduler', 'sched_rr_get_interval'],
  ['sched_setaffinity', 'sched_setattr', 'sched_setparam', 'sched_setscheduler', 'sched_yield'],
  ['seccomp', 'select', 'semctl', 'semget', 'semop', 'semtimedop', 'sendfile', 'sendmmsg'],
  ['sendmsg', 'sendto', 'set_robust_list', 'set_thread_area', 'set_tid_address', 'setfsgid'],
  ['setfsuid', 'setgid', 'setgroups', 'setitimer', 'setpgid', 'setpriority', 'setregid'],
  ['setresgid', 'setresuid', 'setreuid', 'setrlimit', 'setsid', 'setsockopt', 'setuid'],
  ['setxattr', 'shmat', 'shmctl', 'shmdt', 'shmget', 'shutdown', 'sigaltstack', 'signalfd'],
  ['signalfd4', 'socketpair', 'splice', 'stat', 'statfs', 'statx', 'symlink', 'symlinkat'],
  ['sync', 'sync_file_range', 'syncfs', 'sysinfo', 'tee', 'tgkill', 'time', 'timer_create'],
  ['timer_delete', 'timer_getoverrun', 'timer_gettime', 'timer_settime', 'timerfd_create'],
  ['timerfd_gettime', 'timerfd_settime', 'times', 'tkill', 'truncate', 'umask', 'uname'],
  ['unlink', 'unlinkat', 'utime', 'utimensat', 'utimes', 'vfork', 'wait4', 'waitid', 'write'],
  ['writev'],
)

/** Beside those: Docker and containerd. */
const DOCKER = names(
  ['cachestat', 'futex_requeue', 'futex_wait', 'futex_waitv', 'futex_wake', 'getxattrat'],
  ['io_pgetevents', 'listmount', 'listxattrat', 'map_shadow_stack', 'mseal', 'removexattrat'],
  ['setxattrat', 'statmount', 'uretprobe', 'vmsplice'],
)

/** Beside those: Podman, which leaves to capabilities what they check anyway. */
const PODMAN = names(
  ['clone', 'clone3', 'fanotify_init', 'fsconfig', 'fsmount', 'fsopen', 'fspick'],
  ['get_mempolicy', 'keyctl', 'mbind', 'mount', 'mount_setattr', 'move_mount', 'open_tree'],
  ['pidfd_getfd', 'pivot_root', 'process_vm_readv', 'process_vm_writev', 'ptrace', 'reboot'],
  ['set_mempolicy', 'setns', 'syslog', 'umount2', 'unshare'],
)

/** Podman's default is ENOSYS, so that libc falls back; these get EPERM. */
const PODMAN_EPERM = names(
  ['cachestat', 'futex_requeue', 'futex_wait', 'futex_waitv', 'futex_wake', 'io_pgetevents'],
  ['kexec_file_load', 'kexec_load', 'map_shadow_stack', 'migrate_pages', 'move_pages'],
  ['nfsservctl', 'swapoff', 'swapon', 'sysfs', 'uselib', 'userfaultfd', 'ustat', 'vmsplice'],
)

type Gates = Readonly<Record<string, Names>>

/** Docker and containerd: with this capability, these too. */
const DOCKER_GATES: Gates = {
  CAP_BPF: ['bpf'],
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_PERFMON: ['perf_event_open'],
  CAP_SYS_ADMIN: names(
    ['bpf', 'clone', 'clone3', 'fanotify_init', 'fsconfig', 'fsmount', 'fsopen', 'fspick'],
    ['lookup_dcookie', 'lsm_get_self_attr', 'lsm_list_modules', 'lsm_set_self_attr', 'mount'],
    ['mount_setattr', 'move_mount', 'open_tree', 'perf_event_open', 'quotactl', 'quotactl_fd'],
    ['setdomainname', 'sethostname', 'setns', 'syslog', 'umount2', 'unshare'],
  ),
  CAP_SYS_BOOT: ['reboot'],
  CAP_SYS_CHROOT: ['chroot'],
  CAP_SYS_MODULE: ['delete_module', 'finit_module', 'init_module'],
  CAP_SYS_NICE: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: names(
    ['kcmp', 'pidfd_getfd', 'process_madvise'],
    ['process_vm_readv', 'process_vm_writev', 'ptrace'],
  ),
  CAP_SYS_RAWIO: ['ioperm', 'iopl'],
  CAP_SYS_TIME: ['clock_settime', 'settimeofday'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
  CAP_SYSLOG: ['syslog'],
}

/** Podman: with this capability; without it, EPERM. */
const PODMAN_GATES: Gates = {
  CAP_BPF: ['bpf'],
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_SYS_ADMIN: [
    'bpf',
    'lookup_dcookie',
    'quotactl',
    'quotactl_fd',
    'setdomainname',
    'sethostname',
  ],
  CAP_SYS_CHROOT: ['chroot'],
  CAP_SYS_MODULE: ['delete_module', 'finit_module', 'init_module', 'query_module'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: ['kcmp', 'process_madvise'],
  CAP_SYS_RAWIO: ['ioperm', 'iopl'],
  CAP_SYS_TIME: ['clock_settime', 'settimeofday'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
}

const ALLOW = { action: 'allow' } as const
const EPERM = { action: 'errno', errno: 'EPERM' } as const
const ENOSYS = { action: 'errno', errno: 'ENOSYS' } as const

const each = (list: Names, rule: RuleFor<SyscallName>): Syscalls =>
  Object.fromEntries(list.map((name) => [name, rule]))

const gated = (gates: Gates, holds: (cap: string) => boolean): Names =>
  Object.keys(gates).flatMap((cap) => (holds(cap) ? (gates[cap] ?? []) : []))

/** sys/personality.h: PER_LINUX, PER_LINUX32, UNAME26 with each, and asking without change. */
const PERSONALITY = [0, 0x8, 0x20000, 0x20008, 0xffffffff]

/** linux/sched.h: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const NAMESPACES = 0x7e020000

const personality = { ...ALLOW, when: { arg0: { op: 'oneOf', values: PERSONALITY } } } as const

/** moby/profiles cd3bed8, seccomp/default.json. */
export const dockerDefault = (target: ParsedTarget): Policy => docker('docker-default', target, [])

/** containerd 301026e, contrib/seccomp: Docker's, but for what tells about security modules. */
export const containerdDefault = (target: ParsedTarget): Policy =>
  docker('containerd-default', target, [
    ...(['lsm_get_self_attr', 'lsm_list_modules', 'lsm_set_self_attr'] as const),
  ])

function docker(name: string, target: ParsedTarget, more: Names): Policy {
  const { caps } = target
  return {
    name,
    default: EPERM,
    syscalls: {
      ...each(COMMON, ALLOW),
      ...each(DOCKER, ALLOW),
      ...each(more, ALLOW),
      // ptrace(2) can get round seccomp before Linux 4.8.
      ...each(mayTrace(target) ? ['process_vm_readv', 'process_vm_writev', 'ptrace'] : [], ALLOW),
      personality,
      // AF_ALG and AF_VSOCK.
      socket: { ...ALLOW, when: { arg0: { op: 'noneOf', values: [38, 40] } } },
      clone: { ...ALLOW, when: { arg0: { op: 'maskedEq', mask: NAMESPACES, value: 0 } } },
      clone3: ENOSYS,
      ...each(
        gated(DOCKER_GATES, (cap) => caps.has(cap)),
        ALLOW,
      ),
    },
  }
}

function mayTrace({ kernel }: ParsedTarget): boolean {
  if (kernel !== undefined) return isAtLeast(kernel, [4, 8])
  throw new PolicyError('ERR_OPTION', {
    path: 'target.kernel',
    problem: "what it allows depends on the kernel's version, and none is known here",
    hint: "Name the one it will run on: '6.1'.",
  })
}

/** linux/socket.h: AF_NETLINK; linux/netlink.h: NETLINK_AUDIT. */
const AF_NETLINK = 16
const NETLINK_AUDIT = 9

/** containers/common f437c58, pkg/seccomp/seccomp.json. */
export function podmanDefault({ caps }: ParsedTarget): Policy {
  const admin = caps.has('CAP_SYS_ADMIN')
  return {
    name: 'podman-default',
    default: ENOSYS,
    syscalls: {
      ...each(COMMON, ALLOW),
      ...each(PODMAN, ALLOW),
      ...each(PODMAN_EPERM, EPERM),
      ...each(
        gated(PODMAN_GATES, () => true),
        EPERM,
      ),
      ...each(
        gated(PODMAN_GATES, (cap) => caps.has(cap)),
        ALLOW,
      ),
      personality,
      socket: caps.has('CAP_AUDIT_WRITE')
        ? ALLOW
        : [
            {
              ...{ action: 'errno', errno: 'EINVAL' },
              when: {
                arg0: { op: 'eq', value: AF_NETLINK },
                arg2: { op: 'eq', value: NETLINK_AUDIT },
              },
            },
            ALLOW,
          ],
      // The file denies it without CAP_SYS_ADMIN before it allows it with CAP_PERFMON.
      ...(admin
        ? each(caps.has('CAP_PERFMON') ? ['perf_event_open'] : [], ALLOW)
        : { perf_event_open: EPERM }),
    },
  }
}
