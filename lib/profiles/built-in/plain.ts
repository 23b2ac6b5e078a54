/** Policies that are the same for every target. */
import type { Policy } from '../../policy'

const KILL = { action: 'kill' } as const
const ALLOW = { action: 'allow' } as const

/** Nothing is refused: a container without a profile, or the Unconfined of Kubernetes. */
export const unconfined: Policy = { name: 'unconfined', default: ALLOW }

/** Nothing is refused and everything is logged: what a recording is made under. */
export const audit: Policy = { name: 'audit', default: { action: 'log' } }

/**
 * What SECCOMP_MODE_STRICT leaves a thread: read(2), write(2), _exit(2) and returning from a signal
 * (seccomp(2); kernel/seccomp.c, mode1_syscalls). Whatever else it calls ends it, also what answers
 * ENOSYS in other policies.
 */
export const strict: Policy = {
  name: 'strict',
  default: KILL,
  syscalls: {
    read: ALLOW,
    write: ALLOW,
    exit: ALLOW,
    rt_sigreturn: ALLOW,
    clone3: KILL,
    openat2: KILL,
    io_uring_setup: KILL,
    io_uring_enter: KILL,
    io_uring_register: KILL,
  },
}
