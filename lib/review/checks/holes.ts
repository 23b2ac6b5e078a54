/** What the policy refuses in one way and lets through in another. */
import { IO_URING_CALLS, TWINS, type Twins } from '../../knowledge/twins'
import { placeIn } from '../../profiles/read'
import type { Profile, ProfileEntry } from '../../profiles/types'
import { NATIVE_ARCHITECTURE } from '../../profiles/vocabulary'
import type { ProfilePlace } from '../../errors'
import type { SyscallName } from '../../syscalls'
import { listOf, placeOf } from '../findings'
import type { LintRule } from '../rules'
import { answerTo, placeOfCall, plainCall, refusalOf, type Context } from './context'

/** Those with arguments behind a pointer: what is refused of the other cannot be refused of them. */
const OWN_RULE: ReadonlyMap<SyscallName, LintRule> = new Map([
  ['clone3', 'clone3-open'],
  ['openat2', 'openat2-open'],
])

export function checkTwins(context: Context): void {
  const reported = new Set<string>()
  for (const group of TWINS) {
    for (const open of group.syscalls) {
      const refused = refusedTwins(context, group, open)
      const [first] = refused
      if (first === undefined || reported.has(open)) continue
      reported.add(open)
      const own = OWN_RULE.get(open)
      const witness = context.reach.witness(open) ?? plainCall(context, open)
      const partly = context.reach.extent(first) === 'sometimes'
      context.findings.report(own ?? 'equivalent-open', placeOfCall(context, witness), {
        message: `${open} is allowed, and ${partly ? 'parts of ' : ''}${listOf(refused)} ${refused.length > 1 || partly ? 'are' : 'is'} not: to ${group.does}, either will do`,
        fix:
          own === undefined
            ? `Refuse ${open} as well, or allow ${listOf(refused)}.`
            : `Have ${open} answer ENOSYS: its arguments lie behind a pointer, which no filter sees, and libc falls back to ${listOf(refused)}.`,
        call: witness,
        syscalls: [open, ...refused],
      })
    }
  }
}

/** Of a group, the calls that are refused so that this open one makes it pointless. */
function refusedTwins(context: Context, group: Twins, open: SyscallName): SyscallName[] {
  const { reach } = context
  const extent = reach.extent(open)
  if (extent === 'never') return []
  const others = group.syscalls.filter((name) => name !== open && reach.info(name) !== undefined)
  const common = others.filter((name) => !group.uncommon.includes(name))
  const hidden = OWN_RULE.has(open)
  // Open, while all that programs use is not.
  const odd = group.uncommon.includes(open) && common.length > 0
  if (odd && common.every((name) => reach.extent(name) === 'never')) return common
  // Refusing what is new or more than the others, and not those, is no mistake.
  return common.filter((name) => {
    const other = reach.extent(name)
    if (other === 'always' || OWN_RULE.has(name)) return false
    const meant = refusalOf(context, name) !== undefined
    if (other === 'never') return meant || (hidden && name === 'clone')
    // By its arguments: only where it is a matter of the same arguments, and nothing asks for them here.
    return group.alike && (meant || hidden) && extent === 'always'
  })
}

export function checkIoUring(context: Context): void {
  const { reach, findings } = context
  const setup = reach.extent('io_uring_setup') !== 'never'
  const enter = reach.extent('io_uring_enter') !== 'never'
  if (!enter) return
  const refused = IO_URING_CALLS.filter(
    (name) => reach.info(name) !== undefined && reach.extent(name) !== 'always',
  )
  if (refused.length === 0) return
  const open = setup ? 'io_uring_setup' : 'io_uring_enter'
  const witness = reach.witness(open) ?? plainCall(context, open)
  findings.report('io-uring-open', placeOfCall(context, witness), {
    severity: setup ? 'warning' : 'note',
    message: setup
      ? `a ring of io_uring does ${listOf(refused)} out of the filter's sight, and here they are refused or restricted`
      : `rings that are open already do ${listOf(refused)} out of the filter's sight (new ones cannot be made)`,
    fix: 'Have io_uring_setup, io_uring_enter and io_uring_register answer ENOSYS; for Node 22 and later see docs/io-uring.md.',
    call: witness,
    syscalls: refused,
  })
}

