/**
 * Profiles of the container world as Docker and Podman read them, conditions and architectures kept: the
 * engine decides for each container which entries hold. Only what a profile has that the engine would
 * take otherwise is rewritten.
 */
import { Diagrams } from '../../analysis/diagram'
import { conditionsOf } from '../../analysis/meaning'
import { PolicyError } from '../../errors'
import { registersOf } from '../conditions'
import { isAtLeast, parseKernel } from '../target'
import type { Profile, ProfileArg, ProfileConditions, ProfileEntry } from '../types'
import { coverOf, TooManyEntries, type Conjunction } from './cover'
import { argOf, companionsOf, compareText, errnoWord, inOrder, type OciEntry } from './entries'
import { jsonText, type JsonValue } from './json-text'
import type { Source } from './source'

type Engine = 'docker' | 'podman'

/** Profiles that have entries of the container world. */
export const isContainerProfile = (profile: Profile): boolean =>
  profile.dialect !== 'systemd' && profile.dialect !== 'seccomp-ts'

type Member = Readonly<Record<string, JsonValue | undefined>>

export function writeContainer(source: Source, engine: Engine): string {
  const { profile } = source
  if (profile === undefined) throw new RangeError('only profiles have conditions to keep')
  const { defaultAction = 'SCMP_ACT_ERRNO', defaultErrno } = profile
  if (profile.name !== undefined || source.name !== undefined) {
    source.losses.add(
      'info',
      'name',
      '$.name',
      `the name '${source.name ?? ''}' has no place in it`,
    )
  }
  const errno = defaultAction === 'SCMP_ACT_ERRNO' ? (defaultErrno ?? 1) : defaultErrno
  return jsonText({
    defaultAction,
    ...errnoMembers(engine, 'defaultErrno', defaultAction, errno),
    ...architecturesOf(profile),
    ...companionsOf(source),
    syscalls: entriesFor(source, profile, engine),
  })
}

function errnoMembers(
  engine: Engine,
  key: 'errno' | 'defaultErrno',
  action: string,
  errno: number | undefined,
): Member {
  if (errno === undefined) return {}
  const number = { [`${key}Ret`]: errno }
  return engine === 'podman' && action === 'SCMP_ACT_ERRNO'
    ? { ...number, [key]: errnoWord(errno) }
    : number
}

function architecturesOf({ architectures, archMap }: Profile): Member {
  if (archMap !== undefined && archMap.length > 0) {
    const list = archMap.map(({ architecture, subArchitectures }) => ({
      architecture,
      subArchitectures: [...new Set(subArchitectures)].sort(),
    }))
    return { archMap: list.sort((a, b) => compareText(a.architecture, b.architecture)) }
  }
  // runc and crun refuse SCMP_ARCH_NATIVE; what it stands for is in every filter.
  const named = [...new Set(architectures)].filter((each) => each !== 'SCMP_ARCH_NATIVE').sort()
  return named.length === 0 ? {} : { architectures: named }
}

interface Group {
  readonly entry: Omit<OciEntry, 'names'>
  readonly conditions: Member
  /** All of it but the names. */
  readonly member: Member
  readonly names: Set<string>
}

function entriesFor(source: Source, profile: Profile, engine: Engine): JsonValue {
  const groups = new Map<string, Group>()
  // What is said twice without conditions is decided by the order, which then must stay.
  const ordered = dependsOnOrder(profile)
  for (const [at, entry] of profile.entries.entries()) {
    if (entry.names.length === 0) continue
    const conditions = conditionsFor(source, entry, engine)
    if (conditions === undefined) continue
    for (const args of argumentsFor(source, entry)) {
      const group = groupOf(entry, conditions, args, engine)
      const key = `${ordered ? at : ''} ${jsonText(group.member)}`
      const known = groups.get(key) ?? group
      groups.set(key, known)
      for (const name of entry.names) known.names.add(name)
    }
  }
  const list = [...groups.values()].map((group) => ({ ...group, names: [...group.names].sort() }))
  if (ordered) {
    const message =
      'two entries say different things of one call, so that their order counts: it is kept'
    source.losses.add('info', 'order', profile.place, message)
  } else {
    list.sort(
      (a, b) =>
        rankOf(a) - rankOf(b) ||
        inOrder({ ...a.entry, names: a.names }, { ...b.entry, names: b.names }) ||
        compareText(jsonText(a.conditions), jsonText(b.conditions)),
    )
  }
  return list.map(({ names, member }) => ({ names, ...member }))
}

function groupOf(
  { action, errno, comment = '' }: ProfileEntry,
  conditions: Member,
  args: Conjunction,
  engine: Engine,
): Group {
  const errnoRet = carriesErrno(action) ? (errno ?? 1) : undefined
  return {
    entry: { action, ...(errnoRet === undefined ? {} : { errnoRet }), args },
    conditions: { ...conditions, comment: comment === '' ? undefined : comment },
    member: {
      action,
      ...errnoMembers(engine, 'errno', action, errnoRet),
      args: args.length === 0 ? undefined : args.map(argOf),
      comment: comment === '' ? undefined : comment,
      ...conditions,
    },
    names: new Set(),
  }
}

/** Without conditions first, then those that hold in some containers, then those on arguments. */
const rankOf = ({ entry, conditions }: Pick<Group, 'entry' | 'conditions'>): number =>
  entry.args.length > 0
    ? 2
    : conditions['includes'] === undefined && conditions['excludes'] === undefined
      ? 0
      : 1

