/**
 * Functions whose code is loaded when one of them is first called (on-demand.ts). A service that
 * locks itself down with a ready policy never needs it, and reading it would be most of what
 * importing this package costs.
 */
import { loadPart } from './late'
import type Logs = require('./logs')
import type Manifests = require('./manifests')
import type OnDemand = require('./on-demand')
import type Tooling = require('./tooling')

/** Functions of a file that is loaded with the first call of one of them. */
function lateFrom<File extends object>(
  load: () => unknown,
): <Name extends keyof File>(name: Name) => File[Name] {
  let loaded: File | undefined
  return (name) => {
    const call = (...args: unknown[]): unknown => {
      loaded ??= loadPart(load) as File
      const implementation = loaded[name] as (...args: unknown[]) => unknown
      return implementation(...args)
    }
    return call as File[typeof name]
  }
}

/** What of a lockdown only some need. */
const deferred = lateFrom<typeof OnDemand>(() => require('./on-demand'))

/** What works on profiles, and packages with it. */
const ofTooling = lateFrom<typeof Tooling>(() => require('./tooling'))

/** What works on logs. */
const ofLogs = lateFrom<typeof Logs>(() => require('./logs'))

/** What works on manifests. */
const ofManifests = lateFrom<typeof Manifests>(() => require('./manifests'))

/**
 * The kernel's audit records as they are made, each as a line for `readLog`, until `signal` ends it. It
 * loses none that the kernel's log would leave out for their number, and says so where it does lose some.
 * Listening has begun when it returns. Linux 3.16, and CAP_AUDIT_READ in the initial user namespace.
 *
 * @throws LockdownError ERR_AUDIT_UNAVAILABLE where the kernel refuses, or as the addon does off Linux
 */
export const auditLog = ofLogs('auditLog')

/** The policies that have a name, and what each is for. */
export const builtInPolicies = ofTooling('builtInPolicies')

/**
 * The built-in policy of that name, for a target as `resolveProfile` takes it.
 *
 * @throws PolicyError ERR_POLICY_NOT_FOUND
 */
export const builtInPolicy = ofTooling('builtInPolicy')

/**
 * Objects that bring a profile to every node of a cluster, named by its checksum: a ConfigMap and a DaemonSet, or
 * those of the security-profiles-operator (docs/kubernetes.md).
 *
 * @throws PolicyError, ProfileError as `convert` does; PolicyError ERR_OPTION
 */
export const bundleProfile = ofManifests('bundleProfile')

/**
 * The system calls that the kernel (since 5.11) allows without running the program: those of which it
 * sees when the filter is installed that no argument matters. Sorted by name.
 *
 * @throws AnalysisError ERR_INVALID_PROGRAM
 */
export const cachedSyscalls = deferred('cachedSyscalls')

/**
 * Which seccomp and AppArmor profile every container of Kubernetes manifests runs under, and what of them is
 * refused, has no effect, or is weaker than the Pod Security Standards and the CIS Kubernetes Benchmark ask for.
 *
 * @param text YAML of any number of documents, or JSON; bytes in UTF-8
 * @throws ManifestError ERR_MANIFEST_SYNTAX, ERR_MANIFEST_LIMIT, ERR_MANIFEST_OBJECT
 * @throws PolicyError for a mistake in the options
 */
export const checkManifests = ofManifests('checkManifests')

/**
 * What policy b changes against policy a, by what they mean: every call whose verdict differs, how,
 * and a call that shows it. `narrows` is exact: b lets nothing through that a refuses.
 *
 * @param target the architecture to compare them on, and the process id that `'SELF'` stands for;
 * those of this process by default
 * @throws PolicyError for a mistake in a policy
 * @throws AnalysisError ERR_UNDECIDED
 */
export const comparePolicies = deferred('comparePolicies')

/**
 * Compiles a policy to BPF. The same policy and target give the same bytes on every machine. `'SELF'`
 * (`webServer` has it) becomes the target's `pid`: by default this process's own, so that the program is
 * for no other process.
 *
 * @throws PolicyError for a mistake in the policy or the target, or ERR_PROGRAM_TOO_LARGE
 * @throws LockdownError where the addon cannot be loaded (off Linux)
 */
