/** What a profile is resolved for. */
import { PolicyError } from '../errors'
import { hostArch } from '../policy'
import { describeValue, readFields, readList, reading, refuseUnknownKeys } from '../policy/snapshot'
import { suggest, type Arch } from '../syscalls'
import { RUNTIMES, type Runtime } from './runtimes'
import { CAPABILITIES } from './vocabulary'

export interface ProfileTarget {
  /** That of this process by default, or x86-64 where there are no tables for it. */
  readonly arch?: Arch
  /** The bounding set of the container: `'CAP_SYS_ADMIN'`. None by default. */
  readonly caps?: readonly string[]
  /**
   * The kernel it will run on, `'6.1'`, or as `uname -r` has it. The one this runs on by default; asked for
   * only by profiles that have `minKernel`.
   */
  readonly kernel?: string
  /** To get what this runtime would enforce, instead of our own, stricter reading. */
  readonly runtime?: Runtime
}

export interface ParsedTarget {
  readonly arch: Arch
  readonly caps: ReadonlySet<string>
  readonly kernel: KernelVersion | undefined
  readonly runtime: Runtime | undefined
}

export type KernelVersion = readonly [major: number, minor: number]

/** What distributions and release candidates add does not count: moby/profiles. */
export function parseKernel(text: string): KernelVersion | undefined {
  const match = /^(\d{1,9})\.(\d{1,9})(?![\d])/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2])]
}

export const isAtLeast = (kernel: KernelVersion, wanted: KernelVersion): boolean =>
  kernel[0] === wanted[0] ? kernel[1] >= wanted[1] : kernel[0] > wanted[0]

const LONGEST = 256

/** @throws PolicyError ERR_OPTION, ERR_UNKNOWN_KEY, ERR_POLICY_SHAPE */
export function parseTarget(input: unknown): ParsedTarget {
  return reading('target', () => {
    const fields = readFields(input ?? {}, 'target', 'an object')
    refuseUnknownKeys(fields, ['arch', 'caps', 'kernel', 'runtime'], 'target', 'a target')
    const arch = fields.get('arch') ?? hostArch() ?? 'x86_64'
    if (arch !== 'x86_64' && arch !== 'aarch64') {
      throw wrong('arch', `expected x86_64 or aarch64, got ${describeValue(arch)}`)
    }
    const caps = readList(fields.get('caps') ?? [], 'target.caps', 'a list', LONGEST)
    caps.forEach((cap, index) => {
      if (typeof cap === 'string' && CAPABILITIES.includes(cap)) return
      const meant = typeof cap === 'string' ? suggest(cap, CAPABILITIES) : undefined
      throw wrong(`caps[${index}]`, `there is no capability ${describeValue(cap)}`, meant)
    })
    const given = fields.get('kernel')
    if (given !== undefined && (typeof given !== 'string' || parseKernel(given) === undefined)) {
      throw wrong('kernel', `expected a version such as '6.1', got ${describeValue(given)}`)
    }
    const kernel = given ?? kernelHere()
    const runtime = fields.get('runtime')
    if (runtime !== undefined && !isRuntime(runtime)) {
      const known = Object.keys(RUNTIMES)
      const meant = typeof runtime === 'string' ? suggest(runtime, known) : undefined
      throw wrong(
        'runtime',
        `expected one of ${known.join(', ')}, got ${describeValue(runtime)}`,
        meant,
      )
    }
    return {
      arch,
      caps: new Set(caps as string[]),
      kernel: kernel === undefined ? undefined : parseKernel(kernel),
      runtime,
    }
  })
}

function kernelHere(): string | undefined {
  if (process.platform !== 'linux') return undefined
  const { release } = require('node:os') as typeof import('node:os')
  return release()
}

const isRuntime = (value: unknown): value is Runtime =>
  typeof value === 'string' && Object.hasOwn(RUNTIMES, value)

const wrong = (key: string, problem: string, suggestion?: string): PolicyError =>
  new PolicyError('ERR_OPTION', { path: `target.${key}`, problem, suggestion })
