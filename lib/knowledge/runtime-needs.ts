/**
 * Calls that a container's runtime makes itself, under the container's profile already, before the
 * program starts. Measured with runc 1.1.5 and crun 1.8.1 on Linux 6.18: what each calls (LOG) was refused
 * alone, with EPERM, and is here if no container started. They make others, and do without those.
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
      ...(['close', 'openat', 'write', 'fstatfs', 'getdents64', 'execve'] as const),
      // Not every time: when threads of its own have to wait for each other.
      'futex',
    ],
    withPrivileges: [
      ...(['chdir', 'capget', 'read', 'prctl', 'newfstatat', 'fstat', 'setgroups'] as const),
      ...(['setgid', 'setuid', 'getcwd', 'capset', 'getppid'] as const),
    ],
  },
  crun: {
    always: ['execve'],
    withPrivileges: [
      ...(['prctl', 'setresgid', 'setresuid', 'capset', 'rt_sigprocmask'] as const),
      ...(['rt_sigaction', 'write'] as const),
    ],
  },
}
