/** Everything there is to say of one call under one policy: what happens, why, and what it is about. */
import { parseCall, describeCall, type CallDescription, type CallReport } from '../analysis/call'
import { LEAF, type Diagram } from '../analysis/diagram'
import { evaluate, holds, type Decision } from '../analysis/evaluate'
import type { Call } from '../analysis/interpreter'
import { verdictsOf } from '../analysis/meaning'
import { callOf } from '../analysis/proof'
import { describeVerdict, runs, verdictOf, verdictText, type Verdict } from '../analysis/verdict'
import { ARCH_WORD, NUMBER_WORD, WORDS } from '../analysis/bpf'
import { bitAt, wordAt } from '../analysis/words'
import { CONTROLS, DANGERS, type Control, type Danger, type Effect } from '../knowledge/dangers'
import { nodeDenial, type NodeEffect } from '../knowledge/node-denials'
import { twinsOf } from '../knowledge/twins'
import { NODE_NEEDS } from '../recording/node-needs'
import { resolveProfile } from '../profiles/resolve'
import { parseTarget } from '../policy'
import { findSyscall, type SyscallName } from '../syscalls'
import { rulesInWords, type RuleInWords } from './conditions'
import { conditionsOfDanger } from './dangers'
import { placeOf } from './findings'
import { Reach, type Extent } from './reach'
import { subjectOf, type Enforced, type ReviewOptions, type ReviewSubject } from './subject'

/** Where in a policy or a profile, as far as it is one that was read from a text. */
export interface ExplainedPlace {
  readonly path: string
  readonly line?: number
  readonly column?: number
}

/** Another answer that the same system call gets with other arguments. */
export interface OtherAnswer {
  readonly verdict: Verdict
  /** A call that gets it. */
  readonly call: CallReport
  readonly place?: ExplainedPlace
  /** All of that in one line. */
  readonly text: string
}

export interface ExplainedTwins {
  /** What all of them do. */
  readonly does: string
  readonly calls: readonly { readonly syscall: SyscallName; readonly open: Extent }[]
}

export interface ExplainedControl {
  readonly control: Control
  readonly effect: Effect
  readonly how?: string
}

export interface ExplainedDanger {
  readonly id: string
  readonly gain: Danger['gain']
  readonly title: string
  /** What an attacker does with it: `loads a module of its own: …` */
  readonly attack: string
  /** Any one of these is needed; none: whoever runs may do it. */
  readonly capabilities: readonly string[]
  readonly needs: string
  /** Whether some call of this name that it is about runs under the policy, and one that does. */
  readonly open: boolean
  readonly call?: CallReport
  /** Every other control, and whether it stops this. */
  readonly controls: readonly ExplainedControl[]
  readonly references: readonly string[]
}

/** What Node does when the call is refused after it has started: what was measured, and nothing else. */
export interface ExplainedNode {
  readonly effect: NodeEffect
  readonly how: string
  /** Whether it is refused here; else what it would be, with EPERM. */
  readonly refused: boolean
}

export interface Explanation {
  readonly call: CallReport
  readonly verdict: Verdict
  /** Whether the call is made. */
  readonly runs: boolean
  /** What decided. `number`: what the policy says of numbers that it does not name. */
  readonly by: Decision['by']
  readonly place?: ExplainedPlace
  /** The rules of this system call in the order in which they are tried, and what holds after them. */
  readonly rules: readonly RuleInWords[]
  readonly otherwise: readonly OtherAnswer[]
  readonly twins: readonly ExplainedTwins[]
  /** A call that runs although the kernel takes it for one that is refused. */
  readonly bypass?: { readonly allowed: CallReport; readonly refused: CallReport }
  readonly node?: ExplainedNode
  /** What Node needs the call for. */
  readonly needed: readonly string[]
  /** Those that this call is an instance of; of a name alone, all that are about it. */
  readonly dangers: readonly ExplainedDanger[]
}

