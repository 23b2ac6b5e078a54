/**
 * What runc and crun tell libseccomp of a profile, and what Docker, Podman, CRI-O and containerd make of it
 * before: the differential test's own account, from their sources, which shares nothing with lib/profiles.
 * For x86-64 alone.
 *
 * runc: libcontainer/specconv/spec_linux.go SetupSeccomp, libcontainer/seccomp/seccomp_linux.go,
 * patchbpf/enosys_linux.go. crun: src/libcrun/seccomp.c. moby/profiles: seccomp/seccomp_linux.go;
 * containers/common: pkg/seccomp/seccomp_linux.go; containerd: contrib/seccomp/seccomp.go.
 */
import {
  ACTIONS as KNOWN_ACTIONS,
  OPERATORS,
  RETURN_VALUES,
  type ProfileCondition,
  type ProfileRule,
  type ProfileRules,
} from '../../bench/profile'

export type RuntimeName = 'docker' | 'podman' | 'cri-o' | 'containerd' | 'runc' | 'crun'
export const RUNTIME_NAMES: readonly RuntimeName[] = [
  ...(['docker', 'podman', 'cri-o', 'containerd', 'runc', 'crun'] as const),
]

/** The calls to libseccomp, in their order; or that there is no container, or no filter. */
export type Translation =
  | { readonly outcome: 'rules'; readonly list: ProfileRules }
  | { readonly outcome: 'refused'; readonly why: string }
  | { readonly outcome: 'no filter' }

export interface Where {
  readonly caps: readonly string[]
  /** major, minor */
  readonly kernel: readonly [number, number]
  /** The number of a call, undefined where x86-64 has none of that name. */
  readonly numberOf: (name: string) => number | undefined
}

class Refusal extends Error {}

interface Filter {
  readonly caps?: readonly string[] | null
  readonly arches?: readonly string[] | null
  readonly minKernel?: string
}

interface Arg {
  readonly index?: number
  readonly value?: bigint
  readonly valueTwo?: bigint
  readonly op?: string
}

interface Entry {
  readonly name?: string | null
  readonly names?: readonly string[] | null
  readonly action?: string
  readonly errnoRet?: number | null | undefined
  readonly errno?: string | null
  readonly args?: readonly Arg[] | null
  readonly includes?: Filter | null
  readonly excludes?: Filter | null
}

interface Seccomp {
  readonly defaultAction?: string
  readonly defaultErrnoRet?: number | null | undefined
  readonly defaultErrno?: string | null
  readonly architectures?: readonly string[] | null
  readonly archMap?:
    readonly { architecture: string; subArchitectures?: readonly string[] }[] | null
  readonly flags?: readonly string[] | null
  readonly listenerPath?: string
  readonly syscalls?: readonly Entry[] | null
}

/** JSON with the values of arguments as bigints, which JSON.parse would round. */
export function parseProfile(text: string): Seccomp {
  const exact = text.replace(/("value(?:Two)?"\s*:\s*)(\d+)/g, '$1"$2"')
  const parsed = JSON.parse(exact, (key, value: unknown) =>
    (key === 'value' || key === 'valueTwo') && typeof value === 'string' ? BigInt(value) : value,
  ) as Seccomp & { readonly linux?: { readonly seccomp?: Seccomp } }
  return parsed.linux?.seccomp ?? parsed
}

export function translate(profile: Seccomp, runtime: RuntimeName, where: Where): Translation {
  try {
    switch (runtime) {
      case 'docker':
        return runc(ofMoby(profile, where, true), where)
      case 'podman':
      case 'cri-o':
        return crun(ofContainers(profile, where), where)
      case 'containerd':
      case 'runc':
        return runc(profile, where)
      case 'crun':
        return crun(profile, where)
    }
  } catch (error) {
    if (error instanceof Refusal) return { outcome: 'refused', why: error.message }
    throw error
  }
}

function refuse(why: string): never {
  throw new Refusal(why)
}

/** Conditions resolved, `name` made `names`, the architectures those of the native entry. */
function ofMoby(profile: Seccomp, where: Where, minKernel: boolean): Seccomp {
  const { architectures, archMap, syscalls } = profile
  if ((architectures ?? []).length > 0 && (archMap ?? []).length > 0) {
    refuse("both 'architectures' and 'archMap'")
  }
  const native = archMap?.find(({ architecture }) => architecture === 'SCMP_ARCH_X86_64')
  return {
    ...profile,
    architectures:
      native === undefined
        ? (architectures ?? [])
        : [native.architecture, ...(native.subArchitectures ?? [])],
    syscalls: (syscalls ?? []).flatMap((entry): Entry[] => {
      const { name, names } = entry
      if ((name ?? '') !== '' && (names ?? []).length > 0) refuse("both 'name' and 'names'")
      if (!holds(entry, where, minKernel)) return []
      return [{ ...entry, names: (name ?? '') === '' ? (names ?? []) : [name ?? ''] }]
    }),
  }
}