export const compile = deferred('compile')

/**
 * A policy, or a profile that was read, as another tool reads it: for runc, Docker, Podman, Kubernetes, the
 * security-profiles-operator, systemd, or as a program. What was written is read again before it is
 * returned: it means the same, or permits less where a loss says so.
 *
 * @throws PolicyError ERR_INEXPRESSIBLE where the target could only say it by permitting more
 * @throws PolicyError for a mistake in the policy or the options; ProfileError as `resolveProfile`
 */
export const convert = ofTooling('convert')

/**
 * Checks a policy and returns a frozen copy of it: what was checked is what will be enforced,
 * whatever happens to the original.
 *
 * Names, constants and values are checked for the architecture this runs on (for x86-64 where
 * seccomp-ts does not support it).
 *
 * @throws PolicyError with a `code`, and the `path` of the mistake in the policy
 */
export const definePolicy = deferred('definePolicy')

/**
 * Why a process under a filter may have died: from its exit code, what it printed and what the kernel
 * logged, what is certain first. Nothing is found where nothing is known, which is no proof that the
 * filter was not the reason.
 */
export const diagnose = ofLogs('diagnose')

/**
 * A program as text: an instruction a line, with labels for what is jumped to and names for system
 * calls, arguments and actions.
 *
 * @throws AnalysisError ERR_INVALID_PROGRAM for what the kernel would not take
 */
export const disassemble = deferred('disassemble')

/**
 * Executes another program in the place of this process, under a policy before its first instruction: the
 * process id, the standard streams and who waits for it stay as they are. Of Node nothing runs under the
 * policy, so that it needs to permit only what the program does, and execve(2). no_new_privs is set.
 * Descriptors beyond 2 are closed, as Node has marked them; signals have their defaults.
 *
 * `exit` handlers do not run, and what was written to a pipe and not yet taken is lost. Should execve(2)
 * itself fail after all was checked, the process ends with 126, or 127 where there is no such file.
 *
 * @throws PolicyError ERR_EXECVE_REFUSED, ERR_OPTION, and for a mistake in the policy
 * @throws LockdownError where the filter cannot be installed
 */
export const exec = deferred('exec')

/**
 * Everything there is to say of one call under a policy or a profile: what happens, which rule decides and
 * where it stands, what gets another answer, which other calls do the same, what Node does without it;
 * and of a dangerous call what an attacker does with it and which other control would stop it.
 *
 * @throws ProfileError where a profile cannot be read, or has no single meaning
 * @throws PolicyError for a mistake in the policy, the call or the options
 */
export const explain = ofTooling('explain')

/**
 * Fixes Kubernetes manifests in place: a seccomp profile where there is none, `allowPrivilegeEscalation: false`,
 * keys and types in the wrong case, and what else is named in `also`. Comments, order and formatting stay.
 *
 * @throws ManifestError, also ERR_MANIFEST_EDIT; PolicyError for a mistake in the options
 */
export const fixManifests = ofManifests('fixManifests')

/**
 * `child_process.fork`, whose child is under `policy` before the first line of its module: Node has
 * started by then, so the policy needs to permit what the module does, not how Node boots. Messages
 * work as usual.
 *
 * What NODE_OPTIONS in its environment preloads runs before.
 *
 * The child ends with exit code 1 and a message on stderr if its lockdown fails; none of its module
 * runs then. Arguments are those of child_process.fork.
 *
 * @throws PolicyError for a mistake in the policy or the options, before anything is started
 */
export const fork = deferred('fork')

/**
 * A container profile (OCI, Docker, Podman, SeccompProfile, systemd …) as a policy for a target, in one
 * step: `resolveProfile(readProfile(input).profile, target).policy`, without the findings.
 *
 * @param input the text of a profile, its bytes, or what JSON.parse made of it
 * @throws ProfileError, PolicyError as those two do
 */
export const fromOci = ofTooling('fromOci')

/** Whether `lockdown()` can be expected to work here. Never throws. */
export const isSupported = deferred('isSupported')