/**
 * What happens to a call, which rule decides and where it stands, what decides otherwise, which other
 * calls do the same, what Node does without it; and of a dangerous call what an attacker does with it,
 * what that takes, and which other control would stop it.
 *
 * A profile is read strictly, or with `runtime` as that runtime would enforce it.
 *
 * @param call the name of a system call, or a call with arguments: by the kernel's names for them, those
 * of the manual pages, or in order
 * @throws ProfileError where a profile cannot be read or resolved; PolicyError for a mistake in the
 * policy, the call or the options
 */
export function explain(
  input: ReviewSubject,
  call: CallDescription | SyscallName,
  options?: ReviewOptions,
): Explanation {
  const enforced = enforcedOf(input, options)
  const description = typeof call === 'string' ? { syscall: call } : call
  const { pid } = options ?? {}
  const { arch } = enforced.rules
  const parsed = parseCall(
    description,
    parseTarget({ arch, ...(pid === undefined ? {} : { pid }) }),
  )
  const reach = new Reach(enforced.rules)
  const decision = evaluate([enforced.rules], parsed)
  const verdict = verdictOf(decision.action)
  const report = describeCall(parsed)
  const name = parsed.arch === enforced.rules.auditArch ? report.syscall : undefined
  const place = placeOfDecision(enforced, decision)
  const given = description.args !== undefined && Object.keys(description.args).length > 0
  const bypass = name === undefined ? undefined : bypassOf(reach, name, parsed, given)
  const node = name === undefined ? undefined : nodeWithout(name, verdict)
  return {
    call: report,
    verdict: describeVerdict(verdict),
    runs: runs(verdict),
    by: decision.by,
    ...(place === undefined ? {} : { place }),
    rules: name === undefined ? [] : rulesInWords(enforced, name),
    otherwise: name === undefined ? [] : otherAnswers(reach, enforced, name, verdict),
    twins: name === undefined ? [] : twins(reach, name),
    ...(bypass === undefined
      ? {}
      : {
          bypass: { allowed: describeCall(bypass.allowed), refused: describeCall(bypass.refused) },
        }),
    ...(node === undefined ? {} : { node }),
    needed: NODE_NEEDS.filter(({ syscalls }) => name !== undefined && syscalls.includes(name)).map(
      ({ for: purpose, why }) => `${purpose}: ${why}`,
    ),
    dangers: name === undefined ? [] : dangersOf(reach, name, given ? parsed : undefined),
  }
}

/** Of this call, where it was given arguments; of any of its name otherwise. */
function bypassOf(
  reach: Reach,
  name: SyscallName,
  call: Call,
  given: boolean,
): ReturnType<Reach['bypass']> {
  if (!given) return reach.bypass(name)
  if (runs(verdictOf(evaluate([reach.rules], call).action))) return undefined
  const allowed = reach.alike(name, call)
  return allowed && { allowed, refused: call }
}

/** @throws ProfileError where the profile has no single meaning */
function enforcedOf(input: ReviewSubject, options: ReviewOptions | undefined): Enforced {
  const subject = subjectOf(input, options)
  const { profile, runtimeNamed, target } = subject
  const enforced = runtimeNamed
    ? subject.runtime === undefined
      ? undefined
      : subject.enforced
    : subject.strict
  if (enforced !== undefined) return enforced
  // What is wrong, with all that is said of it.
  if (profile !== undefined) resolveProfile(profile, target)
  throw new RangeError('a profile is resolved once and not another time')
}

function placeOfDecision(enforced: Enforced, { by, rule }: Decision): ExplainedPlace | undefined {
  const path = by === 'default' ? '$.default' : rule?.path
  if (path === undefined || path === '') return undefined
  const place = placeOf(enforced, path)
  return typeof place === 'string' ? { path: place } : place
}

