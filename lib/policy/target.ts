import { PolicyError } from '../errors'
import type { Arch } from '../syscalls'
import type { Target } from './normalise'
import { describeValue, readFields, reading, refuseUnknownKeys } from './snapshot'

/** Node's names for the architectures there are tables for. */
const ARCHES: ReadonlyMap<string, Arch> = new Map([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
])

/** The architecture that Node calls so, for who wrote that name. */
export const archByNodeName = (name: unknown): Arch | undefined => ARCHES.get(name as string)

/** The architecture of this process, or undefined where there is no table for it. */
export const hostArch = (): Arch | undefined => ARCHES.get(process.arch)

/** What a policy is checked against when nobody said: this process, as x86-64 if need be. */
export const hostTarget = (): Target => ({ arch: hostArch() ?? 'x86_64', pid: process.pid })

/** What a policy is read for, where it is not this process. */
export interface PolicyTarget {
  readonly arch?: Arch
  /** The process id that `'SELF'` stands for. */
  readonly pid?: number
}

/** include/linux/threads.h: PID_MAX_LIMIT on 64-bit kernels. */
const MAX_PID = 4194304

/** What a caller left open is as given here, else as this process. @throws PolicyError ERR_OPTION */
export function parseTarget(input: unknown, otherwise: PolicyTarget = {}): Target {
  return reading('target', () => {
    const fields = readFields(input ?? {}, 'target', 'an object')
    refuseUnknownKeys(fields, ['arch', 'pid'], 'target', 'a target')
    const { arch, pid }: Record<string, unknown> = {
      ...hostTarget(),
      ...otherwise,
      ...Object.fromEntries(fields),
    }
    if (arch !== 'x86_64' && arch !== 'aarch64') {
      throw new PolicyError('ERR_OPTION', {
        path: 'target.arch',
        problem: `expected x86_64 or aarch64, got ${describeValue(arch)}`,
        suggestion: archByNodeName(arch),
      })
    }
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1 || pid > MAX_PID) {
      throw new PolicyError('ERR_OPTION', {
        path: 'target.pid',
        problem: `expected a process id, got ${describeValue(pid)}`,
      })
    }
    return { arch, pid }
  })
}
