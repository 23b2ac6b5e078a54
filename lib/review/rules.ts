/**
 * Every rule of lint: its id, which is stable; how severe a finding of it is; and what it is about, in a
 * sentence. docs/lint.md has the why and the fix of each.
 *
 * Many are what reading a profile finds (lib/profiles), and have the code they have there.
 */
import type { LintRule as EffectRule } from '../analysis/lint'

export type LintSeverity = 'error' | 'warning' | 'note'

interface RuleInfo {
  readonly severity: LintSeverity
  readonly about: string
}

const error = (about: string): RuleInfo => ({ severity: 'error', about })
const warning = (about: string): RuleInfo => ({ severity: 'warning', about })
const note = (about: string): RuleInfo => ({ severity: 'note', about })

/** What the rules of one call do to each other: lib/analysis/lint.ts. */
const EFFECT: Readonly<Record<EffectRule, RuleInfo>> = {
  'shadowed-rule': error('Earlier rules hold whenever this one does: it never decides.'),
  'impossible-rule': error('The conditions exclude each other: the rule never holds.'),
  'widened-rule': warning('A later rule does the same without conditions.'),
  'redundant-rule': warning('Without the rule, the policy means the same.'),
  'constant-condition': warning('The condition holds for every value.'),
  'implied-condition': note('The other conditions hold only where this one does.'),
  'redundant-syscall': note('The call gets the same without being named.'),
}

/** What is in the text: lib/profiles/reading.ts and the dialects. */
const TEXT = {
  'byte-order-mark': warning('The file begins with a byte order mark.'),
  comment: warning('A comment, where readers refuse one.'),
  yaml: warning('YAML, where JSON is read; or YAML that readers take differently.'),
  'other-document': warning('Another document in the file, which is not read.'),
  'duplicate-key': error('A key that is there twice: readers take different ones.'),
  'key-case': error('A key in other letters: some readers take it, others do not.'),
  'unknown-key': error('A key that nobody reads.'),
  'ignored-key': error('A key of another dialect, which has no effect here.'),
  'missing-key': error('A key that must be there.'),
  'wrong-type': error('A value of the wrong type.'),
  'number-range': error('A number outside what is possible.'),
  'errno-range': error('An errno outside 0 … 4094.'),
  'unused-value': warning('A value that the operator does not use.'),
  'mask-bits': warning('Bits of the value that the mask takes away.'),
  'argument-count': error('More than six conditions on a call.'),
  'repeated-argument': warning('Two conditions on one argument: for runtimes, either is enough.'),
  'unknown-action': error('There is no such action.'),
  'unknown-operator': error('There is no such operator.'),
  'unknown-architecture': error('There is no such architecture.'),
  'unknown-flag': error('There is no such flag.'),
  'unknown-errno': error('There is no such errno.'),
  'errno-conflict': error('An errno by name and another by number.'),
  'errno-unused': error('An errno for an action that carries none.'),
  'errno-zero': warning('Errno 0: the call looks as if it had succeeded.'),
  'errno-dropped': error('An errno 0 that the operator does not pass on.'),
  'unknown-capability': warning('There is no such capability, so nothing has it.'),
  'min-kernel': error('Not a kernel version.'),
  'empty-name': error('An empty name.'),
  'no-names': warning('An entry that names no call.'),
  'old-name': note('The old form, with one name an entry: only Docker and Podman read it.'),
  'name-and-names': error('The old and the new form in one entry.'),
  'duplicate-name': note('A name that is there twice.'),
  'architectures-and-archmap': error('Two lists of architectures.'),
  'native-architecture': warning('SCMP_ARCH_NATIVE, which runc and crun refuse.'),
  'native-not-listed': warning('The architecture it is for is not among those listed.'),
  'listener-metadata': error('Metadata for a listener, and no listener.'),
  'notify-without-listener': warning('SCMP_ACT_NOTIFY, and nobody who is notified.'),
  'base-profile': error('A profile that only adds to another, which is not in the file.'),
  disabled: error('A profile that is switched off.'),
  'unknown-group': error('There is no such group of calls.'),
  'nothing-removed': warning('Takes from the list what is not in it.'),
  reset: note('Takes back all that stands before it.'),
} as const satisfies Readonly<Record<string, RuleInfo>>

/** What it comes to for a target: lib/profiles/resolve.ts. */
const RESOLVED = {
  'same-as-default': warning('The same as the default: runtimes add no rule.'),
  'never-holds': warning('No value meets the conditions.'),
  conflict: error('Two entries say different things of the same calls.'),
  'kill-thread': warning('Ends one thread, and whoever waits for it hangs.'),
  'no-filter': warning('Without a default and entries, there is no filter.'),
  'too-many-rules': error('More rules than a program has room for.'),
  refused: error('The runtime would not start a container with it.'),
  undetermined: error('What the runtime would enforce cannot be told.'),
  'invalid-policy': error('A policy that definePolicy refuses.'),
} as const satisfies Readonly<Record<string, RuleInfo>>

/** What it lets through, and what it breaks: lib/review/checks. */
const MEANING = {
  'unknown-syscall': warning('There is no call of that name.'),
  'pseudo-syscall': warning("A tool's own word, and not a call's name."),
  'not-on-architecture': note('No call of the architectures that are listed.'),
  'kill-thread-default': error('SCMP_ACT_KILL as default: runc hangs.'),
  'default-allows': warning('What is not named is allowed.'),
  'default-logs': note('What is not named is logged, and runs.'),
  'trace-without-tracer': note('SCMP_ACT_TRACE: without a tracer, ENOSYS.'),
  'wide-comparison': warning('64 bits are compared of which the kernel reads 32.'),
  'clone3-open': warning('clone is restricted, and clone3 is not.'),
  'openat2-open': warning('open is restricted, and openat2 is not.'),
  'io-uring-open': warning('io_uring does what the filter refuses.'),
  'socketcall-open': warning('32-bit code reaches every socket through socketcall.'),
  'x32-listed': note('x32 is a second way into every call.'),
  'equivalent-open': warning('A call is refused, and another that does the same is not.'),
  'no-fallback': warning('Refused with an errno after which libc does not fall back.'),
  'runtime-needs': error('A call is refused that the runtime makes before the program starts.'),
  'runtime-needs-privileges': warning(
    'A call is refused that the runtime makes without no_new_privileges.',
  ),
  'node-needs': error('A call is refused without which Node crashes or hangs.'),
  'docker-only-keys': note('As Localhost of containerd, it allows more.'),
  'dangerous-call': note('A call is allowed that attackers have use for.'),
} as const satisfies Readonly<Record<string, RuleInfo>>

export const LINT_RULES = { ...EFFECT, ...TEXT, ...RESOLVED, ...MEANING }

/** Stable, machine-readable: what a finding is about. docs/lint.md has them all. */
export type LintRule = keyof typeof LINT_RULES

export const isLintRule = (code: string): code is LintRule => Object.hasOwn(LINT_RULES, code)
