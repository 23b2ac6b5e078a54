import { PolicyError } from '../errors'
import { describeValue, readFields, reading, refuseUnknownKeys } from '../policy/snapshot'
import { suggest } from '../syscalls'

/**
 * What to do about the io_urings that libuv 1.50 and later (Node 22 and later) opens before any
 * user code runs. A ring performs other system calls out of the filter's sight, and denying
 * io_uring_enter while libuv has one makes it abort the process. `docs/io-uring.md` has the whole.
 *
 * - `auto`: `retire`; if that is refused, the lockdown is.
 * - `retire`: make libuv drop its rings in place; it falls back to epoll_ctl(2).
 * - `reexec`: deny io_uring and execute the program again from its start, same process id.
 * - `allow-enter`: leave the rings and io_uring_enter usable. Native code can then get round the
 *   filter through them; `status()` names that risk.
 */
export type IoUringChoice = 'auto' | 'retire' | 'reexec' | 'allow-enter'

export interface LockdownOptions {
  /** Default `'auto'`. */
  readonly ioUring?: IoUringChoice
  /**
   * Set no_new_privs first (default true): what unprivileged processes must do, and what keeps
   * set-user-id programs from gaining rights. `false` needs CAP_SYS_ADMIN.
   */
  readonly noNewPrivs?: boolean
  /** Let the kernel write an audit line for everything but `allow`. SECCOMP_FILTER_FLAG_LOG, 4.14. */
  readonly log?: boolean
  /**
   * Do not turn on the Speculative Store Bypass mitigation that a filter otherwise brings on some
   * processors. SECCOMP_FILTER_FLAG_SPEC_ALLOW, 4.17.
   */
  readonly specAllow?: boolean
  /**
   * Attach a listener for `notify` rules and return its descriptor in the status. The calls wait
   * until somebody answers on it: it is for another process, which takes it by pidfd_getfd(2).
   * SECCOMP_FILTER_FLAG_NEW_LISTENER with TSYNC_ESRCH, 5.7.
   */
  readonly listener?: boolean
  /**
   * Install only a program that is proved to do what the policy says, for every call there can be
   * (default true; `docs/proof.md`). Ready policies were proved when the package was built. `false`
   * saves the time, and `status()` says so.
   */
  readonly prove?: boolean
  /** Off Linux, and where the kernel has no seccomp: throw (default), or warn and run unprotected. */
  readonly onUnsupported?: 'throw' | 'warn'
}

export type ParsedOptions = Required<LockdownOptions>

const IO_URING: readonly IoUringChoice[] = ['auto', 'retire', 'reexec', 'allow-enter']
const ON_UNSUPPORTED = ['throw', 'warn'] as const
const FLAGS = ['noNewPrivs', 'log', 'specAllow', 'listener', 'prove'] as const
const KNOWN = ['ioUring', 'onUnsupported', ...FLAGS]

const DEFAULTS: ParsedOptions = Object.freeze({
  ioUring: 'auto',
  noNewPrivs: true,
  log: false,
  specAllow: false,
  listener: false,
  prove: true,
  onUnsupported: 'throw',
})

/** @throws PolicyError ERR_OPTION, ERR_UNKNOWN_KEY, ERR_POLICY_SHAPE */
export function parseOptions(input: unknown): ParsedOptions {
  if (input === undefined) return DEFAULTS
  return reading('options', () => {
    const fields = readFields(input ?? {}, 'options', 'an options object')
    refuseUnknownKeys(fields, KNOWN, 'options', 'lockdown')
    const flag = (name: (typeof FLAGS)[number]): boolean => {
      const value = fields.get(name)
      if (value === undefined) return DEFAULTS[name]
      if (typeof value === 'boolean') return value
      throw new PolicyError('ERR_OPTION', {
        path: `options.${name}`,
        problem: `expected true or false, got ${describeValue(value)}`,
      })
    }
    const choice = <Name extends 'ioUring' | 'onUnsupported'>(
      name: Name,
      known: readonly ParsedOptions[Name][],
    ): ParsedOptions[Name] => {
      const value = fields.get(name)
      if (value === undefined) return DEFAULTS[name]
      const found = known.find((each) => each === value)
      if (found !== undefined) return found
      throw new PolicyError('ERR_OPTION', {
        path: `options.${name}`,
        problem: `expected one of ${known.join(', ')}, got ${describeValue(value)}`,
        suggestion: typeof value === 'string' ? suggest(value, known) : undefined,
      })
    }
    return {
      ioUring: choice('ioUring', IO_URING),
      noNewPrivs: flag('noNewPrivs'),
      log: flag('log'),
      specAllow: flag('specAllow'),
      listener: flag('listener'),
      prove: flag('prove'),
      onUnsupported: choice('onUnsupported', ON_UNSUPPORTED),
    }
  })
}
