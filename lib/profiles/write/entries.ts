/** The rules as entries of the container world, in the one order they are written in. */
import { describeVerdict, permissiveness, verdictOf } from '../../analysis/verdict'
import { PolicyError } from '../../errors'
import type { ActionName } from '../../policy'
import { errnoName, errnoValue, type SyscallName } from '../../syscalls'
import type { ProfileAction } from '../types'
import { ACTIONS, NATIVE_ARCHITECTURE } from '../vocabulary'
import type { Conjunction, RegisterCondition } from './cover'
import { flatten } from './flatten'
import type { JsonValue } from './json-text'
import type { Source } from './source'

export interface OciAction {
  readonly action: ProfileAction
  readonly errnoRet?: number
}

export interface OciEntry extends OciAction {
  readonly names: readonly string[]
  readonly args: Conjunction
}

/** What an entry was made of. */
export interface NamedEntry extends OciEntry {
  readonly names: readonly SyscallName[]
  readonly verdict: number
}

const ACTION_NAMES: Readonly<Record<ActionName, ProfileAction>> = {
  allow: 'SCMP_ACT_ALLOW',
  errno: 'SCMP_ACT_ERRNO',
  kill: 'SCMP_ACT_KILL_PROCESS',
  killThread: 'SCMP_ACT_KILL_THREAD',
  log: 'SCMP_ACT_LOG',
  notify: 'SCMP_ACT_NOTIFY',
  trace: 'SCMP_ACT_TRACE',
  trap: 'SCMP_ACT_TRAP',
}

/** A verdict in the words of the runtime-spec; its errnoRet is the datum of SCMP_ACT_TRACE too. */
export function ociAction(verdict: number): OciAction {
  const { action, errno, data } = describeVerdict(verdict)
  const name = ACTION_NAMES[action]
  if (action === 'errno') {
    return {
      action: name,
      errnoRet: typeof errno === 'string' ? (errnoValue(errno) ?? 0) : (errno ?? 0),
    }
  }
  return action === 'trace' ? { action: name, errnoRet: data ?? 0 } : { action: name }
}

/**
 * One entry for all calls with the same verdict under the same conditions: those without conditions
 * first, by action; then by the first call they name.
 */
export function entriesOf(
  source: Source,
  fallback: number,
  translate?: (verdict: number) => number,
): readonly NamedEntry[] {
  const { rules, explicit } = source
  const entries = new Map<
    string,
    { readonly entry: NamedEntry; readonly names: Set<SyscallName> }
  >()
  for (const { name, verdict, conditions } of flatten(rules, {
    ...{ fallback, explicit },
    ...(translate === undefined ? {} : { translate }),
  })) {
    const key = `${verdict} ${textOf(conditions)}`
    const known = entries.get(key)
    if (known !== undefined) known.names.add(name)
    else {
      const entry = { ...ociAction(verdict), names: [], args: conditions, verdict }
      entries.set(key, { entry, names: new Set([name]) })
    }
  }
  return [...entries.values()]
    .map(({ entry, names }) => ({ ...entry, names: [...names].sort() }))
    .sort(inOrder)
}

const textOf = (args: Conjunction): string =>
  args.map(({ index, op, value, valueTwo }) => `${index} ${op} ${value} ${valueTwo}`).join()

/** The order of entries: 0 only for two that say the same. */
export function inOrder(a: OciEntry, b: OciEntry): number {
  return (
    Math.sign(a.args.length) - Math.sign(b.args.length) ||
    (a.args.length === 0 ? 0 : compareText(a.names[0] ?? '', b.names[0] ?? '')) ||
    ACTIONS.indexOf(b.action) - ACTIONS.indexOf(a.action) ||
    (a.errnoRet ?? -1) - (b.errnoRet ?? -1) ||
    compareConjunctions(a.args, b.args) ||
    compareText(a.names.join(), b.names.join())
  )
}

