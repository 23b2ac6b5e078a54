import { rulesOf } from '../deferred'
import { LockdownError } from '../errors'
import { native } from '../native'
import { hostTarget, type Policy } from '../policy'
import { checkInstalled, toThreadState } from './install'
import { prepareIoUring } from './io-uring'
import { parseOptions, type LockdownOptions, type ParsedOptions } from './options'
import { compilePolicy } from './program'
import { remember, statusOf, unprotected, type Risk, type Status } from './status'

/**
 * Puts the whole process under a policy: from here on the kernel itself refuses what the policy does
 * not let through, to every thread and to whatever the process starts, for as long as it lives. A
 * second call can only tighten.
 *
 * Returns when the kernel's own books (`/proc/self/task`) show every thread under the filter; throws
 * otherwise, and `error.installed` says whether a filter was put in place.
 *
 * Linux 3.17 (seccomp(2) with SECCOMP_FILTER_FLAG_TSYNC) and 4.14 (SECCOMP_RET_KILL_PROCESS, which
 * every program needs for foreign architectures).
 *
 * @throws PolicyError for a mistake in the policy or the options: nothing changed
 * @throws LockdownError when this process, kernel or container did not let it take hold
 */
export function lockdown(policy: Policy, options?: LockdownOptions): Status {
  const parsed = parseOptions(options)
  try {
    native()
  } catch (error) {
    // A mistake in the policy is one everywhere.
    rulesOf(policy, hostTarget())
    return runUnprotected(error, parsed)
  }
  const compiled = compilePolicy(policy, hostTarget(), parsed.prove)
  const plan = prepareIoUring(policy, compiled, parsed)
  const { noNewPrivs, log, specAllow, listener } = parsed
  const result = native().install(plan.program.bytes, { noNewPrivs, log, specAllow, listener })
  if (result.outcome === 'noSeccomp' && parsed.onUnsupported === 'warn') {
    return warnUnprotected('this kernel has no seccomp filters')
  }
  checkInstalled(result)
  const threads = result.threads.map(toThreadState)
  remember({
    policy: compiled.name ?? 'unnamed',
    proved: parsed.prove,
    threads,
    ioUring: plan.status,
    risks: [...plan.risks, ...optionRisks(parsed), ...kernelRisks(result.threads)],
    ...(result.listener >= 0 ? { listener: result.listener } : {}),
  })
  return statusOf(threads)
}

function runUnprotected(error: unknown, options: ParsedOptions): Status {
  const unsupported =
    error instanceof LockdownError &&
    (error.code === 'ERR_UNSUPPORTED_PLATFORM' || error.code === 'ERR_UNSUPPORTED_ARCH')
  if (!unsupported || options.onUnsupported !== 'warn') throw error
  return warnUnprotected(error.message)
}

function warnUnprotected(reason: string): Status {
  process.emitWarning(`seccomp-ts: this process runs unprotected: ${reason}`, {
    code: 'SECCOMP_TS_UNPROTECTED',
  })
  return unprotected(reason)
}

function optionRisks({ noNewPrivs, specAllow, prove }: ParsedOptions): Risk[] {
  const risks: Risk[] = []
  if (!prove) {
    risks.push({
      code: 'unproved',
      description:
        'The proof that the program does what the policy says was waived (prove: false).',
    })
  }
  if (!noNewPrivs) {
    risks.push({
      code: 'new-privileges',
      description: 'no_new_privs is off: set-user-id programs can be started with their rights.',
    })
  }
  if (specAllow) {
    risks.push({
      code: 'speculation',
      description: 'The Speculative Store Bypass mitigation was left off (specAllow).',
    })
  }
  return risks
}

function kernelRisks(threads: readonly { readonly filters: number }[]): Risk[] {
  if (threads.every((thread) => thread.filters >= 0)) return []
  return [
    {
      code: 'filters-uncounted',
      description:
        'This kernel (before 5.9) does not count filters per thread: a thread that already had one was only seen to have one.',
    },
  ]
}
