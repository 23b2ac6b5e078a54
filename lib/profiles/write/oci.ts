/**
 * Plain linux.seccomp of the OCI runtime-spec, for one architecture, set of capabilities and kernel:
 * what runc, crun and containerd read, and what a Localhost profile of Kubernetes is.
 */
import {
  argOf,
  companionsOf,
  entriesOf,
  fallbackOf,
  nativeOf,
  ociAction,
  reportForeignCalls,
  reportUnnamedNumbers,
} from './entries'
import { jsonText, type JsonValue } from './json-text'
import type { Source } from './source'

/** @param named members that a dialect has beside `errnoRet`, of an errno */
export function writeOci(
  source: Source,
  named: (
    key: 'errno' | 'defaultErrno',
    errno: number,
  ) => Readonly<Record<string, JsonValue>> = () => ({}),
): string {
  const fallback = fallbackOf(source)
  reportForeignCalls(source)
  reportUnnamedNumbers(source, fallback)
  if (source.name !== undefined) {
    const message = `the name '${source.name}' has no place in it`
    source.losses.add('info', 'name', '$.name', message)
  }
  const { action, errnoRet } = ociAction(fallback)
  const nameOf = (key: 'errno' | 'defaultErrno', of: typeof action, errno: number | undefined) =>
    of === 'SCMP_ACT_ERRNO' && errno !== undefined ? named(key, errno) : {}
  return jsonText({
    defaultAction: action,
    defaultErrnoRet: errnoRet,
    ...nameOf('defaultErrno', action, errnoRet),
    architectures: [nativeOf(source)],
    ...companionsOf(source),
    syscalls: entriesOf(source, fallback).map((entry) => ({
      names: entry.names,
      action: entry.action,
      errnoRet: entry.errnoRet,
      ...nameOf('errno', entry.action, entry.errnoRet),
      args: entry.args.length === 0 ? undefined : entry.args.map(argOf),
    })),
  })
}
