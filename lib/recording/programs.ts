/** Who made a call: the program, and whether it is the container's runtime or Node. */
import type { LogEvent } from './types'

interface RuntimeProgram {
  /** comm: at most 15 bytes of the name. */
  readonly comm: RegExp
  readonly what: string
}

/**
 * What a container's runtime does in the container's place: under the container's profile already,
 * and before or around the program. A program can give itself such a name; its calls are then left
 * out of an allow-list, which costs it and nobody else.
 */
const RUNTIMES: readonly RuntimeProgram[] = [
  // libcontainer/nsenter/nsexec.c names its stages so; [2:INIT] is the one under the profile.
  { comm: /^runc:\[/, what: 'runc, starting the container' },
  { comm: /^runc$/, what: 'runc' },
  { comm: /^crun$/, what: 'crun, starting the container' },
  { comm: /^youki(?::\[|$)/, what: 'youki, starting the container' },
  { comm: /^conmon(?:rs)?$/, what: 'conmon, watching the container' },
  { comm: /^containerd-shim/, what: 'containerd, watching the container' },
  { comm: /^(?:docker-init|catatonit)$/, what: 'the init that the engine puts into the container' },
]

/** What part of a container's runtime made the call, or undefined. */
export const runtimeOf = ({ comm }: Pick<LogEvent, 'comm'>): string | undefined =>
  comm === undefined ? undefined : RUNTIMES.find((runtime) => runtime.comm.test(comm))?.what

/**
 * Names of Node's threads: measured on Node 18 to 26. 18 and 20 call all of them `node`; later ones
 * name them, so a program that was renamed is known by them.
 */
const NODE_THREADS: ReadonlySet<string> = new Set([
  ...['node', 'MainThread', 'node-MainThread', 'libuv-worker', 'DelayedTaskSche'],
  ...['V8Worker', 'node-V8Worker', 'SignalInspector'],
])

const NODE_BINARY = /(?:^|\/)node(?:js)?(?:[-.\d]*)$/

/** Whether it is Node, as its binary or its threads are called. */
export const isNode = ({ comm, exe }: Pick<LogEvent, 'comm' | 'exe'>): boolean =>
  (exe !== undefined && NODE_BINARY.test(exe)) || (comm !== undefined && NODE_THREADS.has(comm))

/**
 * What a call is counted under: the binary, or the thread's name where that is not known. A binary
 * that the kernel names `/` is one without a path, such as runc's copy of itself.
 */
export function programName(event: Pick<LogEvent, 'comm' | 'exe' | 'launch' | 'format'>): string {
  const { comm, exe, launch, format } = event
  if (launch === true) return '(strace, starting the program)'
  if (runtimeOf(event) !== undefined && comm !== undefined) return comm
  if (exe !== undefined && exe !== '/') return exe
  return comm ?? exe ?? (format === 'strace-summary' ? '(all programs)' : '(not told)')
}