/**
 * What in a policy, or in a profile of any dialect, is wrong, does nothing, breaks what is to run under it,
 * or lets through what it seems to refuse: rules with stable ids (docs/lint.md), where it stands, and
 * what to write. By what the rules mean, for every value an argument can have.
 *
 * @param input a policy, a profile that was read, or the text or bytes of either
 * @throws ProfileError for a text that cannot be read
 * @throws PolicyError for a mistake in a policy that is no text, or in the options
 * @throws AnalysisError ERR_UNDECIDED
 */
export const lint = ofTooling('lint')

/**
 * Turns the annotations of Kubernetes manifests that name profiles of seccomp and AppArmor into fields, in place.
 *
 * @throws ManifestError, also ERR_MANIFEST_EDIT
 */
export const migrateManifests = ofManifests('migrateManifests')

/**
 * A policy that allows what a log shows, joined with what Node needs to go on, to end and to crash where
 * one of the programs is Node, and where each rule is from. A recording is a lower bound: what the
 * program did not do while it was observed is not in it, nor what was lost.
 *
 * @throws PolicyError for a mistake in the options
 */
export const policyFromLog = ofLogs('policyFromLog')

/** Asks the kernel what it can do. Works, and says so, off Linux too. Nothing is changed by asking. */
export const probe = deferred('probe')

/**
 * Whether a program does what a policy says, for every call there can be: every architecture, number
 * and argument. It reads the policy's rules and the program's bytes, whoever compiled them. What could
 * not be decided is an error, never a proof.
 *
 * @param target what the program was compiled for: the program's own architecture, and this process's
 * id for `'SELF'`, by default
 * @throws PolicyError for a mistake in the policy
 * @throws AnalysisError ERR_INVALID_PROGRAM, ERR_UNDECIDED
 */
export const prove = deferred('prove')

/**
 * Reads what the kernel or strace logged (dmesg, syslog, journalctl, audit.log, ausearch, strace): who made
 * which calls, what became of them, and what is known to be missing. A stream of any length takes constant
 * memory, and `onEvent` is told every event as it is read: so a log that still grows can be followed too.
 *
 * Rejects with
 * - LogError ERR_LOG_BINARY for what is no text, ERR_LOG_NO_RECORD where there is nothing to be read
 * - PolicyError ERR_OPTION
 */
export const readLog: typeof Logs.readLog = async (input, options) =>
  await ofLogs('readLog')(input, options)

/**
 * Reads a profile of any dialect: which is detected, or named. Strictly: what has no single meaning is a
 * finding of severity `error`, with its line and column; what cannot be read is an error.
 *
 * @throws ProfileError ERR_PROFILE_SYNTAX, ERR_PROFILE_LIMIT, ERR_PROFILE_DIALECT, ERR_PROFILE_INVALID
 * @throws PolicyError ERR_OPTION
 */
export const readProfile = ofTooling('readProfile')

/**
 * What a profile comes to for an architecture, capabilities and a kernel, as a policy: read strictly, or
 * with `runtime` as that runtime would enforce it.
 *
 * @throws ProfileError ERR_PROFILE_INVALID, ERR_PROFILE_REFUSED, ERR_PROFILE_UNDETERMINED, ERR_PROFILE_LIMIT
 * @throws PolicyError for a mistake in the target
 */
export const resolveProfile = ofTooling('resolveProfile')

/**
 * What a policy or a program does with a call: the action, and the rule that decides or how many
 * instructions ran.
 *
 * @throws PolicyError for a mistake in the policy or the call
 * @throws AnalysisError ERR_INVALID_PROGRAM
 */
export const simulate = deferred('simulate')

/** Who made which calls, from events that `onEvent` was told: for a part of a log, or for several. */
export const summarise = ofLogs('summarise')

/**
 * A policy, or a profile that was read, as plain OCI JSON: the text of `convert(source, { to: 'oci' })`,
 * without the losses.
 *
 * @throws PolicyError, ProfileError as `convert` does
 */
export const toOci = ofTooling('toOci')

/** Findings of `lint` as SARIF 2.1.0, which code scanning and editors show. */
export const toSarif = ofTooling('toSarif')

// Not for users: what lockdown() needs of it where the policy is not a ready one, or on failure.
export const compileAllowing = deferred('compileAllowing')
export const compileUnprepared = deferred('compileUnprepared')
export const installFailure = deferred('installFailure')
export const rulesOf = deferred('rulesOf')
