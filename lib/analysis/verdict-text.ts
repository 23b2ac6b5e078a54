import type { Verdict } from './verdict'

/** `allow`, `errno(EPERM)`, `trace(9)`. A file of its own, because the command prints verdicts before it loads more. */
export function textOf({ action, errno, data }: Verdict): string {
  const detail = errno ?? data
  return detail === undefined ? action : `${action}(${detail})`
}
