/**
 * One lint for policies and for profiles of every dialect: what is in the text, what its rules do to each
 * other, what they let through, and what they break. Wherever it can, by what the rules mean.
 */
import { lint as lintEffect } from '../analysis/lint'
import { ProfileError, type ProfileFinding } from '../errors'
import { checkDangers } from './checks/dangers'
import { checkWidths } from './checks/arguments'
import type { Context } from './checks/context'
import { checkDefault, checkTrace } from './checks/defaults'
import { checkFallbacks, checkIoUring, checkSocketcall, checkTwins, checkX32 } from './checks/holes'
import { checkLocalhost } from './checks/localhost'
import { checkNames } from './checks/names'
import { checkNodeNeeds, checkRuntimeNeeds } from './checks/needs'
import { LintFindings, placeOf, type LintFinding } from './findings'
import { Reach } from './reach'
import { isLintRule, type LintRule, type LintSeverity } from './rules'
import {
  subjectOf,
  withoutPlace,
  type ReviewOptions,
  type ReviewSubject,
  type Subject,
} from './subject'

/**
 * What in a policy or a profile is wrong, does nothing, breaks what is to run under it, or lets through
 * what it seems to refuse. In the order of the text.
 *
 * @throws ProfileError ERR_PROFILE_SYNTAX, ERR_PROFILE_LIMIT, ERR_PROFILE_DIALECT for a text that cannot
 * be read; PolicyError for a mistake in a policy that is no text, or in the options; AnalysisError
 * ERR_UNDECIDED
 */
export function lint(input: ReviewSubject, options?: ReviewOptions): LintFinding[] {
  const findings = new LintFindings()
  const subject = readSubject(input, options, findings)
  if (subject === undefined) return findings.list()
  reportReading(subject, findings)
  const { profile, arch, enforced, strict } = subject
  if (profile !== undefined) checkNames(profile, arch, findings)
  if (strict !== undefined) {
    for (const { rule, path, message } of lintEffect(strict.policy, { arch })) {
      findings.report(rule, placeOf(strict, path), { message, fix: EFFECT_FIX[rule] })
    }
  }
  if (enforced !== undefined) {
    const context = { subject, enforced, reach: new Reach(enforced.rules), findings }
    for (const check of CHECKS) check(context)
  }
  return findings.list()
}

const CHECKS: readonly ((context: Context) => void)[] = [
  ...[checkDefault, checkTrace, checkWidths, checkTwins, checkIoUring, checkSocketcall, checkX32],
  ...[checkFallbacks, checkRuntimeNeeds, checkNodeNeeds, checkLocalhost, checkDangers],
]

/** A policy of ours that would be refused is a finding as well, where it stands in a text. */
function readSubject(
  input: ReviewSubject,
  options: ReviewOptions | undefined,
  findings: LintFindings,
): Subject | undefined {
  try {
    return subjectOf(input, options)
  } catch (cause) {
    if (!(cause instanceof ProfileError) || cause.code !== 'ERR_PROFILE_INVALID') throw cause
    findings.report('invalid-policy', cause, { message: withoutPlace(cause.message) })
    return undefined
  }
}

const SEVERITY: Readonly<Record<ProfileFinding['severity'], LintSeverity>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
}

/** Said again, and where it stands, by a check of its own. */
const CHECKED_HERE: ReadonlySet<string> = new Set(['unknown-syscall'])

function reportReading({ profile, findings: found }: Subject, findings: LintFindings): void {
  const oldNames = found.filter(({ code }) => code === 'old-name')
  for (const finding of found) {
    const rule = ruleOf(finding)
    if (rule === undefined || CHECKED_HERE.has(rule)) continue
    // Who writes one entry so writes all of them so.
    if (rule === 'old-name' && finding !== oldNames[0]) continue
    const { path, line, column, message, severity } = finding
    // That of the default is worse, and has a rule of its own.
    if (rule === 'kill-thread' && path === profile?.place.path) continue
    const fix = READING_FIX[rule] ?? suggestionIn(message)
    findings.report(rule, { path, line, column }, { message, fix, severity: SEVERITY[severity] })
  }
}

/** The rule a finding of reading or resolving comes under; undefined where it tells how it was read. */
export function ruleOf({ code, path, severity }: ProfileFinding): LintRule | undefined {
  if (severity === 'info' && TOLD.has(code)) return undefined
  if (code === 'number-range' && /(?:errnoRet|ErrnoRet)$/.test(path)) return 'errno-range'
  return isLintRule(code) ? code : undefined
}

/** Of severity `info`, how something was read, where others with the code are mistakes. */
const TOLD: ReadonlySet<string> = new Set(['comment', 'yaml', 'missing-key'])

const suggestionIn = (message: string): string | undefined => {
  const [, meant] = /did you mean '([^']+)'\?/.exec(message) ?? []
  return meant === undefined ? undefined : `Write '${meant}'.`
}

const EFFECT_FIX = {
  'shadowed-rule': 'Put it before those rules, or take it out.',
  'impossible-rule': 'Take the rule out, or correct its conditions.',
  'widened-rule': 'Take out whichever of the two is not meant.',
  'redundant-rule': 'Take the rule out.',
  'constant-condition': 'Take the condition out, or correct it.',
  'implied-condition': 'Take the condition out.',
  'redundant-syscall': 'Take it out.',
} as const

const READING_FIX: Readonly<Partial<Record<LintRule, string>>> = {
  'byte-order-mark': 'Save the file without it.',
  comment: "Take it out, or put it into a 'comment' of the entry where the dialect has that.",
  yaml: 'Write it as JSON.',
  'duplicate-key': 'Take one of them out.',
  'ignored-key': 'Take it out, or convert the profile for who reads it (convert).',
  'errno-range': 'Write an errno from 0 to 4094.',
  'unused-value': "Take 'valueTwo' out.",
  'mask-bits': "Write a 'valueTwo' within the mask.",
  'argument-count': 'Write several entries.',
  'repeated-argument':
    'Write an entry for each where either is enough; values one by one, or a mask, where both must hold.',
  'errno-unused': 'Take the errno out, or make the action SCMP_ACT_ERRNO.',
  'errno-zero': 'Write the errno that is meant: 1 is EPERM, 38 ENOSYS.',
  'errno-dropped': 'Write the errno that is meant.',
  'empty-name': 'Take it out.',
  'no-names': 'Take the entry out, or name a call.',
  'old-name': "Write 'names' with a list.",
  'name-and-names': "Keep 'names'.",
  'duplicate-name': 'Take one of them out.',
  'architectures-and-archmap': 'Keep one of them.',
  'native-architecture': 'Name the architecture.',
  'native-not-listed': 'List it.',
  'listener-metadata': "Give a 'listenerPath', or take it out.",
  'notify-without-listener': "Give a 'listenerPath', or another action.",
  'same-as-default': 'Take the entry out, or correct its action.',
  'redundant-rule': 'Take the entry out.',
  'never-holds': 'Take the entry out, or correct its conditions.',
  conflict: 'Make the conditions exclude each other, or take one of the entries out.',
  'kill-thread': 'Write SCMP_ACT_KILL_PROCESS.',
  'no-filter': "Give a 'defaultAction'.",
  'base-profile': 'Lint the profile it adds to as well.',
}
