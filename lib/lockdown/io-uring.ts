/**
 * libuv's rings and the filter (docs/io-uring.md). libuv aborts the process if io_uring_enter is
 * denied while it has a ring, and while it may be called the ring is a way round the filter. So the
 * rings go first.
 */
import { compileRules, type Program } from '../compiler/compile'
import { compilePolicy, type CompiledPolicy } from '../compiler/policy'
import { LockdownError } from '../errors'
import { native, type NativeRings } from '../native'
import { SECCOMP_RET_ALLOW, allow, errno, hostTarget, type Policy, type Rules } from '../policy'
import { checkInstalled } from './install'
import type { IoUringChoice } from './options'
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
export function prepareIoUring(policy: CompiledPolicy, choice: IoUringChoice): IoUringPlan {
  const { program } = policy
  const reexecuted = takeMarker()
  const rings = native().rings()
  if (policy.letsIoUringEnter) {
    return {
      program,
      status: { rings: countRings(rings), cure: 'allowed' },
      risks: [enterRisk('the policy')],
    }
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
        program: compileRules(allowEnter(policy.rules())),
        status: { rings: count, cure: 'allowed' },
        risks: [enterRisk("ioUring: 'allow-enter'")],
      }
    case 'reexec':
      return executeAgain(count, reexecuted)
    case 'auto':
    case 'retire':
      retire(choice)
      return { program, status: { rings: 0, cure: 'retired' }, risks: [] }
  }
}

/**
 * A loop may have been born on another thread between the last look and the filter. Retiring works
 * under the filter too; a ring that stays would abort the process later, so that is an error now.
 *
 * @throws LockdownError ERR_IO_URING
 */
export function checkNoNewRings(plan: IoUringPlan): void {
  if (plan.status.cure === 'allowed') return
  const rings = native().rings()
  // Under a policy that forbids reading /proc there is nothing more to see.
  if (!rings.known || countRings(rings) === 0) return
  const result = native().retireRings()
  if (result.refusal !== '') {
    throw new LockdownError('ERR_IO_URING', {
      problem: `the filter is in place, but another thread opened an io_uring meanwhile (${result.refusal})`,
      hint: 'Do not go on: end the process. Call lockdown before starting Workers.',
      installed: true,
    })
  }
}

function retire(choice: 'auto' | 'retire'): void {
  const result = native().retireRings()
  if (result.refusal === '') return
  throw new LockdownError('ERR_IO_URING', {
    problem: `libuv's io_urings could not be retired: ${result.refusal}`,
    hint: `Nothing was installed. Call lockdown earlier, before Workers are busy; or use ioUring: 'reexec' (starts the program again) or 'allow-enter' (leaves a way round the filter)${choice === 'auto' ? ', which auto never does by itself' : ''}.`,
    threads: result.tids.map((tid) => ({ tid, name: '' })),
  })
}

function enterRisk(who: string): Risk {
  return {
    code: 'io-uring-enter',
    description: `io_uring_enter(2) is usable because of ${who}: native code can perform other calls through a ring, out of the filter's sight.`,
  }
}

function allowEnter(rules: Rules): Rules {
  return {
    ...rules,
    syscalls: rules.syscalls.map((syscall) =>
      syscall.name === 'io_uring_enter'
        ? { ...syscall, rules: [{ action: SECCOMP_RET_ALLOW, conditions: [], path: '' }] }
        : syscall,
    ),
  }
}

/** Was this process image started by `executeAgain`? The marker is for us, not for children. */
function takeMarker(): boolean {
  const marker = process.env[REEXEC_MARKER]
  // A Worker's copy of the environment is its own.
  if (marker !== undefined) Reflect.deleteProperty(process.env, REEXEC_MARKER)
  return marker === String(process.pid)
}

const noRings: Policy = {
  name: 'io_uring denied for the second start',
  default: allow,
  syscalls: {
    io_uring_setup: errno('ENOSYS'),
    io_uring_enter: errno('ENOSYS'),
    io_uring_register: errno('ENOSYS'),
  },
}

/** Never returns: it throws, or this process image is gone. */
function executeAgain(rings: number, reexecuted: boolean): never {
  const obstacle = reexecObstacle(reexecuted)
  if (obstacle !== undefined) {
    throw new LockdownError('ERR_REEXEC', {
      problem: `the program cannot be executed again: ${obstacle}`,
      hint: "Nothing was installed. Use ioUring: 'retire', or a launcher that denies io_uring_setup.",
    })
  }
  const { program } = compilePolicy(noRings, hostTarget())
  const installed = native().install(program.bytes, {
    noNewPrivs: true,
    log: false,
    specAllow: false,
    listener: false,
  })
  checkInstalled(installed, () => '')
  const error = native().reexec([`${REEXEC_MARKER}=${process.pid}`])
  throw new LockdownError('ERR_REEXEC', {
    problem: `execve(2) failed (errno ${error}) with ${rings} io_urings open`,
    hint: 'A filter that denies io_uring to this process was installed before; end the process.',
    installed: true,
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
