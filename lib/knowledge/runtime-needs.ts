/**
 * Calls that a container's runtime makes itself, under the container's profile already, before the
 * program starts. Measured with LOG under runc 1.1.5 and crun 1.8.1; a profile that refuses one starts
 * nothing.
 */
import type { SyscallName } from '../syscalls'

export interface RuntimeNeeds {
  /** With no_new_privileges: allowPrivilegeEscalation: false in Kubernetes. */
  readonly always: readonly SyscallName[]
  /** Without it, the filter is loaded earlier: these too. */
  readonly withPrivileges: readonly SyscallName[]
}

export const RUNTIME_NEEDS: Readonly<Record<'runc' | 'crun', RuntimeNeeds>> = {
  runc: {
    always: [
      ...(['close', 'openat', 'write', 'epoll_ctl', 'fstatfs', 'getdents64'] as const),
      ...(['execve', 'futex'] as const),
    ],
    withPrivileges: [
      ...(['fcntl', 'chdir', 'capget', 'read', 'prctl', 'newfstatat', 'fstat'] as const),
      ...(['setgroups', 'setgid', 'setuid', 'getcwd', 'capset', 'getppid', 'faccessat2'] as const),
    ],
  },
  crun: {
    always: ['close', 'execve'],
    withPrivileges: [
      ...(['prctl', 'setresgid', 'setresuid', 'capset', 'rt_sigprocmask'] as const),
      ...(['rt_sigaction', 'write'] as const),
    ],
  },
}