function holds(
  { includes, excludes }: Entry,
  { caps, kernel }: Where,
  minKernel: boolean,
): boolean {
  const reaches = (version: string): boolean => {
    const [major = 0, minor = 0] = version.split('.').map(Number)
    return kernel[0] > major || (kernel[0] === major && kernel[1] >= minor)
  }
  const unless = excludes ?? {}
  if (unless.arches?.includes('amd64') === true) return false
  if (unless.caps?.some((cap) => caps.includes(cap)) === true) return false
  if (minKernel && unless.minKernel !== undefined && reaches(unless.minKernel)) return false
  const only = includes ?? {}
  if ((only.arches ?? []).length > 0 && only.arches?.includes('amd64') !== true) return false
  if (only.caps?.some((cap) => !caps.includes(cap)) === true) return false
  return !(minKernel && only.minKernel !== undefined && !reaches(only.minKernel))
}

/** The names that the tests and the corpus have. asm-generic/errno-base.h, errno.h */
const ERRNOS: Readonly<Record<string, number>> = {
  ...{ EPERM: 1, ENOENT: 2, EACCES: 13, EINVAL: 22, ENOTTY: 25, ENOSYS: 38 },
}

function errnoOf(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : ERRNOS[text]
  return number ?? refuse(`errno ${text}`)
}

function ofContainers(profile: Seccomp, where: Where): Seccomp {
  const { syscalls, defaultErrno, defaultErrnoRet, ...rest } = ofMoby(profile, where, false)
  return {
    ...rest,
    defaultErrnoRet: (defaultErrno ?? '') === '' ? defaultErrnoRet : errnoOf(defaultErrno ?? ''),
    syscalls: (syscalls ?? []).map(({ errno, errnoRet, ...entry }) => ({
      ...entry,
      errnoRet: (errno ?? '') === '' ? errnoRet : errnoOf(errno ?? ''),
    })),
  }
}

/** The bench has no use for NOTIFY, which waits for somebody to answer. */
const ACTIONS: Readonly<Record<string, number>> = {
  ...KNOWN_ACTIONS,
  SCMP_ACT_NOTIFY: RETURN_VALUES.notify,
}

/** runc getAction: an errno only where it means something, and 16 bits of it. */
function actionOf(name: string | undefined, errnoRet: number | null | undefined): number {
  const action = ACTIONS[name ?? ''] ?? refuse(`action ${name}`)
  if (action !== RETURN_VALUES.errno && action !== RETURN_VALUES.trace) return action
  return action + ((errnoRet ?? 1) & 0xffff)
}

/** libseccomp system.c, db.c: an errno is below MAX_ERRNO. */
function limit(action: number): void {
  if ((action & 0xffff0000) === RETURN_VALUES.errno && (action & 0xffff) >= 4095)
    refuse('errno above 4094')
}

function operatorOf(op: string | undefined): ProfileCondition['op'] {
  return OPERATORS[op ?? ''] ?? refuse(`operator ${op}`)
}

function conditionOf({ index = 0, value = 0n, valueTwo = 0n, op }: Arg): ProfileCondition {
  if (index > 5) refuse(`argument ${index}`)
  const operator = operatorOf(op)
  // gen_bpf.c masks what is compared.
  const second = operator === 'maskedEq' ? value & valueTwo : 0n
  return { index, op: operator, value, valueTwo: second }
}

const KNOWN_ARCHITECTURE =
  /^SCMP_ARCH_(X86|X86_64|X32|ARM|AARCH64|LOONGARCH64|MIPS(64(N32)?)?|MIPSEL(64(N32)?)?|PPC(64(LE)?)?|RISCV64|S390X?)$/

/** Through which i386 can make calls that x86-64 has by themselves: they count for it alone. */
const OF_I386 = ['socketcall', 'ipc']

/** Conditions on one argument twice become rules of their own: "revert to old behavior". */
function alternatives(conditions: readonly ProfileCondition[]): readonly ProfileCondition[][] {
  const indexes = new Set(conditions.map(({ index }) => index))
  return indexes.size < conditions.length ? conditions.map((each) => [each]) : [[...conditions]]
}

function add(rules: ProfileRule[], name: string, action: number, args: readonly Arg[]): void {
  for (const conditions of alternatives(args.map(conditionOf))) {
    rules.push({ name, action, conditions })
  }
}