/** socket(2) by its arguments, and the multiplexer of 32-bit x86 that has them behind a pointer. */
export function checkSocketcall(context: Context): void {
  const { subject, reach, findings } = context
  const { profile, arch } = subject
  if (profile === undefined || arch !== 'x86_64' || !lists(context, profile, 'SCMP_ARCH_X86'))
    return
  if (reach.extent('socket') !== 'sometimes') return
  const where = allowing(context, profile, 'socketcall')
  if (where === undefined) return
  findings.report('socketcall-open', where, {
    message:
      'socket is restricted by its arguments, and 32-bit code (int 0x80) makes any socket with socketcall, whose arguments lie behind a pointer',
    fix: 'Take SCMP_ARCH_X86 from the architectures, or refuse socketcall with ENOSYS: libc uses socket where it has it (Linux 4.3).',
  })
}

export function checkX32(context: Context): void {
  const { subject, findings } = context
  const { profile, arch } = subject
  if (profile === undefined || arch !== 'x86_64' || !lists(context, profile, 'SCMP_ARCH_X32'))
    return
  findings.report('x32-listed', architecturePlace(profile, 'SCMP_ARCH_X32'), {
    message:
      'SCMP_ARCH_X32 opens a second set of numbers for every call that is allowed; hardly any program is built for it, and it had bugs of its own (CVE-2014-0038)',
    fix: 'Take SCMP_ARCH_X32 out: x32 calls then end the program.',
  })
}

/** Whether its filter is for that architecture too, for whoever enforces it. */
function lists({ subject }: Context, profile: Profile, name: string): boolean {
  const { architectures = [], archMap = [] } = profile
  if (architectures.includes(name)) return true
  // Who reads plain OCI passes over archMap.
  if (
    subject.runtime === 'containerd' ||
    subject.runtime === 'runc' ||
    subject.runtime === 'crun'
  ) {
    return false
  }
  const native = NATIVE_ARCHITECTURE[subject.arch]
  return archMap.some(
    ({ architecture, subArchitectures }) =>
      architecture === native && subArchitectures.includes(name),
  )
}

function architecturePlace(profile: Profile, name: string): ProfilePlace {
  const { architectures = [], archMap = [], place } = profile
  const index = architectures.indexOf(name)
  const at = index < 0 ? undefined : placeIn(profile, `${place.path}.architectures[${index}]`)
  const mapped = archMap.find(({ subArchitectures }) => subArchitectures.includes(name))
  return at ?? mapped?.place ?? place
}

/** Where the profile lets that call run, which the native architecture does not have. */
function allowing(
  { subject, enforced }: Context,
  profile: Profile,
  name: string,
): ProfilePlace | string | undefined {
  const omitted = new Set(
    subject.findings.filter(({ code }) => code === 'not-applied').map(({ path }) => path),
  )
  const entries = profile.entries.filter(
    (entry) => entry.names.includes(name) && !omitted.has(entry.place.path),
  )
  const lets = (action: ProfileEntry['action'] | undefined): boolean =>
    action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG'
  const open = entries.find(({ action }) => lets(action))
  if (open !== undefined) {
    const index = open.names.indexOf(name)
    return placeIn(profile, `${open.place.path}.names[${index}]`) ?? open.place
  }
  return entries.length === 0 && lets(profile.defaultAction)
    ? placeOf(enforced, '$.default')
    : undefined
}

/** New calls for which libc tries the old one after ENOSYS alone, and the old one. */
const FALLBACKS: readonly (readonly [newer: SyscallName, older: SyscallName, since: string])[] = [
  ['clone3', 'clone', 'glibc 2.34 then starts no thread, and Node aborts'],
  [
    'faccessat2',
    'faccessat',
    'glibc 2.33 then says EPERM to faccessat(…, AT_EACCESS), as test(1) asks',
  ],
]

export function checkFallbacks(context: Context): void {
  const { reach, findings } = context
  for (const [newer, older, consequence] of FALLBACKS) {
    if (reach.info(newer) === undefined || reach.extent(older) === 'never') continue
    if (reach.extent(newer) !== 'never') continue
    const call = plainCall(context, newer)
    const answer = answerTo(context, call)
    if (answer === 'errno(ENOSYS)' || answer.startsWith('notify')) continue
    findings.report('no-fallback', placeOfCall(context, call), {
      ...(newer === 'clone3' ? {} : { severity: 'note' as const }),
      message: `${newer} gets ${answer}, and libc falls back to ${older} after ENOSYS alone: ${consequence}`,
      fix: `Have ${newer} answer ENOSYS (38).`,
      call,
    })
  }
}
