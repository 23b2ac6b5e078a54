/** For the tests of lib/profiles: profiles in a few words, and what they answer. */
import { simulate } from '../../lib/analysis'
import { ProfileError } from '../../lib/errors'
import type { Policy } from '../../lib/policy'
import { readProfile, resolveProfile, type ProfileTarget } from '../../lib/profiles'
import type { Arch, SyscallName } from '../../lib/syscalls'

/** An entry that allows, with conditions as they stand in JSON. */
export const allowed = (names: unknown, args: unknown = null, more: object = {}): object => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  args,
  ...more,
})

export const denied = (names: unknown, errnoRet = 1, args: unknown = null): object => ({
  names,
  action: 'SCMP_ACT_ERRNO',
  errnoRet,
  args,
})

export const arg = (index: unknown, op: string, value: unknown, valueTwo?: unknown): object => ({
  index,
  value,
  ...(valueTwo === undefined ? {} : { valueTwo }),
  op: `SCMP_CMP_${op}`,
})

/** A profile that answers EPERM to what no entry allows. */
export const profileOf = (syscalls: unknown, more: object = {}): string =>
  JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls, ...more }, null, 1)

export const X86: ProfileTarget = { arch: 'x86_64', kernel: '6.1' }

/** What a policy does with a call: `'allow'`, `'EPERM'`, `'kill'`. */
export function answer(
  policy: Policy,
  syscall: SyscallName | number,
  args: readonly (number | bigint)[] = [],
  arch: Arch = 'x86_64',
): string | number {
  const verdict = simulate(policy, { syscall, args }, { arch, pid: 1 })
  return verdict.errno ?? verdict.action
}

/** Read and resolved; the codes of all findings with it. */
export function resolved(
  text: string,
  target: ProfileTarget = X86,
): { policy: Policy; codes: string[]; ask: (name: SyscallName, ...args: number[]) => unknown } {
  const { profile, findings } = readProfile(text)
  const { policy, findings: more } = resolveProfile(profile, target)
  return {
    policy,
    codes: [...findings, ...more].map(({ code }) => code),
    ask: (name, ...args) => answer(policy, name, args, target.arch),
  }
}

/** The error that reading or resolving ends with. */
export function failure(action: () => unknown): ProfileError {
  try {
    action()
  } catch (error) {
    if (error instanceof ProfileError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