function runc(profile: Seccomp, { numberOf }: Where): Translation {
  const { defaultAction = '', defaultErrnoRet, architectures, flags, listenerPath } = profile
  const syscalls = profile.syscalls ?? []
  if (defaultAction === '' && syscalls.length === 0) return { outcome: 'no filter' }
  for (const name of architectures ?? []) if (!KNOWN_ARCHITECTURE.test(name)) refuse(name)
  if ((flags ?? []).some((flag) => !flag.startsWith('SECCOMP_FILTER_FLAG_'))) refuse('flag')
  const fallback = actionOf(defaultAction, defaultErrnoRet)
  // validate: seccompRule of configs/validate; seccomp_linux.go
  if (defaultAction === 'SCMP_ACT_NOTIFY') refuse('NOTIFY as default')
  const rules: ProfileRule[] = []
  let largest = 0
  limit(fallback)
  for (const { action: actionName, args, names, errnoRet } of syscalls) {
    const action = actionOf(actionName, errnoRet)
    for (const { op } of args ?? []) operatorOf(op)
    for (const name of names ?? []) {
      if (actionName === 'SCMP_ACT_NOTIFY') {
        if (name === 'write') refuse('NOTIFY on write')
        if ((listenerPath ?? '') === '') refuse('NOTIFY without listenerPath')
      }
      if (name === '') refuse('empty name')
      const number = numberOf(name)
      if (number !== undefined && number > largest) largest = number
      if (action === fallback) continue
      if (number === undefined && !OF_I386.includes(name)) continue
      limit(action)
      add(rules, name, action, args ?? [])
    }
  }
  const runs = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(defaultAction)
  const stub = runs || largest === 0 ? {} : { ceiling: largest }
  const x86 = listsX86(architectures)
  return { outcome: 'rules', list: { default: fallback, rules, x86, ...stub } }
}

function crun(profile: Seccomp, { numberOf }: Where): Translation {
  const { defaultAction, defaultErrnoRet, architectures, flags } = profile
  if (defaultAction === undefined) refuse('no defaultAction')
  const carries = (name: string | undefined, errnoRet: number | null | undefined): void => {
    const may = name === 'SCMP_ACT_ERRNO' || name === 'SCMP_ACT_TRACE'
    if (!may && (errnoRet ?? undefined) !== undefined) refuse(`errno for ${name}`)
  }
  const fallback = actionOf(defaultAction, defaultErrnoRet)
  carries(defaultAction, defaultErrnoRet)
  limit(fallback)
  for (const name of architectures ?? []) {
    const full = `SCMP_ARCH_${name.replace(/^SCMP_ARCH_/i, '').toUpperCase()}`
    if (!KNOWN_ARCHITECTURE.test(full)) refuse(name)
  }
  if ((flags ?? []).some((flag) => !flag.startsWith('SECCOMP_FILTER_FLAG_'))) refuse('flag')
  const rules: ProfileRule[] = []
  for (const { action: actionName, args, names, errnoRet } of profile.syscalls ?? []) {
    if ((names ?? undefined) === undefined) refuse("no 'names'")
    const action = actionOf(actionName, errnoRet)
    carries(actionName, errnoRet)
    for (const { op } of args ?? []) operatorOf(op)
    if (action === fallback) continue
    for (const name of names ?? []) {
      if (numberOf(name) === undefined && !OF_I386.includes(name)) continue
      limit(action)
      add(rules, name, action, (args ?? []).slice(0, 6))
    }
  }
  return { outcome: 'rules', list: { default: fallback, rules, x86: listsX86(architectures) } }
}

/** What else is listed has no say in what x86-64 gets, nor in whether the rules are taken. */
const listsX86 = (names: readonly string[] | null | undefined): boolean =>
  names?.some((name) => name.toUpperCase().endsWith('X86')) === true

/** AUDIT_ARCH_X86_64, __X32_SYSCALL_BIT; linux/filter.h */
const LOAD = 0x20
const JEQ = 0x15
const JGT = 0x25
const JSET = 0x45
const RETURN = 0x06

/** runc patchbpf/enosys_linux.go: the program, after what answers ENOSYS to numbers above the largest. */
export function withStub(program: Uint8Array, ceiling: number): Uint8Array {
  const stub: readonly (readonly [number, number, number, number])[] = [
    [LOAD, 0, 0, 4],
    [JEQ, 0, 4, 0xc000003e],
    [LOAD, 0, 0, 0],
    [JSET, 2, 0, 0x40000000],
    [JGT, 0, 1, ceiling],
    [RETURN, 0, 0, RETURN_VALUES.errno + 38],
  ]
  const bytes = Buffer.alloc(stub.length * 8)
  stub.forEach(([code, jt, jf, k], index) => {
    bytes.writeUInt16LE(code, index * 8)
    bytes.writeUInt8(jt, index * 8 + 2)
    bytes.writeUInt8(jf, index * 8 + 3)
    bytes.writeUInt32LE(k, index * 8 + 4)
  })
  return Buffer.concat([bytes, program])
}

/** As libseccomp's db.c takes them: a rule without conditions before those with, and the first of two. */
export function inOrder({ rules, ...list }: ProfileRules): ProfileRules {
  const bare = (rule: ProfileRule): boolean => rule.conditions.length === 0
  return { ...list, rules: [...rules.filter(bare), ...rules.filter((rule) => !bare(rule))] }
}