export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function compareConjunctions(a: Conjunction, b: Conjunction): number {
  for (const [at, one] of a.entries()) {
    const other = b[at]
    if (other === undefined) return 1
    const order =
      one.index - other.index ||
      compareText(one.op, other.op) ||
      compareWide(one.value, other.value) ||
      compareWide(one.valueTwo, other.valueTwo)
    if (order !== 0) return order
  }
  return a.length - b.length
}

const compareWide = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** A condition as it stands in JSON. */
export const argOf = ({ index, op, value, valueTwo }: RegisterCondition): JsonValue => ({
  index,
  value,
  valueTwo: op === 'SCMP_CMP_MASKED_EQ' ? valueTwo : undefined,
  op,
})

/** What the default of a written profile is, where the dialect has every action and errno. */
export const fallbackOf = ({ rules }: Source): number => verdictOf(rules.defaultAction)

/** Flags and listener of the profile that is converted; of a policy, there are none. */
export function companionsOf({
  profile,
  losses,
  rules,
}: Source): Readonly<Record<string, JsonValue>> {
  const { flags = [], listenerPath, listenerMetadata } = profile ?? {}
  const notifies = rules.syscalls.some((call) =>
    call.rules.some(({ action }) => describeVerdict(action).action === 'notify'),
  )
  if (notifies && profile === undefined) {
    const message =
      'a policy names no listener: runc refuses the profile, and with crun such a call fails with ENOSYS'
    losses.add('warning', 'notify-without-listener', '$.syscalls', message)
  }
  return {
    ...(flags.length === 0 ? {} : { flags: [...new Set(flags)].sort() }),
    ...((listenerPath ?? '') === '' ? {} : { listenerPath: listenerPath ?? '' }),
    ...((listenerMetadata ?? '') === '' ? {} : { listenerMetadata: listenerMetadata ?? '' }),
  }
}

export const nativeOf = ({ arch }: Source): string => NATIVE_ARCHITECTURE[arch]

/** What every profile for one architecture loses, whoever reads it. */
export function reportForeignCalls({ losses, arch }: Source): void {
  const x32 = arch === 'x86_64' ? ', also of x32, where the policy says ENOSYS' : ''
  const message = `libseccomp ends the thread on calls of architectures that are not listed, and the policy the process${x32}`
  losses.add('info', 'foreign-calls', '$', message)
}

/** Numbers without a name, which only the default speaks of. */
export function reportUnnamedNumbers(source: Source, fallback: number): void {
  const { rules, losses, policy } = source
  const own = fallbackOf(source)
  const range = rules.ranges.find(({ first }) => first < X32)
  const byRange = range !== undefined
  if (fallback === own && !byRange) return
  const wanted = byRange ? 'ENOSYS' : errnoText(own)
  const path = policy.baseline !== undefined ? '$.baseline' : byRange ? '$.ceiling' : '$.default'
  if (byRange && permissiveness(fallback) > permissiveness(verdictOf(range.action))) {
    throw new PolicyError('ERR_INEXPRESSIBLE', {
      path,
      problem: `numbers that have no name yet answer ENOSYS here, and would get the default there: ${errnoText(fallback)}`,
    })
  }
  const message = `numbers that have no name yet answer ${errnoText(fallback)} instead of ${wanted}; those with one are listed`
  losses.add('info', 'unnamed-numbers', path, message)
  losses.numbersChanged = true
}

const X32 = 0x40000000

const errnoText = (verdict: number): string => {
  const { action, errno } = describeVerdict(verdict)
  return errno === undefined ? action : typeof errno === 'string' ? errno : `errno ${errno}`
}

/** What an errno is called where names are written. */
export const errnoWord = (errno: number): string => errnoName(errno) ?? String(errno)

/** Where neither flags nor a listener can be written. */
export function reportCompanions({ profile, losses }: Source): void {
  const { flags = [], listenerPath = '', listenerMetadata = '', place } = profile ?? {}
  if (place === undefined) return
  if (flags.length > 0) {
    losses.add('info', 'flags', place, `the flags (${flags.join(', ')}) have no place in it`)
  }
  if (listenerPath !== '' || listenerMetadata !== '') {
    losses.add('warning', 'listener', place, 'the listener and its metadata have no place in it')
  }
}
