/** What a call gets that nothing names, and actions that nobody answers. */
import { runs, verdictOf } from '../../analysis/verdict'
import { placeOf } from '../findings'
import type { Context } from './context'

/** linux/seccomp.h: SECCOMP_RET_KILL_THREAD, SECCOMP_RET_LOG. */
const KILL_THREAD = 0x00000000
const LOG = 0x7ffc0000

export function checkDefault({ enforced, subject, findings }: Context): void {
  const { defaultAction } = enforced.rules
  const verdict = verdictOf(defaultAction)
  const where = placeOf(enforced, '$.default')
  const own = subject.profile === undefined || subject.profile.dialect === 'seccomp-ts'
  const write = (theirs: string, ours: string): string =>
    own ? `default: ${ours}` : `"defaultAction": "${theirs}"`
  if (verdict === KILL_THREAD) {
    findings.report('kill-thread-default', where, {
      message:
        'the default ends one thread: the others wait for it for ever, and so does runc when it is its own',
      fix: `Write ${write('SCMP_ACT_KILL_PROCESS', 'kill')}, or an errno.`,
    })
  } else if (verdict === LOG) {
    findings.report('default-logs', where, {
      message: 'what is not named runs and is logged: this records, and stops nothing',
      fix: `To enforce it, write ${write('SCMP_ACT_ERRNO', "errno('EPERM')")}.`,
    })
  } else if (runs(verdict)) {
    findings.report('default-allows', where, {
      message:
        'what is not named is allowed: every call that another kernel has and this list does not know, too',
      fix: `Name what is needed, and write ${write('SCMP_ACT_ERRNO', "errno('EPERM')")}.`,
    })
  }
}

export function checkTrace({ subject, findings }: Context): void {
  const { profile } = subject
  if (profile === undefined) return
  const traced = profile.entries.find(({ action }) => action === 'SCMP_ACT_TRACE')
  if (traced === undefined && profile.defaultAction !== 'SCMP_ACT_TRACE') return
  findings.report('trace-without-tracer', traced?.place ?? profile.place, {
    message: 'SCMP_ACT_TRACE asks a tracer (ptrace), and without one the call answers ENOSYS',
    fix: 'Where nobody traces, write "SCMP_ACT_ERRNO" with the errno that is meant, or "SCMP_ACT_LOG".',
  })
}
