/** The sentences by which the kernel and the loggers say that they dropped something. */
import type { LossKind, LossSign } from './types'

interface Sentence {
  readonly loss: LossKind
  /** The first group, if any, is how many. */
  readonly pattern: RegExp
  readonly cumulative?: true
}

/**
 * lib/ratelimit.c writes the first; the limit is shared by all of the kernel, but what is counted to
 * the audit functions alone is told apart. The next are of kernel/audit.c, then systemd-journald,
 * rsyslog and auditd.
 */
const SENTENCES: readonly Sentence[] = [
  { loss: 'rate-limit', pattern: /audit\w{0,32}: (\d+) callbacks suppressed/ },
  { loss: 'audit-lost', pattern: /\baudit_lost=(\d+) audit_rate_limit=/, cumulative: true },
  { loss: 'rate-limit', pattern: /\baudit: rate limit exceeded/ },
  { loss: 'queue-full', pattern: /\bkauditd (?:hold|retry) queue overflow/ },
  { loss: 'queue-full', pattern: /\baudit: backlog limit exceeded/ },
  { loss: 'queue-full', pattern: /\baudit_backlog=\d+ > audit_backlog_limit=\d+/ },
  { loss: 'queue-full', pattern: /\baudit: out of memory in audit_log_start/ },
  { loss: 'logger', pattern: /\bMissed (\d+) kernel messages/ },
  { loss: 'logger', pattern: /\bSuppressed (\d+) messages from / },
  {
    loss: 'logger',
    pattern: /\bim\w{1,16}(?:\[[^\]]{0,64}\])?: (?:begin to drop|(?:lost )?(\d+) messages)/,
  },
  { loss: 'logger', pattern: /\bimuxsock lost (\d+) messages/ },
  { loss: 'logger', pattern: /\bdispatch(?:er)? err \(pipe full\) event lost/ },
  { loss: 'logger', pattern: /\bqueue (?:to plugins )?is full -? ?dropping event/ },
  { loss: 'logger', pattern: /\bError receiving audit netlink packet/ },
]

const ANY = /suppressed|audit|Missed|Suppressed|messages|dropping|pipe full/

/** What a line says was lost, or undefined. */
export function readLoss(line: string): LossSign | undefined {
  if (!ANY.test(line)) return undefined
  for (const { loss, pattern, cumulative } of SENTENCES) {
    const found = pattern.exec(line)
    if (found === null) continue
    const count = found[1] === undefined ? undefined : Number(found[1])
    return {
      loss,
      ...(count === undefined || !Number.isSafeInteger(count) ? {} : { records: count }),
      ...(cumulative === undefined ? {} : { cumulative }),
    }
  }
  return undefined
}
