/** What logs call system calls, architectures and actions → what the tables call them. */
import type { ActionName } from '../policy'
import { AUDIT_ARCH, findSyscall, syscallName, type Arch, type SyscallName } from '../syscalls'

/** linux/audit.h: AUDIT_ARCH_*, by the names that uname(1) and ausearch have for them. */
const ARCHITECTURES: ReadonlyMap<number, string> = new Map([
  ...(Object.keys(AUDIT_ARCH) as Arch[]).map((arch): [number, string] => [AUDIT_ARCH[arch], arch]),
  [0x40000003, 'i386'],
  [0x40000028, 'arm'],
  [0x80000015, 'ppc64'],
  [0xc0000015, 'ppc64le'],
  [0x80000016, 's390x'],
  [0xc00000f3, 'riscv64'],
  [0xc0000102, 'loongarch64'],
  [0xc0000008, 'mips64el'],
])

/** The name of an architecture, or its number in hexadecimal. */
export const architectureName = (auditArch: number): string =>
  ARCHITECTURES.get(auditArch) ?? `0x${auditArch.toString(16)}`

/** asm/unistd.h: x32 has x86-64's architecture, and this bit in its numbers. */
const X32_SYSCALL_BIT = 0x40000000

/** The architecture whose numbers these are. */
export const architectureOf = (auditArch: number, number: number): string =>
  auditArch === AUDIT_ARCH.x86_64 && (number & X32_SYSCALL_BIT) !== 0 && number > 0
    ? 'x32'
    : architectureName(auditArch)

/** lib/x86_64_table.h and lib/aarch64_table.h of audit-userspace, where they differ from the kernel. */
const ALIASES: Readonly<Record<Arch, ReadonlyMap<string, SyscallName>>> = {
  x86_64: new Map([
    ['pread', 'pread64'],
    ['pwrite', 'pwrite64'],
  ]),
  aarch64: new Map([
    ['pread', 'pread64'],
    ['pwrite', 'pwrite64'],
    ['getdents', 'getdents64'],
    ['newfstat', 'fstat'],
  ]),
}

/** The call that ausearch or strace means, or undefined where the architecture has none of that name. */
export function callOf(
  name: string,
  arch: Arch,
): { syscall: SyscallName; number: number } | undefined {
  const info = findSyscall(ALIASES[arch].get(name) ?? name, arch)
  return info === undefined ? undefined : { syscall: info.name, number: info.number }
}

/** The name of a number in an architecture's own table. */
export const nameOf = (number: number, arch: Arch | undefined): SyscallName | undefined =>
  arch === undefined ? undefined : syscallName(number, arch)

/**
 * auparse/seccomptab.h of audit-userspace. Before 3.1 it says `kill` of a thread that was killed,
 * and of a process too.
 */
export const ACTION_WORDS: ReadonlyMap<string, ActionName> = new Map([
  ['kill', 'kill'],
  ['kill-process', 'kill'],
  ['kill-thread', 'killThread'],
  ['trap', 'trap'],
  ['errno', 'errno'],
  ['user-notify', 'notify'],
  ['user-notif', 'notify'],
  ['trace', 'trace'],
  ['log', 'log'],
  ['allow', 'allow'],
])