/** Every other verdict that a call of that name gets, each with one such call. */
function otherAnswers(
  { diagrams }: Reach,
  enforced: Enforced,
  name: SyscallName,
  verdict: number,
): OtherAnswer[] {
  const { rules } = enforced
  const named = rules.syscalls.find((syscall) => syscall.name === name)
  const number = findSyscall(name, rules.arch)?.number ?? 0
  if (named === undefined) return []
  const fallback = diagrams.leaf(verdictOf(rules.defaultAction))
  const found = new Map<number, Call>()
  const seen = new Set<Diagram>()
  const words = new Uint32Array(WORDS)
  words[ARCH_WORD] = rules.auditArch
  words[NUMBER_WORD] = number
  const visit = (at: Diagram): void => {
    const level = diagrams.level(at)
    if (level === LEAF) {
      if (!found.has(diagrams.wordOf(at))) found.set(diagrams.wordOf(at), callOf(words))
      return
    }
    if (seen.has(at)) return
    seen.add(at)
    const word = wordAt(level)
    const bit = 1 << bitAt(level)
    visit(diagrams.low(at, level))
    words[word] = (words[word] ?? 0) | bit
    visit(diagrams.high(at, level))
    words[word] = (words[word] ?? 0) & ~bit
  }
  visit(verdictsOf(diagrams, named.rules, fallback))
  return [...found]
    .filter(([other]) => other !== verdict)
    .map(([other, witness]) => {
      const place = placeOfDecision(enforced, evaluate([rules], witness))
      const call = describeCall(witness)
      return {
        verdict: describeVerdict(other),
        call,
        ...(place === undefined ? {} : { place }),
        text: `${call.text}: ${verdictText(other)}`,
      }
    })
}

const twins = (reach: Reach, name: SyscallName): ExplainedTwins[] =>
  twinsOf(name).flatMap(({ does, syscalls }) => {
    const calls = syscalls
      .filter((each) => each !== name && reach.info(each) !== undefined)
      .map((syscall) => ({ syscall, open: reach.extent(syscall) }))
    return calls.length === 0 ? [] : [{ does, calls }]
  })

function nodeWithout(name: SyscallName, verdict: number): ExplainedNode | undefined {
  const refused = !runs(verdict)
  const { action, errno } = describeVerdict(verdict)
  if (action === 'kill') {
    return { effect: 'aborts', how: 'SIGSYS ends the process: exit code 159', refused }
  }
  if (action === 'killThread') {
    const how = 'one thread is gone, and what it was to do never settles'
    return { effect: 'hangs', how, refused }
  }
  if (refused && action !== 'errno') return undefined
  const denial = nodeDenial(name, refused ? errno : 'EPERM')
  return denial === undefined ? undefined : { effect: denial.effect, how: denial.how, refused }
}

/** With a call, those that it is an instance of; else all of its name. */
function dangersOf(reach: Reach, name: SyscallName, call: Call | undefined): ExplainedDanger[] {
  const isInstance = (danger: Danger): boolean =>
    call === undefined ||
    conditionsOfDanger(reach, danger, name).some((all) => all.every((each) => holds(each, call)))
  return DANGERS.filter((danger) => danger.calls[name] !== undefined && isInstance(danger)).map(
    (danger) => {
      const { id, gain, title, attack, capabilities, needs, references } = danger
      const witness = conditionsOfDanger(reach, danger, name)
        .map((conditions) => reach.witness(name, conditions))
        .find((each) => each !== undefined)
      return {
        id,
        gain,
        title,
        attack,
        capabilities,
        needs,
        open: witness !== undefined,
        ...(witness === undefined ? {} : { call: describeCall(witness) }),
        controls: CONTROLS.map((control) => controlOf(danger, control)),
        references,
      }
    },
  )
}

/** `'partly: how'` in two. */
function controlOf({ controls }: Danger, control: Control): ExplainedControl {
  const [effect, how] = controls[control].split(/: (.*)/s) as [Effect, string | undefined]
  return { control, effect, ...(how === undefined ? {} : { how }) }
}
