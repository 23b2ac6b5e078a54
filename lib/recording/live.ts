/** The kernel's audit records as they are made. */
import { close, read as readCallback } from 'node:fs'
import { promisify } from 'node:util'
import { LockdownError } from '../errors'
import { native } from '../native'
import { errnoName } from '../syscalls'

export interface AuditLogOptions {
  /** Ends it. Without, it goes on for ever. */
  readonly signal?: AbortSignal | undefined
}

/** linux/netlink.h, struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port. */
const HEADER = 16

/** MAX_AUDIT_MESSAGE_LENGTH is 8970 (linux/audit.h). */
const LONGEST = 16384

/** Milliseconds: what was made before the end is still told, where records do not stop coming. */
const DRAIN = 5000

/** A line of kernel/audit.c's own form, for losses.ts: how many were lost, nobody knows. */
const OVERRUN = 'audit: kauditd retry queue overflow (ENOBUFS)'

export function auditLog({ signal }: AuditLogOptions = {}): AsyncGenerator<string> {
  const fd = native().openAuditLog()
  if (fd < 0) {
    throw new LockdownError('ERR_AUDIT_UNAVAILABLE', {
      problem: `the kernel’s audit records cannot be listened to (${errnoName(-fd) ?? `errno ${-fd}`})`,
      hint: 'It takes CAP_AUDIT_READ in the initial user namespace, and Linux 3.16 with CONFIG_AUDIT. Where that is not to be had, read what dmesg, journalctl or auditd wrote.',
      errno: errnoName(-fd),
    })
  }
  return linesOf(fd, signal)
}

async function* linesOf(fd: number, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const read = promisify(readCallback)
  const buffer = Buffer.alloc(LONGEST)
  try {
    let last = Infinity
    while (Date.now() < last) {
      if (signal?.aborted === true && last === Infinity) last = Date.now() + DRAIN
      let line: string | undefined
      try {
        const { bytesRead } = await read(fd, buffer, 0, buffer.length, null)
        line = lineOf(buffer.subarray(0, bytesRead))
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENOBUFS') line = OVERRUN
        else if (code !== 'EAGAIN' && code !== 'EINTR') throw error
        if (code === 'EAGAIN' && signal?.aborted === true) return
      }
      if (line !== undefined) yield line
    }
  } finally {
    close(fd)
  }
}

/** As auditd writes it: `type=1326 msg=audit(…): …`. */
function lineOf(datagram: Buffer): string | undefined {
  if (datagram.length <= HEADER) return undefined
  const type = datagram.readUInt16LE(4)

  const text = datagram.toString('utf8', HEADER).replace(/[\0\n]+$/, '')
  return `type=${type} msg=${text}`
}
