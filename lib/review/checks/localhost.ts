/** What a profile of Docker's or Podman's comes to as a Localhost profile of containerd. */
import { compareRules } from '../../analysis/compare'
import { ProfileError } from '../../errors'
import { parseTarget, rulesOf } from '../../policy'
import { resolveProfile } from '../../profiles/resolve'
import type { Profile } from '../../profiles/types'
import { listOf } from '../findings'
import type { Context } from './context'
import type { SyscallName } from '../../syscalls'

export function checkLocalhost({ subject, findings, reach }: Context): void {
  const { profile, target, arch, runtime, runtimeNamed } = subject
  if (profile === undefined) return
  const conditional = profile.entries.find(({ includes, excludes }) => includes ?? excludes)
  if (conditional === undefined) return
  const here = parseTarget({ arch })
  const asDocker = profile.dialect === 'containers-common' ? 'podman' : 'docker'
  const named = runtimeNamed && runtime === 'containerd'
  const meant = named ? rulesFor(profile, { ...target, runtime: asDocker }, here) : reach.rules
  const plain = named ? reach.rules : rulesFor(profile, { ...target, runtime: 'containerd' }, here)
  if (meant === undefined || plain === undefined) return
  const opened = compareRules(meant, plain).differences.filter(({ kind }) => kind === 'allows')
  const [first] = opened
  if (first === undefined) return
  const syscalls = [
    ...new Set(opened.flatMap(({ syscall }): SyscallName[] => (syscall ? [syscall] : []))),
  ]
  findings.report('docker-only-keys', conditional.place, {
    severity: named ? 'error' : 'note',
    message: `containerd passes over 'includes' and 'excludes', so as a Localhost profile of Kubernetes this allows ${listOf(syscalls)} too`,
    fix: 'Convert it for containerd (convert --to kubernetes), which leaves no condition in it.',
    call: first.witness,
    syscalls,
  })
}

function rulesFor(
  profile: Profile,
  target: Parameters<typeof resolveProfile>[1],
  here: ReturnType<typeof parseTarget>,
): ReturnType<typeof rulesOf> | undefined {
  try {
    return rulesOf(resolveProfile(profile, target).policy, here)
  } catch (cause) {
    if (cause instanceof ProfileError) return undefined
    throw cause
  }
}
