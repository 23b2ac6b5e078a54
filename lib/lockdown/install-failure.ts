/** What each way an installation can fail means to the user. */
import { LockdownError, type LockdownErrorDetails } from '../errors'
import { native, type NativeInstallation } from '../native'
import { errnoName } from '../syscalls'

const FLAG_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'TSYNC (Linux 3.17)'],
  [2, 'LOG (Linux 4.14)'],
  [4, 'SPEC_ALLOW (Linux 4.17)'],
  [8, 'NEW_LISTENER (Linux 5.0)'],
  [16, 'TSYNC_ESRCH (Linux 5.7)'],
])

const ACTION_NAMES: ReadonlyMap<number, string> = new Map([
  [0x80000000, 'KILL_PROCESS (Linux 4.14)'],
  [0x7fc00000, 'USER_NOTIF (Linux 5.0)'],
  [0x7ffc0000, 'LOG (Linux 4.14)'],
])

const name = (error: number): string => errnoName(error) ?? `errno ${error}`

/** The error for an installation that did not end as `installed`. */
export function installFailure(
  outcome: Exclude<NativeInstallation['outcome'], 'installed'>,
  { error, tid, detail }: NativeInstallation,
  commOf: (tid: number) => string,
): LockdownError {
  const thread = { tid, name: tid === 0 ? '' : commOf(tid) }
  const threads = tid === 0 ? [] : [thread]
  const shown = tid === 0 ? 'a thread' : `thread ${tid} (${thread.name})`
  const errno = error === 0 ? undefined : name(error)
  const fail = (code: LockdownError['code'], details: LockdownErrorDetails): LockdownError =>
    new LockdownError(code, { errno, ...details })

  switch (outcome) {
    case 'invalidProgram':
      return fail('ERR_INTERNAL', {
        problem: 'the compiled program breaks a rule of seccomp_check_filter',
        hint: 'This is a bug in seccomp-ts: please report it with the policy.',
      })
    case 'censusUnavailable':
      return fail('ERR_CENSUS_UNAVAILABLE', {
        problem: `/proc/self/task cannot be read (${name(error)}), so it could not be shown that every thread is under the filter`,
        hint: 'Nothing was installed. Mount /proc; under an earlier, tighter policy of this process that denies opening files, no second lockdown can be verified.',
      })
    case 'threadDiverged':
      return fail('ERR_THREAD_SYNC', {
        problem: `${shown} is under a filter of its own that the rest of the process is not under`,
        hint: 'Nothing was installed. Only that thread could have installed it: a per-thread filter is no isolation in Node, as the libuv pool is shared. Remove it, or end the thread first.',
        threads,
      })
    case 'noSeccomp':
      return fail('ERR_UNSUPPORTED_KERNEL', {
        problem: `this kernel has no seccomp filters (seccomp(2): ${name(error)})`,
        hint: 'It takes Linux 3.17 with CONFIG_SECCOMP_FILTER. User-mode emulators such as qemu-user have none.',
      })
    case 'denied':
      return fail('ERR_SECCOMP_DENIED', {
        problem: `a filter this process is already under refuses seccomp(2) (${name(error)})`,
        hint:
          native().notes().length > 0
            ? 'An earlier lockdown of this process denies it: a policy that is to be tightened later must allow seccomp and prctl.'
            : "It comes from what started the process: a container's profile or systemd's SystemCallFilter. Allow seccomp and prctl there.",
      })
    case 'unsupportedAction':
      return fail('ERR_UNSUPPORTED_KERNEL', {
        problem: `this kernel does not know the action ${ACTION_NAMES.get(detail >>> 0) ?? `0x${(detail >>> 0).toString(16)}`} that the policy uses`,
        hint: 'No weaker action is put in its place.',
      })
    case 'unsupportedFlag':
      return fail('ERR_UNSUPPORTED_KERNEL', {
        problem: `this kernel does not know the flag ${FLAG_NAMES.get(detail) ?? detail} that this needs`,
        hint: 'Nothing weaker is done in its place.',
      })
    case 'noNewPrivsRefused':
      return fail('ERR_NO_NEW_PRIVS', {
        problem: `prctl(PR_SET_NO_NEW_PRIVS) failed (${name(error)})`,
        hint: 'A filter this process is already under may deny prctl.',
      })
    case 'needsNoNewPrivs':
      return fail('ERR_NO_NEW_PRIVS', {
        problem: 'noNewPrivs: false needs CAP_SYS_ADMIN in the user namespace',
        hint: 'Leave the option out.',
      })
    case 'listenerBusy':
      return fail('ERR_LISTENER', {
        problem: 'a filter this process is under already has a listener, and the kernel allows one',
        hint: 'A container runtime with seccomp notify has it.',
      })
    case 'threadSync':
      return fail('ERR_THREAD_SYNC', {
        problem: `the kernel could not bring ${shown} under the filter`,
        hint: 'No filter was installed (no_new_privs stays on). The thread is under a filter of its own.',
        threads,
      })
    case 'seccompFailed':
      return fail('ERR_INSTALL', {
        problem: `seccomp(SECCOMP_SET_MODE_FILTER) failed (${name(error)})`,
        hint:
          name(error) === 'ENOMEM'
            ? 'The filters of one process may have 32,768 instructions together.'
            : 'No filter was installed (no_new_privs stays on).',
      })
    case 'censusIncomplete':
      return fail('ERR_CENSUS_UNAVAILABLE', {
        problem: `the filter is in place, but not every thread could be looked at (${name(error)})`,
        hint: 'The policy denies opening files and a thread was born meanwhile: call lockdown before starting Workers.',
        installed: true,
      })
    case 'threadUnfiltered':
      return fail('ERR_THREAD_UNFILTERED', {
        problem: `the kernel accepted the filter, but ${shown} is not under it`,
        hint: 'Do not go on: end the process.',
        installed: true,
        threads,
      })
  }
}