/** Of others, 1 is what all readers take where there is none. */
const carriesErrno = (action: ProfileEntry['action']): boolean =>
  action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE'

/** Undefined where the entry never holds. */
function conditionsFor(
  source: Source,
  { includes, excludes }: ProfileEntry,
  engine: Engine,
): Member | undefined {
  const kept =
    engine === 'podman' ? withoutKernel(source, includes, excludes) : { includes, excludes }
  if (kept === undefined) return undefined
  const member = (conditions: ProfileConditions | undefined): Member | undefined => {
    if (conditions === undefined) return undefined
    const { caps, arches, minKernel } = conditions
    if (caps.length === 0 && arches.length === 0 && minKernel === undefined) return undefined
    return {
      caps: caps.length === 0 ? undefined : [...new Set(caps)].sort(),
      arches: arches.length === 0 ? undefined : [...new Set(arches)].sort(),
      minKernel,
    }
  }
  return { includes: member(kept.includes), excludes: member(kept.excludes) }
}

type Both = Pick<ProfileEntry, 'includes' | 'excludes'>

/** containers/common has no minKernel: it is settled here, for the kernel there is. */
function withoutKernel(
  { losses, target }: Source,
  includes: ProfileConditions | undefined,
  excludes: ProfileConditions | undefined,
): { [K in keyof Both]: Both[K] | undefined } | undefined {
  const settle = (conditions: ProfileConditions | undefined, holds: boolean): boolean => {
    const wanted = parseKernel(conditions?.minKernel ?? '')
    if (conditions === undefined || wanted === undefined) return true
    const { kernel } = target
    if (kernel === undefined) {
      throw new PolicyError('ERR_OPTION', {
        path: 'options.kernel',
        problem: `Podman knows no minKernel (line ${conditions.place.line}), and no kernel is known to settle it for`,
        hint: "Name the one it will run on: '6.1'.",
      })
    }
    const applies = isAtLeast(kernel, wanted) === holds
    const message = `Podman knows no minKernel: for Linux ${kernel.join('.')} the entry ${applies ? 'is kept without it' : 'is left out'}`
    losses.add('info', 'min-kernel', conditions.place, message)
    return applies
  }
  const stripped = (conditions: ProfileConditions | undefined): ProfileConditions | undefined => {
    if (conditions === undefined) return undefined
    const { place, caps, arches } = conditions
    return { place, caps, arches }
  }
  if (!settle(includes, true) || !settle(excludes, false)) return undefined
  return { includes: stripped(includes), excludes: stripped(excludes) }
}

/** Ways in which an entry holds: more than one only where it compares one register twice. */
function argumentsFor({ losses }: Source, { args, place }: ProfileEntry): readonly Conjunction[] {
  const indexes = new Set(args.map(({ index }) => index))
  if (indexes.size === args.length) return [plainArgs(args)]
  const registers = registersOf(args)
  const conditions = [...(registers ?? [])].map(([argument, set]) => ({
    argument,
    width: 64 as const,
    set,
  }))
  const diagrams = new Diagrams()
  let cover: readonly Conjunction[] | undefined
  try {
    if (registers !== undefined) cover = coverOf(diagrams, conditionsOf(diagrams, conditions), 256)
  } catch (error) {
    if (!(error instanceof TooManyEntries)) throw error
  }
  if (cover === undefined) {
    throw new PolicyError('ERR_INEXPRESSIBLE', {
      path: place.path,
      problem:
        'both conditions on one argument must hold, and no entries that compare it once say so',
    })
  }
  const message = `two conditions on one argument, of which engines take either: written as ${cover.length} entries that compare it once`
  losses.add('info', 'repeated-argument', place, message)
  return cover
}

const plainArgs = (args: readonly ProfileArg[]): Conjunction =>
  args
    .map(({ index, op, value, valueTwo }) => ({
      index,
      op,
      value,
      // Only what is in the mask counts, and for other operators nothing of it.
      valueTwo: op === 'SCMP_CMP_MASKED_EQ' ? valueTwo & value : 0n,
    }))
    .sort((a, b) => a.index - b.index)

/** Whether some call has two entries without conditions on arguments that say different things. */
function dependsOnOrder({ entries }: Profile): boolean {
  const byName = new Map<string, ProfileEntry[]>()
  for (const entry of entries) {
    if (entry.args.length > 0) continue
    for (const name of new Set(entry.names)) {
      const others = byName.get(name)
      if (others === undefined) byName.set(name, [entry])
      else if (others.some((other) => !alike(other, entry) && !exclusive(other, entry))) return true
      else others.push(entry)
    }
  }
  return false
}

const alike = (a: ProfileEntry, b: ProfileEntry): boolean =>
  a.action === b.action && (!carriesErrno(a.action) || (a.errno ?? 1) === (b.errno ?? 1))

/** One needs what the other must not have. */
const exclusive = (a: ProfileEntry, b: ProfileEntry): boolean =>
  against(a.includes, b.excludes) ||
  against(b.includes, a.excludes) ||
  apart(a.includes?.arches ?? [], b.includes?.arches ?? [])

const against = (
  includes: ProfileConditions | undefined,
  excludes: ProfileConditions | undefined,
): boolean =>
  (includes?.caps.some((cap) => excludes?.caps.includes(cap)) ?? false) ||
  ((includes?.arches.length ?? 0) > 0 &&
    (includes?.arches.every((arch) => excludes?.arches.includes(arch)) ?? false))

const apart = (a: readonly string[], b: readonly string[]): boolean =>
  a.length > 0 && b.length > 0 && !a.some((arch) => b.includes(arch))
