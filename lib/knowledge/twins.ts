/**
 * System calls that do the same: a rule for one says nothing of the others, and an attacker takes what
 * is left open. From the manual pages, where they say of one that it does what another does and more.
 */
import type { SyscallName } from '../syscalls'

export interface Twins {
  /** What all of them do, in a few words. */
  readonly does: string
  readonly syscalls: readonly SyscallName[]
  /**
   * Those that no program uses which does not use the others too: where these are open and the others are
   * not, they were hardly meant to be. (libc does not call them, or only after one of the others.)
   */
  readonly uncommon: readonly SyscallName[]
  /**
   * Also by the same arguments: what a condition keeps one of them from, another does without. Not so of
   * fork(2) beside clone(2), which cannot make namespaces.
   */
  readonly alike: boolean
}

const twins = (
  does: string,
  syscalls: readonly SyscallName[],
  { uncommon = [], alike = true }: Partial<Pick<Twins, 'uncommon' | 'alike'>> = {},
): Twins => ({ does, syscalls, uncommon, alike })

export const TWINS: readonly Twins[] = [
  twins('start a program', ['execve', 'execveat'], { uncommon: ['execveat'] }),
  twins('open a file', ['open', 'openat', 'openat2', 'creat', 'open_by_handle_at'], {
    uncommon: ['openat2', 'open_by_handle_at'],
  }),
  twins('change the mode of a file', ['chmod', 'fchmod', 'fchmodat', 'fchmodat2'], {
    uncommon: ['fchmodat2'],
  }),
  twins('change the owner of a file', ['chown', 'lchown', 'fchown', 'fchownat']),
  twins('look at a file', ['stat', 'lstat', 'fstat', 'newfstatat', 'statx']),
  twins('ask for access to a file', ['access', 'faccessat', 'faccessat2']),
  twins('rename a file', ['rename', 'renameat', 'renameat2']),
  twins('link a file', ['link', 'linkat']),
  twins('make a symbolic link', ['symlink', 'symlinkat']),
  twins('read a symbolic link', ['readlink', 'readlinkat']),
  twins('remove a file', ['unlink', 'unlinkat']),
  twins('remove a directory', ['rmdir', 'unlinkat']),
  twins('make a directory', ['mkdir', 'mkdirat']),
  twins('make a device node', ['mknod', 'mknodat']),
  twins('cut a file', ['truncate', 'ftruncate']),
  twins('set times of a file', ['utime', 'utimes', 'futimesat', 'utimensat']),
  twins('set an extended attribute', ['setxattr', 'lsetxattr', 'fsetxattr', 'setxattrat'], {
    uncommon: ['setxattrat'],
  }),
  twins(
    'remove an extended attribute',
    ['removexattr', 'lremovexattr', 'fremovexattr', 'removexattrat'],
    { uncommon: ['removexattrat'] },
  ),
  twins('read an extended attribute', ['getxattr', 'lgetxattr', 'fgetxattr', 'getxattrat'], {
    uncommon: ['getxattrat'],
  }),
  twins('list extended attributes', ['listxattr', 'llistxattr', 'flistxattr', 'listxattrat'], {
    uncommon: ['listxattrat'],
  }),
  twins('list a directory', ['getdents', 'getdents64']),
  twins('make a process or a namespace', ['clone', 'clone3']),
  twins('make a process', ['fork', 'vfork', 'clone', 'clone3'], { alike: false }),
  twins(
    'signal a process',
    ['kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo', 'pidfd_send_signal'],
    { uncommon: ['pidfd_send_signal'] },
  ),
  twins(
    'read and write memory of another process',
    ['ptrace', 'process_vm_readv', 'process_vm_writev'],
    { uncommon: ['process_vm_readv', 'process_vm_writev'], alike: false },
  ),
  twins(
    'mount',
    ['mount', 'fsopen', 'fsconfig', 'fsmount', 'move_mount', 'open_tree', 'mount_setattr'],
    {
      uncommon: ['fsopen', 'fsconfig', 'fsmount', 'move_mount', 'open_tree', 'mount_setattr'],
      alike: false,
    },
  ),
  twins('load a kernel module', ['init_module', 'finit_module'], { alike: false }),
  twins('load another kernel', ['kexec_load', 'kexec_file_load'], { alike: false }),
  twins('change what memory may be used for', ['mprotect', 'pkey_mprotect']),
  twins('set the clock', ['settimeofday', 'clock_settime'], { alike: false }),
  twins('set a limit', ['setrlimit', 'prlimit64']),
  twins('send on a socket', ['sendto', 'sendmsg', 'sendmmsg'], { alike: false }),
  twins('receive from a socket', ['recvfrom', 'recvmsg', 'recvmmsg'], { alike: false }),
  twins('accept a connection', ['accept', 'accept4'], { alike: false }),
  twins('read from a descriptor', ['read', 'readv', 'pread64', 'preadv', 'preadv2']),
  twins('write to a descriptor', ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2']),
  twins('copy a descriptor', ['dup', 'dup2', 'dup3'], { alike: false }),
  twins('make a pipe', ['pipe', 'pipe2'], { alike: false }),
  twins('set the user', ['setuid', 'setreuid', 'setresuid', 'setfsuid']),
  twins('set the group', ['setgid', 'setregid', 'setresgid', 'setfsgid']),
  twins(
    'set the policy of the scheduler',
    ['sched_setscheduler', 'sched_setparam', 'sched_setattr'],
    {
      alike: false,
    },
  ),
  twins('watch files', ['inotify_init', 'inotify_init1'], { alike: false }),
  twins('wait for a child', ['wait4', 'waitid'], { alike: false }),
  twins(
    'wait for descriptors',
    ['poll', 'ppoll', 'select', 'pselect6', 'epoll_wait', 'epoll_pwait', 'epoll_pwait2'],
    { alike: false },
  ),
]

/** The other calls that do what this one does. */
export const twinsOf = (name: SyscallName): readonly Twins[] =>
  TWINS.filter(({ syscalls }) => syscalls.includes(name))

/**
 * What a ring of io_uring does without the call of that name: IORING_OP_* of linux/io_uring.h
 * (Linux 6.16), but for waiting on a futex.
 */
export const IO_URING_CALLS: readonly SyscallName[] = [
  ...(['read', 'readv', 'write', 'writev', 'close', 'fsync', 'sync_file_range'] as const),
  ...(['openat', 'openat2', 'statx', 'fallocate', 'fadvise64', 'madvise', 'ftruncate'] as const),
  ...(['renameat', 'renameat2', 'unlinkat', 'mkdirat', 'symlinkat', 'linkat'] as const),
  ...(['setxattr', 'fsetxattr', 'getxattr', 'fgetxattr', 'splice', 'tee', 'pipe2'] as const),
  ...(['socket', 'bind', 'listen', 'connect', 'accept4', 'shutdown'] as const),
  ...(['sendmsg', 'recvmsg', 'sendto', 'recvfrom', 'epoll_ctl', 'poll', 'waitid'] as const),
]
