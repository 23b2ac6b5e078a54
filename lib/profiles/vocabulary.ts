/** The words that several dialects share, and where each is from. */
import { errnoValue, type Arch } from '../syscalls'
import type { ProfileAction, ProfileOperator } from './types'

/** runtime-spec config-linux.md, "Seccomp"; schema/defs-linux.json. */
export const ACTIONS: readonly ProfileAction[] = [
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
]

export const OPERATORS: readonly ProfileOperator[] = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
]

/** runtime-spec schema/defs-linux.json. SCMP_ARCH_NATIVE is not among them. */
export const ARCHITECTURES: readonly string[] = [
  ...['X86', 'X86_64', 'X32', 'ARM', 'AARCH64', 'LOONGARCH64', 'M68K'],
  ...['MIPS', 'MIPS64', 'MIPS64N32', 'MIPSEL', 'MIPSEL64', 'MIPSEL64N32'],
  ...['PPC', 'PPC64', 'PPC64LE', 'S390', 'S390X', 'SH', 'SHEB', 'PARISC', 'PARISC64', 'RISCV64'],
].map((name) => `SCMP_ARCH_${name}`)

export const NATIVE_ARCHITECTURE: Readonly<Record<Arch, string>> = {
  x86_64: 'SCMP_ARCH_X86_64',
  aarch64: 'SCMP_ARCH_AARCH64',
}

/** What `includes.arches` and `excludes.arches` call it: moby/profiles, goToNative. */
export const GO_ARCHITECTURE: Readonly<Record<Arch, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
}

/** moby/profiles, goToNative and nativeToSeccomp. */
export const GO_ARCHITECTURES: readonly string[] = [
  ...['386', 'x86', 'amd64', 'x32', 'arm', 'arm64', 'loong64', 'loongarch64', 'ppc', 'ppc64'],
  ...['ppc64le', 'riscv64', 's390', 's390x', 'mips', 'mipsle', 'mipsel', 'mips64', 'mips64le'],
  ...['mipsel64', 'mips64n32', 'mips64p32', 'mips64p32le', 'mipsel64n32'],
]

/** linux/seccomp.h, as the runtime-spec names them. */
export const FLAGS: readonly string[] = [
  'SECCOMP_FILTER_FLAG_TSYNC',
  'SECCOMP_FILTER_FLAG_LOG',
  'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
  'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
]

/** linux/capability.h, by number: 0 … 40. */
export const CAPABILITIES: readonly string[] = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'],
  ...['SETPCAP', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW'],
  ...['IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT'],
  ...['SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD'],
  ...['LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG'],
  ...['WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF', 'CHECKPOINT_RESTORE'],
].map((name) => `CAP_${name}`)

/** What the kernel and libseccomp take: db.c and system.c stop below MAX_ERRNO, which is 4095. */
export const MAX_ERRNO = 4094

/** Of an errno that is given as text: a name, or digits. */
export function errnoOf(text: string): number | undefined {
  if (/^\d{1,4}$/.test(text)) return Number(text) <= MAX_ERRNO ? Number(text) : undefined
  return errnoValue(text)
}

export const isAction = (text: string): text is ProfileAction =>
  (ACTIONS as readonly string[]).includes(text)

export const isOperator = (text: string): text is ProfileOperator =>
  (OPERATORS as readonly string[]).includes(text)
