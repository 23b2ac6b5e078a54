/** Names that stand in profiles and are no system calls' names, and where they come from. */
import type { SyscallName } from '../syscalls'

/**
 * What tools that watch write beside the calls: sysdig and falco (driver/event_table.c: events that are
 * no calls), as syscall2seccomp and the like take them over.
 */
const EVENTS: ReadonlySet<string> = new Set([
  ...['procexit', 'procinfo', 'signaldeliver', 'switch', 'page_fault', 'drop', 'container'],
  ...['tracer', 'notification', 'infra', 'mesos', 'k8s', 'cpu_hotplug', 'sysdigevent', 'scapevent'],
  ...['pluginevent', 'syscall', 'generic', 'asyncevent', 'gidl', 'NA1', 'NA2'],
])

/** `<unknown`, `unknown_syscall_123`, `syscall_0x1c4`, `SYS_425`: a number that a tool had no name for. */
const NUMBER = /^(?:<?unknown.*|(?:syscall|sys|unknown)_?(?:syscall_?)?(?:0x[\da-f]+|\d+)|\d+)$/i

/** Why the name is none, or undefined. */
export function pseudoName(name: string): string | undefined {
  if (EVENTS.has(name)) return 'an event of sysdig, not a system call'
  return NUMBER.test(name) ? 'what a tool writes for a number it has no name for' : undefined
}

/**
 * What libc, strace or audit call it, and the kernel does not: the manual pages' "C library/kernel
 * differences".
 */
const OTHER_NAMES: ReadonlyMap<string, SyscallName> = new Map([
  ['pread', 'pread64'],
  ['pwrite', 'pwrite64'],
  ['fstatat', 'newfstatat'],
  ['fstatat64', 'newfstatat'],
  ['posix_fadvise', 'fadvise64'],
  ['fadvise', 'fadvise64'],
  ['umount', 'umount2'],
  ['prlimit', 'prlimit64'],
  ['sigaction', 'rt_sigaction'],
  ['sigprocmask', 'rt_sigprocmask'],
  ['sigreturn', 'rt_sigreturn'],
  ['sigqueue', 'rt_sigqueueinfo'],
  ['readdir', 'getdents64'],
  ['send', 'sendto'],
  ['recv', 'recvfrom'],
  ['pthread_create', 'clone'],
  ['posix_spawn', 'clone'],
  ['exec', 'execve'],
  ['_exit', 'exit_group'],
  ['pselect', 'pselect6'],
  ['waitpid', 'wait4'],
  ['wait', 'wait4'],
  ['wait3', 'wait4'],
])

/** The kernel's name for it, where that is another. */
export const kernelName = (name: string): SyscallName | undefined => OTHER_NAMES.get(name)

/**
 * Calls of architectures that no table here has, beyond those that systemd lists: as libseccomp names
 * them (src/syscalls.csv; of ARM, arch/arm/include/uapi/asm/unistd.h).
 */
const ELSEWHERE: ReadonlySet<string> = new Set([
  ...['arm_fadvise64_64', 'arm_sync_file_range', 'breakpoint', 'cacheflush', 'set_tls', 'get_tls'],
  ...['usr26', 'usr32', 'cachectl', 'sysmips', 'spu_create', 'spu_run', 'multiplexer', 'rtas'],
  ...['swapcontext', 'subpage_prot', 'switch_endian', 'sys_debug_setcontext', 'riscv_hwprobe'],
  ...['riscv_flush_icache', 's390_guarded_storage', 's390_pci_mmio_read', 's390_pci_mmio_write'],
  ...['s390_runtime_instr', 's390_sthyi', 'sync_file_range2', '_sysctl', 'sysctl', 'vm86'],
  ...['vm86old', 'tuxcall', 'security', 'timerfd', 'getpagesize', 'gtty', 'stty', 'break'],
  ...['ftime', 'idle', 'lock', 'mpx', 'prof', 'profil', 'ulimit', 'bdflush', 'oldwait4'],
])

export const isCallElsewhere = (name: string): boolean => ELSEWHERE.has(name)
