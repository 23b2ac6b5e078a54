/**
 * libuv's rings and the filter (docs/io-uring.md). libuv aborts the process if io_uring_enter is
 * denied while it has a ring, and while it may be called the ring is a way round the filter. So the
 * rings go first.
 */
import type { Program } from '../compiler/compile'
import { compileAllowing } from '../deferred'
import { LockdownError } from '../errors'
import { IO_URING_ENTER, native, type NativeRings } from '../native'
import { hostTarget, type Policy } from '../policy'
import { noNewRings } from '../promises'
import { checkInstalled } from './install'
import type { ParsedOptions } from './options'
import { compilePolicy, type PolicyProgram } from './program'
import type { IoUringStatus, Risk } from './status'

/** Set for the second start, so that it is not followed by a third. Holds the process id. */
const REEXEC_MARKER = 'SECCOMP_TS_REEXEC'

export interface IoUringPlan {
  /** What to install: the policy's program, but for `allow-enter`. */
  readonly program: Program
  readonly status: IoUringStatus
  readonly risks: readonly Risk[]
}

const countRings = (rings: NativeRings): number =>
  rings.known
    ? Math.max(rings.fds.length, rings.sqpollThreads.length, rings.mappings > 0 ? 1 : 0)
    : -1

/** Makes io_uring and the policy fit. @throws LockdownError ERR_IO_URING, ERR_REEXEC */
export function prepareIoUring(
  policy: Policy,
  { program, letsIoUringEnter }: PolicyProgram,
  options: ParsedOptions,
): IoUringPlan {
  const { ioUring: choice, prove } = options
  const reexecuted = takeMarker()
  const rings = native().rings()
  if (letsIoUringEnter) {
    return {
      program,
      status: { rings: countRings(rings), cure: 'allowed' },
      risks: [enterRisk('the policy')],
    }
  }
  if (!rings.known && isDeniedAlready()) {
    return { program, status: { rings: 0, cure: 'none' }, risks: [] }
  }
  if (!rings.known) {
    throw new LockdownError('ERR_IO_URING', {
      problem:
        'it cannot be seen whether this process has io_urings (/proc/self is not readable), and denying io_uring_enter would abort it if it does',
      hint: 'Mount /proc, or name io_uring_enter in the policy.',
    })
  }
  const count = countRings(rings)
  if (count === 0) {
    return { program, status: { rings: 0, cure: reexecuted ? 'reexec' : 'none' }, risks: [] }
  }
  switch (choice) {
    case 'allow-enter':
      return {
        program: compileAllowing(policy, hostTarget(), 'io_uring_enter', prove),
        status: { rings: count, cure: 'allowed' },
        risks: [enterRisk("ioUring: 'allow-enter'")],
      }
    case 'reexec':
      return executeAgain(count, reexecuted, options)
    case 'auto':
    case 'retire':
      // First, so that a Worker that starts meanwhile opens none.
      denyNewRings(options)
      retire(choice)
      return { program, status: { rings: 0, cure: 'retired' }, risks: [] }
  }
}

function retire(choice: 'auto' | 'retire'): void {
  const result = native().retireRings()
  if (result.refusal === '') return
  throw new LockdownError('ERR_IO_URING', {
    problem: `libuv's io_urings could not be retired: ${result.refusal}`,
    hint: `The policy was not installed (new io_urings are denied from now on). Call lockdown earlier, before Workers are busy; or use ioUring: 'reexec' (starts the program again) or 'allow-enter' (leaves a way round the filter)${choice === 'auto' ? ', which auto never does by itself' : ''}.`,
    threads: result.tids.map((tid) => ({ tid, name: '' })),
  })
}

function enterRisk(who: string): Risk {
  return {
    code: 'io-uring-enter',
    description: `io_uring_enter(2) is usable because of ${who}: native code can perform other calls through a ring, out of the filter's sight.`,
  }
}

/** Was this process image started by `executeAgain`? The marker is for us, not for children. */
function takeMarker(): boolean {
  const marker = process.env[REEXEC_MARKER]
  // A Worker's copy of the environment is its own.
  if (marker !== undefined) Reflect.deleteProperty(process.env, REEXEC_MARKER)
  return marker === String(process.pid)
}

function denyNewRings({ noNewPrivs, prove }: ParsedOptions): void {
  const { program } = compilePolicy(noNewRings, hostTarget(), prove)
  const flags = { noNewPrivs, log: false, specAllow: false, listener: false }
  const installed = native().install(program.bytes, flags)
  checkInstalled(installed)
}

/** Under an earlier lockdown of this process that did away with its rings. */
const isDeniedAlready = (): boolean => !native().permits(IO_URING_ENTER)

/** Never returns: it throws, or this process image is gone. */
function executeAgain(rings: number, reexecuted: boolean, options: ParsedOptions): never {
  const obstacle = reexecObstacle(reexecuted)
  if (obstacle !== undefined) {
    throw new LockdownError('ERR_REEXEC', {
      problem: `the program cannot be executed again: ${obstacle}`,
      hint: "Nothing was installed. Use ioUring: 'retire', or a launcher that denies io_uring_setup.",
    })
  }
  denyNewRings(options)
  const error = native().reexec([`${REEXEC_MARKER}=${process.pid}`])
  throw new LockdownError('ERR_REEXEC', {
    problem: `execve(2) failed (errno ${error}) with ${rings} io_urings open`,
    hint: 'The policy was not installed (new io_urings are denied from now on).',
  })
}

/** Starting over is wrong where something would be lost that the new image cannot have. */
function reexecObstacle(reexecuted: boolean): string | undefined {
  if (reexecuted) return 'it already was, and the second start has io_urings too'
  if (!native().onMainThread())
    return 'this is a Worker, and the main thread would start over with it'
  if (process.channel !== undefined) return 'its IPC channel to the parent would be lost'
  const fromStdin = process.argv[1] === undefined || process.argv[1] === '-'
  const evaluated = process.execArgv.some((flag) => /^(-e|--eval|-p|--print|-pe)(=|$)/.test(flag))
  if (fromStdin && !evaluated) return 'its source came from standard input, which is read by now'
  const { blocker, stdinConsumed, children } = native().planReexec()
  if (blocker !== '') return blocker
  if (stdinConsumed) return 'it has read from the file that is its standard input'
  if (children > 0) return 'it has child processes, which the second start would not know'
  return undefined
}
