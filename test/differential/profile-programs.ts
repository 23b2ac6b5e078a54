/**
 * Profiles as this package compiles them for a runtime, and as that runtime has libseccomp compile them
 * (runtimes.ts): the same verdict on every native call there is, or both refuse the profile.
 */
import type { ProfileRules } from '../../bench/profile'
import { ProfileError } from '../../lib/errors'
import { compileRules } from '../../lib/compiler/compile'
import { normalise } from '../../lib/policy/normalise'
import { readProfile, resolveProfile } from '../../lib/profiles'
import { findSyscall, isSyscallName } from '../../lib/syscalls'
import {
  boundaryCalls,
  compareOnCalls,
  compileTheirs,
  describe,
  describeMismatch,
  findDifference,
  type OurProgram,
  type TheirPrograms,
  type Theirs,
} from './libseccomp'
import {
  RUNTIME_NAMES,
  inOrder,
  parseProfile,
  translate,
  withStub,
  type RuntimeName,
  type Translation,
} from './runtimes'

/** Bounding sets: nothing, Docker's default, everything. */
export const CAPS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  docker: [
    ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID'],
    ...['SETFCAP', 'SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
  ].map((name) => `CAP_${name}`),
  all: [
    ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID'],
    ...['SETUID', 'SETPCAP', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN'],
    ...['NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE'],
    ...['SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'MKNOD'],
    ...['SYS_TTY_CONFIG', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE'],
    ...['MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
    'CHECKPOINT_RESTORE',
  ].map((name) => `CAP_${name}`),
}

const KERNEL = [6, 1] as const

const numberOf = (name: string): number | undefined =>
  isSyscallName(name) ? findSyscall(name, 'x86_64')?.number : undefined

type Our =
  | ({ readonly outcome: 'rules' } & OurProgram)
  | { readonly outcome: 'refused'; readonly why: string }
  | { readonly outcome: 'undetermined' }

function ours(text: string, runtime: RuntimeName, caps: readonly string[]): Our {
  try {
    const { profile } = readProfile(text)
    const target = { arch: 'x86_64', kernel: KERNEL.join('.'), caps, runtime } as const
    const { policy } = resolveProfile(profile, target)
    const rules = normalise(policy, { arch: 'x86_64', pid: 1 })
    return { outcome: 'rules', rules, bytes: compileRules(rules).bytes }
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error
    if (error.code === 'ERR_PROFILE_UNDETERMINED') return { outcome: 'undetermined' }
    return { outcome: 'refused', why: error.message }
  }
}

export interface Case {
  readonly name: string
  /** As the runtime is given it, in JSON. */
  readonly text: string
  /** As this package reads it, where that is not the same. */
  readonly written?: string
}

/** What came of a combination of profile, capabilities and runtime. */
const KINDS = [
  'proved equal',
  'no filter',
  'both refuse',
  // Ours does not say what libseccomp's tree decides; or libseccomp comes to no end.
  'undetermined',
  'endless',
  // libseccomp's program is not what its rules say, and ours is.
  'wrong by libseccomp',
  // Ours is not what the runtime does.
  'problem',
] as const
type Kind = (typeof KINDS)[number]
type Counts = Record<Kind, number>

const noCounts = (): Counts => Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Counts

interface Combination {
  readonly id: string
  readonly name: string
  readonly our: Our
  readonly translation: Translation
}

/** No filter: everything runs. */
const NOTHING: ProfileRules = { default: 0x7fff0000, rules: [] }

function combinations({ name, text, written = text }: Case): Combination[] {
  const profile = parseProfile(text)
  return Object.entries(CAPS).flatMap(([set, caps]) =>
    RUNTIME_NAMES.map((runtime) => ({
      id: `${name}, caps ${set}, ${runtime}`,
      name,
      our: ours(written, runtime, caps),
      translation: translate(profile, runtime, { caps, kernel: KERNEL, numberOf }),
    })),
  )
}

/** All profiles, for all sets of capabilities and all runtimes. */
export class Comparison {
  readonly counts = noCounts()
  /** For each profile. */
  readonly rows = new Map<string, Counts>()
  readonly problems: string[] = []
  readonly theirs: string[] = []
  combinations = 0
  /** Pairs of programs that occurred, and the calls that were run through each once. */
  pairs = 0
  calls = 0
  readonly #seen = new Set<string>()

  constructor(cases: readonly Case[]) {
    const all = cases.flatMap(combinations)
    const lists = all.map(({ translation }) => listOf(translation))
    compileTheirs(lists).forEach((theirs, index) => {
      const combination = all[index]
      if (combination === undefined) return
      this.combinations++
      const kind = this.#compare(combination, lists[index] ?? NOTHING, theirs)
      this.counts[kind]++
      const row = this.rows.get(combination.name) ?? noCounts()
      this.rows.set(combination.name, { ...row, [kind]: row[kind] + 1 })
    })
  }

  #compare(combination: Combination, list: ProfileRules, theirs: Theirs): Kind {
    const { our, translation } = combination
    const refusal = refusalOf(translation, theirs)
    if (refusal !== undefined) {
      if (our.outcome === 'refused') return 'both refuse'
      return this.#problem(combination, `refused (${refusal}), and ours is ${our.outcome}`)
    }
    if (our.outcome === 'undetermined') return 'undetermined'
    if (our.outcome === 'refused') return this.#problem(combination, `ours refuses: ${our.why}`)
    if (theirs.outcome !== 'program') return 'endless'
    const kind = this.#comparePrograms(combination, our, list, patched(theirs, list.ceiling))
    return kind === 'proved equal' && translation.outcome === 'no filter' ? 'no filter' : kind
  }

  #comparePrograms(
    combination: Combination,
    our: OurProgram,
    list: ProfileRules,
    theirs: TheirPrograms,
  ): Kind {
    const plain = inOrder(list)
    const difference = findDifference(our, theirs)
    const calls = [
      ...(difference === undefined ? [] : [difference]),
      ...(this.#isNew(our, theirs) ? boundaryCalls(plain) : []),
    ]
    const compared = compareOnCalls(plain, our, theirs, calls)
    this.calls += compared.calls
    const [ours] = compared.ours
    if (ours !== undefined) return this.#problem(combination, describeMismatch(ours))
    const [wrong] = compared.theirs
    if (wrong !== undefined) {
      this.theirs.push(`${combination.id}: ${describeMismatch(wrong)}`)
      return 'wrong by libseccomp'
    }
    if (difference === undefined) return 'proved equal'
    return this.#problem(combination, `the programs differ on ${describe(difference)}`)
  }

  #isNew({ bytes }: OurProgram, { O1 }: TheirPrograms): boolean {
    const key = [bytes, O1].map((each) => Buffer.from(each).toString('latin1')).join('|')
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    this.pairs++
    return true
  }

  #problem({ id }: Combination, what: string): Kind {
    this.problems.push(`${id}: ${what}`)
    return 'problem'
  }
}

const listOf = (translation: Translation): ProfileRules =>
  translation.outcome === 'rules' ? translation.list : NOTHING

function refusalOf(translation: Translation, theirs: Theirs): string | undefined {
  if (translation.outcome === 'refused') return translation.why
  return theirs.outcome === 'refused' ? `${theirs.rule.name}: errno ${theirs.errno}` : undefined
}

const patched = (theirs: TheirPrograms, ceiling: number | undefined): TheirPrograms =>
  ceiling === undefined
    ? theirs
    : { ...theirs, O1: withStub(theirs.O1, ceiling), O2: withStub(theirs.O2, ceiling) }
