/** Names that are no calls, and calls that the architectures of the profile do not have. */
import { isCallElsewhere, kernelName, pseudoName } from '../../knowledge/names'
import { isKnownSomewhere } from '../../profiles/dialects/systemd'
import { placeIn } from '../../profiles/read'
import { quote } from '../../profiles/tree'
import type { Profile, ProfileEntry } from '../../profiles/types'
import { NATIVE_ARCHITECTURE } from '../../profiles/vocabulary'
import { findSyscall, isSyscallName, syscallNames, type Arch } from '../../syscalls'
import type { ProfilePlace } from '../../errors'
import { listOf, type LintFindings } from '../findings'

export function checkNames(profile: Profile, arch: Arch, findings: LintFindings): void {
  const arches = tablesOf(profile, arch)
  const elsewhere: { readonly name: string; readonly where: ProfilePlace }[] = []
  for (const entry of profile.entries) {
    entry.names.forEach((name, index) => {
      // The reader has said so.
      if (name === '') return
      const where =
        placeIn(profile, `${entry.place.path}.names[${index}]`) ??
        placeIn(profile, `${entry.place.path}.name`) ??
        entry.place
      if (isSyscallName(name) || isKnownSomewhere(name) || isCallElsewhere(name)) {
        if (arches?.some((each) => findSyscall(name, each)) === false) {
          elsewhere.push({ name, where })
        }
        return
      }
      reportUnknown(name, entry, where, arch, findings)
    })
  }
  const [first] = elsewhere
  if (first === undefined) return
  const on = (arches ?? []).map((each) => NATIVE_ARCHITECTURE[each]).join(' and ')
  const names = listOf([...new Set(elsewhere.map(({ name }) => name))])
  findings.report('not-on-architecture', first.where, {
    message: `${names}: no call of ${on}, so the name does nothing here`,
    fix: 'Leave it out, or list the architecture it is for.',
  })
}

function reportUnknown(
  name: string,
  { action }: ProfileEntry,
  where: ProfileEntry['place'],
  arch: Arch,
  findings: LintFindings,
): void {
  const pseudo = pseudoName(name)
  if (pseudo !== undefined) {
    findings.report('pseudo-syscall', where, {
      message: `${quote(name)} is ${pseudo}: runtimes pass over it`,
      fix: `Leave ${quote(name)} out.`,
    })
    return
  }
  const meant = kernelName(name) ?? findings.suggestions.for(name, syscallNames(arch))
  const lets = action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG'
  findings.report('unknown-syscall', where, {
    // A refusal that is passed over leaves open what was to be closed.
    severity: lets ? 'warning' : 'error',
    message: `there is no system call ${quote(name)}, and runtimes pass over it: ${
      lets ? 'nothing is allowed by it' : 'nothing is refused by it'
    }`,
    fix: meant === undefined ? `Leave ${quote(name)} out.` : `Write '${meant}'.`,
  })
}

/**
 * The architectures with a table that are listed; undefined where one is listed that has calls of which
 * there is none: 32-bit ones above all.
 */
function tablesOf(profile: Profile, arch: Arch): readonly Arch[] | undefined {
  const { architectures = [], archMap = [] } = profile
  const listed = [
    ...architectures,
    ...archMap.flatMap(({ architecture, subArchitectures }) => [architecture, ...subArchitectures]),
  ]
  const native = Object.keys(NATIVE_ARCHITECTURE) as Arch[]
  const found = new Set<Arch>([arch])
  for (const name of listed) {
    const table = native.find((each) => NATIVE_ARCHITECTURE[each] === name)
    if (table !== undefined) found.add(table)
    // x32 has the calls of x86-64; NATIVE is whichever.
    else if (name !== 'SCMP_ARCH_X32' && name !== 'SCMP_ARCH_NATIVE') return undefined
  }
  return [...found]
}
