/**
 * What an attacker inside the process gains from a system call, what it takes, and which other control
 * would stop it: so that whoever writes a policy can choose the control that fits.
 *
 * Facts, with where they are from: manual pages, the kernel's documentation and sources, CVEs. It is no
 * list of everything that can go wrong: any call has had bugs. It has calls whose purpose, or whose
 * record, makes leaving them out worth a thought.
 */
import { eq, hasAll, hasAny, maskedEq, oneOf, type ConditionsFor } from '../policy'
import type { SyscallName } from '../syscalls'

/** What it is good for, to somebody who runs code in the process. */
export type Gain =
  /** Code in the kernel, or its memory. */
  | 'kernel'
  /** Out of the container, or past the walls between containers. */
  | 'escape'
  /** More privilege than the process has. */
  | 'privilege'
  /** Memory, descriptors or terminals of other processes. */
  | 'other-processes'
  /** Calls that the filter refuses, by another way. */
  | 'filter'
  /** Code of the attacker's own. */
  | 'code'
  /** Other machines, or services beside this one. */
  | 'network'
  /** The machine as others see it: its clock, its name, whether it runs. */
  | 'machine'
  /** Files, and what they are protected by. */
  | 'files'

export type Control =
  /** The capability is not in the container's bounding set. */
  | 'capabilities'
  /** A profile that does not grant it, such as docker-default. */
  | 'apparmor'
  /** A confined domain, such as container_t. */
  | 'selinux'
  | 'landlock'
  | 'read-only-root'
  | 'no-new-privs'
  /** user.max_user_namespaces=0, or what distributions have for it. */
  | 'no-user-namespaces'

export const CONTROLS: readonly Control[] = [
  ...(['capabilities', 'apparmor', 'selinux', 'landlock'] as const),
  ...(['read-only-root', 'no-new-privs', 'no-user-namespaces'] as const),
]

export type Effect = 'stops' | 'partly' | 'no'

/** `'stops'`, or with how: `'partly: …'`. */
export type ControlText = Effect | `${Effect}: ${string}`

export interface Danger {
  /** Stable, kebab-case. */
  readonly id: string
  readonly gain: Gain
  /** What the calls do, in a few words. */
  readonly title: string
  /** Each call, and with which arguments (any of several); `true`: with any. */
  readonly calls: {
    readonly [S in SyscallName]?: true | ConditionsFor<S> | readonly ConditionsFor<S>[]
  }
  readonly attack: string
  /** Any one of these is needed; none where whoever runs may do it. */
  readonly capabilities: readonly string[]
  /** What else decides, and what the capability is for. */
  readonly needs: string
  /**
   * `high`: hardly any service has use for it. `medium`: some have. `ordinary`: most programs do it, and
   * no linter should say so.
   */
  readonly level: 'high' | 'medium' | 'ordinary'
  readonly controls: Readonly<Record<Control, ControlText>>
  readonly references: readonly string[]
}

/** clone(2): every flag that makes a namespace, but for that of users. */
const NEW_NAMESPACES = [
  ...(['CLONE_NEWNS', 'CLONE_NEWCGROUP', 'CLONE_NEWUTS', 'CLONE_NEWIPC'] as const),
  ...(['CLONE_NEWPID', 'CLONE_NEWNET'] as const),
] as const

/** include/linux/net.h: SOCK_TYPE_MASK. */
const SOCK_TYPE_MASK = 0xf

const all = <S extends SyscallName>(...names: readonly S[]): Readonly<Record<S, true>> =>
  Object.fromEntries(names.map((name) => [name, true])) as Readonly<Record<S, true>>

/** Nothing that is about files, or about what a program that is started may do, has a say. */
const NOT_FILES = {
  landlock: 'no',
  'read-only-root': 'no',
  'no-new-privs': 'no',
} as const

/** The capability is asked for in the initial user namespace: one of its own gives nobody that. */
const INITIAL_ONLY = {
  'no-user-namespaces': 'no: the capability counts in the initial user namespace only',
} as const

export const DANGERS: readonly Danger[] = [
  {
    id: 'kernel-modules',
    gain: 'kernel',
    title: 'load and unload kernel modules',
    calls: all('init_module', 'finit_module', 'delete_module', 'create_module'),
    attack: 'loads a module of its own: code in the kernel, for the whole machine.',
    capabilities: ['CAP_SYS_MODULE'],
    needs: 'CAP_SYS_MODULE in the initial user namespace',
    level: 'high',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without "capability sys_module"',
      selinux: 'stops: capability sys_module, and system module_load',
      ...NOT_FILES,
      'read-only-root': 'no: a module can come from memory (init_module)',
      ...INITIAL_ONLY,
    },
    references: ['init_module(2)', 'capabilities(7)'],
  },
  {
    id: 'kexec',
    gain: 'kernel',
    title: 'load another kernel',
    calls: all('kexec_load', 'kexec_file_load'),
    attack: 'puts a kernel of its own in the place of the running one.',
    capabilities: ['CAP_SYS_BOOT'],
    needs: 'CAP_SYS_BOOT in the initial user namespace; kernel lockdown forbids kexec_load',
    level: 'high',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without "capability sys_boot"',
      selinux: 'stops: capability sys_boot',
      ...NOT_FILES,
      ...INITIAL_ONLY,
    },
    references: ['kexec_load(2)', 'kernel_lockdown(7)'],
  },
  {
    id: 'raw-io',
    gain: 'kernel',
    title: 'talk to I/O ports',
    calls: all('iopl', 'ioperm'),
    attack: 'programs devices behind the kernel, and through their DMA reaches all memory.',
    capabilities: ['CAP_SYS_RAWIO'],
    needs: 'CAP_SYS_RAWIO in the initial user namespace; kernel lockdown forbids it',
    level: 'high',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without "capability sys_rawio"',
      selinux: 'stops: capability sys_rawio',
      ...NOT_FILES,
      ...INITIAL_ONLY,
    },
    references: ['ioperm(2)', 'iopl(2)'],
  },
  {
    id: 'bpf',
    gain: 'kernel',
    title: 'load programs into the kernel (eBPF)',
    calls: all('bpf'),
    attack:
      'reads and writes kernel memory where the verifier is mistaken, and what other processes do where it is not.',
    capabilities: ['CAP_BPF', 'CAP_SYS_ADMIN'],
    needs:
      'CAP_BPF (Linux 5.8; CAP_SYS_ADMIN before), or nothing where kernel.unprivileged_bpf_disabled is 0',
    level: 'high',
    controls: {
      capabilities: 'partly: not where kernel.unprivileged_bpf_disabled is 0',
      apparmor: 'partly: only as far as it takes the capability',
      selinux: 'stops: class bpf',
      ...NOT_FILES,
      'no-user-namespaces': 'no: the sysctl kernel.unprivileged_bpf_disabled=1 does',
    },
    references: ['bpf(2)', 'CVE-2020-8835', 'CVE-2021-3490', 'CVE-2022-23222'],
  },
  {
    id: 'perf',
    gain: 'kernel',
    title: 'performance events',
    calls: all('perf_event_open'),
    attack:
      'reaches a large piece of the kernel with a record of bugs, and counters that tell what other processes compute.',
    capabilities: ['CAP_PERFMON', 'CAP_SYS_ADMIN'],
    needs:
      'CAP_PERFMON (Linux 5.8; CAP_SYS_ADMIN before) for more than kernel.perf_event_paranoid leaves: its own user code at 2',
    level: 'high',
    controls: {
      capabilities: 'partly: kernel.perf_event_paranoid decides what is left',
      apparmor: 'partly: only as far as it takes the capability',
      selinux: 'stops: class perf_event (Linux 5.5)',
      ...NOT_FILES,
      'no-user-namespaces': 'no',
    },
    references: [
      'perf_event_open(2)',
      'CVE-2013-2094',
      'https://docs.kernel.org/admin-guide/perf-security.html',
    ],
  },
  {
    id: 'userfaultfd',
    gain: 'kernel',
    title: 'handle page faults in user space',
    calls: all('userfaultfd'),
    attack:
      'stops the kernel in the middle of reading its memory, for as long as it likes: races in the kernel are then won at leisure.',
    capabilities: ['CAP_SYS_PTRACE'],
    needs:
      'nothing for faults of user code (UFFD_USER_MODE_ONLY, Linux 5.11); CAP_SYS_PTRACE for those of the kernel, unless vm.unprivileged_userfaultfd is 1',
    level: 'high',
    controls: {
      capabilities: 'partly: with vm.unprivileged_userfaultfd=0, the dangerous half',
      apparmor: 'no',
      selinux: 'stops: class anon_inode (Linux 5.12)',
      ...NOT_FILES,
      'no-user-namespaces': 'no',
    },
    references: [
      'userfaultfd(2)',
      'https://docs.kernel.org/admin-guide/sysctl/vm.html#unprivileged-userfaultfd',
    ],
  },
  {
    id: 'keyrings',
    gain: 'kernel',
    title: "the kernel's keyrings",
    calls: all('add_key', 'request_key', 'keyctl'),
    attack:
      'reads keys, which are kept by user id and not by container; and reaches code that has had bugs that gave root.',
    capabilities: [],
    needs: 'nothing',
    level: 'medium',
    controls: {
      capabilities: 'no',
      apparmor: 'no',
      selinux: 'stops: class key',
      ...NOT_FILES,
      'no-user-namespaces': 'no',
    },
    references: ['keyrings(7)', 'CVE-2016-0728'],
  },
  {
    id: 'segments',
    gain: 'kernel',
    title: 'segments of 16-bit code',
    calls: all('modify_ldt'),
    attack: 'reaches the rarest ways into the kernel, of which several were wrong.',
    capabilities: [],
    needs: 'nothing; kernels built without CONFIG_MODIFY_LDT_SYSCALL do not have it',
    level: 'medium',
    controls: {
      capabilities: 'no',
      apparmor: 'no',
      selinux: 'no',
      ...NOT_FILES,
      'no-user-namespaces': 'no',
    },
    references: ['modify_ldt(2)', 'CVE-2015-3290', 'CVE-2015-5157'],
  },
  {
    id: 'obsolete',
    gain: 'kernel',
    title: 'calls that no program uses any more',
    calls: all('uselib', 'ustat', 'sysfs', 'nfsservctl', 'lookup_dcookie', 'query_module'),
    attack: 'reaches code of the kernel that nobody looks at, where it is still there.',
    capabilities: [],
    needs: 'nothing, but for lookup_dcookie (CAP_SYS_ADMIN)',
    level: 'medium',
    controls: {
      capabilities: 'no',
      apparmor: 'no',
      selinux: 'no',
      ...NOT_FILES,
      'no-user-namespaces': 'no',
    },
    references: ['syscalls(2)', 'CVE-2004-1235'],
  },
  {
    id: 'io-uring',
    gain: 'filter',
    title: 'io_uring',
    calls: all('io_uring_setup', 'io_uring_enter', 'io_uring_register'),
    attack:
      'opens files, connects and sends in requests that no filter sees; and its code has had many bugs that gave root.',
    capabilities: [],
    needs: 'nothing, unless kernel.io_uring_disabled (Linux 6.6) is set',
    level: 'high',
    controls: {
      capabilities: 'no',
      apparmor: 'partly: what the requests do is still checked',
      selinux: 'partly: what the requests do is still checked',
      landlock: 'partly: what the requests do is still checked',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'no: the sysctl kernel.io_uring_disabled=2 does',
    },
    references: [
      'io_uring(7)',
      'CVE-2022-29582',
      'CVE-2023-2598',
      'https://docs.kernel.org/admin-guide/sysctl/kernel.html#io-uring-disabled',
    ],
  },
  {
    id: 'user-namespace',
    gain: 'privilege',
    title: 'make a user namespace',
    calls: {
      unshare: { unshare_flags: hasAll('CLONE_NEWUSER') },
      clone: { clone_flags: hasAll('CLONE_NEWUSER') },
      clone3: true,
    },
    attack:
      'becomes root of a namespace, with every capability in it: mounts, firewall rules and network devices are code of the kernel that is then open to bugs.',
    capabilities: [],
    needs: 'nothing, unless user.max_user_namespaces is 0 or the distribution forbids it',
    level: 'high',
    controls: {
      capabilities: 'no: the new namespace gives them all',
      apparmor: 'partly: userns_create (AppArmor 4)',
      selinux: 'stops: class user_namespace (Linux 6.1)',
      ...NOT_FILES,
      'no-user-namespaces': 'stops',
    },
    references: ['user_namespaces(7)', 'CVE-2022-0185', 'CVE-2022-0492', 'CVE-2023-32233'],
  },
  {
    id: 'namespaces',
    gain: 'escape',
    title: 'make and enter namespaces',
    calls: {
      unshare: { unshare_flags: hasAny(...NEW_NAMESPACES) },
      clone: { clone_flags: hasAny(...NEW_NAMESPACES) },
      clone3: true,
      setns: true,
    },
    attack:
      'enters the namespaces of another process, those of the host where it finds one of its processes; in one of its own, sees past what is mounted over.',
    capabilities: ['CAP_SYS_ADMIN'],
    needs: 'CAP_SYS_ADMIN in the user namespace that owns it; in one of its own everybody has it',
    level: 'high',
    controls: {
      capabilities: 'partly: not in a user namespace of its own',
      apparmor: 'partly: only as far as it takes the capability',
      selinux: 'partly: only as far as it takes the capability',
      ...NOT_FILES,
      'no-user-namespaces': 'stops: with the capability dropped',
    },
    references: ['setns(2)', 'unshare(2)', 'CVE-2022-0492'],
  },
  {
    id: 'mount',
    gain: 'escape',
    title: 'mount and unmount',
    calls: all(
      ...(['mount', 'umount2', 'pivot_root', 'fsopen', 'fsconfig', 'fsmount', 'fspick'] as const),
      ...(['move_mount', 'open_tree', 'open_tree_attr', 'mount_setattr'] as const),
    ),
    attack:
      "mounts the host's disk or a cgroup and writes to it; takes away what is mounted over /proc; makes read-only mounts writable.",
    capabilities: ['CAP_SYS_ADMIN'],
    needs: 'CAP_SYS_ADMIN in the user namespace of the mount namespace',
    level: 'high',
    controls: {
      capabilities: 'partly: not in a user namespace of its own',
      apparmor: 'stops: docker-default denies mount',
      selinux: 'stops: filesystem mount',
      landlock: 'stops: no domain that restricts files can change mounts',
      'read-only-root': 'no: it is what is mounted anew',
      'no-new-privs': 'no',
      'no-user-namespaces': 'stops: with the capability dropped',
    },
    references: [
      'mount(2)',
      'CVE-2022-0185',
      'https://docs.kernel.org/userspace-api/landlock.html#filesystem-topology-modification',
    ],
  },
  {
    id: 'chroot',
    gain: 'escape',
    title: 'change the root directory',
    calls: all('chroot'),
    attack: 'gets out of a chroot by a second one, with a directory still open outside.',
    capabilities: ['CAP_SYS_CHROOT'],
    needs: 'CAP_SYS_CHROOT in its user namespace; Docker grants it by default',
    level: 'medium',
    controls: {
      capabilities: 'partly: not in a user namespace of its own',
      apparmor: 'stops: a profile without "capability sys_chroot"',
      selinux: 'stops: capability sys_chroot',
      landlock: 'no: but the rules go on to hold for where it gets',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'stops: with the capability dropped',
    },
    references: ['chroot(2)'],
  },
  {
    id: 'file-handles',
    gain: 'escape',
    title: 'open files by handle',
    calls: all('open_by_handle_at'),
    attack:
      'opens any file of a filesystem by a number that can be guessed, inside what is mounted here or not: the container escape called Shocker.',
    capabilities: ['CAP_DAC_READ_SEARCH'],
    needs:
      'CAP_DAC_READ_SEARCH in the initial user namespace (since Linux 6.11, for some handles, in that of the mount)',
    level: 'high',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without "capability dac_read_search"',
      selinux: 'stops: capability dac_read_search',
      landlock: 'partly: opening is still checked',
      'read-only-root': 'no: it reads',
      'no-new-privs': 'no',
      ...INITIAL_ONLY,
    },
    references: ['open_by_handle_at(2)', 'https://lwn.net/Articles/602972/'],
  },
  {
    id: 'device-nodes',
    gain: 'escape',
    title: 'make device nodes',
    calls: {
      mknod: { mode: maskedEq('S_IFMT', 'S_IFBLK') },
      mknodat: { mode: maskedEq('S_IFMT', 'S_IFBLK') },
    },
    attack: "makes the node of the host's disk, and reads it.",
    capabilities: ['CAP_MKNOD'],
    needs:
      'CAP_MKNOD in the initial user namespace; Docker grants it, and its device cgroup forbids the use',
    level: 'medium',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without "capability mknod"',
      selinux: 'stops: capability mknod',
      landlock: 'stops: without LANDLOCK_ACCESS_FS_MAKE_BLOCK',
      'read-only-root': 'partly: not on what is mounted writable',
      'no-new-privs': 'no',
      ...INITIAL_ONLY,
    },
    references: ['mknod(2)', 'capabilities(7)'],
  },
  {
    id: 'ptrace',
    gain: 'other-processes',
    title: 'control other processes',
    calls: all('ptrace'),
    attack:
      'reads and writes the memory of processes of the same user and has them make calls; before Linux 4.8 also past its own filter.',
    capabilities: ['CAP_SYS_PTRACE'],
    needs:
      'nothing for processes of the same user, as far as kernel.yama.ptrace_scope lets it; CAP_SYS_PTRACE for others',
    level: 'medium',
    controls: {
      capabilities: 'partly: not among processes of the same user',
      apparmor: 'stops: rules for ptrace',
      selinux: 'stops: process ptrace',
      landlock: 'partly: only processes in the same domain or below',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'no: the sysctl kernel.yama.ptrace_scope does',
    },
    references: ['ptrace(2)', 'CVE-2019-13272'],
  },
  {
    id: 'process-memory',
    gain: 'other-processes',
    title: 'memory and descriptors of other processes',
    calls: all(
      ...(['process_vm_readv', 'process_vm_writev', 'pidfd_getfd', 'kcmp'] as const),
      'process_madvise',
    ),
    attack: 'reads secrets of, and writes code into, processes of the same user without ptrace(2).',
    capabilities: ['CAP_SYS_PTRACE'],
    needs: 'what ptrace(2) needs: nothing for processes of the same user, as far as Yama lets it',
    level: 'medium',
    controls: {
      capabilities: 'partly: not among processes of the same user',
      apparmor: 'stops: rules for ptrace',
      selinux: 'stops: process ptrace',
      landlock: 'partly: only processes in the same domain or below',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'no: the sysctl kernel.yama.ptrace_scope does',
    },
    references: ['process_vm_readv(2)', 'pidfd_getfd(2)', 'ptrace(2)'],
  },
  {
    id: 'terminal-input',
    gain: 'other-processes',
    title: 'type into a terminal',
    calls: {
      ioctl: { cmd: oneOf('TIOCSTI', 'TIOCLINUX') },
    },
    attack:
      'puts a command into the terminal it was started from; the shell outside runs it afterwards.',
    capabilities: ['CAP_SYS_ADMIN'],
    needs:
      'nothing for the terminal that controls it, unless dev.tty.legacy_tiocsti (Linux 6.2) is 0; CAP_SYS_ADMIN for others',
    level: 'medium',
    controls: {
      capabilities: 'partly: not on its own terminal',
      apparmor: 'no',
      selinux: 'partly: rules for ioctl',
      landlock: 'partly: on terminals it opens itself (Linux 6.10), not on the one it was given',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'no: a new session (setsid), or a terminal of its own, does',
    },
    references: ['ioctl_tty(2)', 'CVE-2017-5226', 'CVE-2023-28100'],
  },
  {
    id: 'signals',
    gain: 'other-processes',
    title: 'signal other processes',
    calls: all(
      ...(['kill', 'tkill', 'tgkill', 'rt_sigqueueinfo', 'rt_tgsigqueueinfo'] as const),
      'pidfd_send_signal',
    ),
    attack: 'ends or stops other processes of the same user.',
    capabilities: ['CAP_KILL'],
    needs: 'nothing for processes of the same user; CAP_KILL for others',
    level: 'ordinary',
    controls: {
      capabilities: 'partly: not among processes of the same user',
      apparmor: 'stops: rules for signal',
      selinux: 'stops: process signal',
      landlock: 'partly: out of the domain, where scoped (Linux 6.12)',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'no: a PID namespace does',
    },
    references: ['kill(2)'],
  },
  {
    id: 'execute',
    gain: 'code',
    title: 'start programs',
    calls: all('execve', 'execveat'),
    attack: 'starts a shell, or whatever else is there: what most exploits end in.',
    capabilities: [],
    needs: 'nothing',
    level: 'ordinary',
    controls: {
      capabilities: 'no',
      apparmor: 'stops: no rule with x for it',
      selinux: 'stops: file execute',
      landlock: 'stops: without LANDLOCK_ACCESS_FS_EXECUTE',
      'read-only-root': 'no: what is there can be started',
      'no-new-privs': 'partly: takes setuid and file capabilities from what is started',
      'no-user-namespaces': 'no',
    },
    references: ['execve(2)'],
  },
  {
    id: 'memory-files',
    gain: 'code',
    title: 'files in memory',
    calls: all('memfd_create', 'memfd_secret'),
    attack: 'starts a program that was never on a disk, past noexec mounts and read-only roots.',
    capabilities: [],
    needs: 'nothing; the sysctl vm.memfd_noexec (Linux 6.3) takes the right to start them',
    level: 'ordinary',
    controls: {
      capabilities: 'no',
      apparmor: 'partly: as far as the profile lets it be started',
      selinux: 'partly: file execute',
      landlock: 'no: there is no path to it',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'no: the sysctl vm.memfd_noexec=2 does',
    },
    references: ['memfd_create(2)', 'https://docs.kernel.org/userspace-api/mfd_noexec.html'],
  },
  {
    id: 'executable-memory',
    gain: 'code',
    title: 'make memory executable',
    calls: {
      mmap: { prot: hasAll('PROT_EXEC') },
      mprotect: { prot: hasAll('PROT_EXEC') },
      pkey_mprotect: { prot: hasAll('PROT_EXEC') },
      remap_file_pages: true,
    },
    attack: 'runs code it wrote. V8 needs the same for what it compiles.',
    capabilities: [],
    needs: 'nothing',
    level: 'ordinary',
    controls: {
      capabilities: 'no',
      apparmor: 'partly: m in rules for files, not memory without a file',
      selinux: 'stops: process execmem',
      landlock: 'no',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'no: prctl(PR_SET_MDWE) (Linux 6.3) does',
    },
    references: ['mprotect(2)', 'PR_SET_MDWE(2const)'],
  },
  {
    id: 'personality',
    gain: 'code',
    title: 'weaken the layout of memory',
    calls: {
      personality: {
        personality: hasAny('ADDR_NO_RANDOMIZE', 'READ_IMPLIES_EXEC', 'MMAP_PAGE_ZERO'),
      },
    },
    attack:
      'starts programs at known addresses, or with memory that is executable wherever it is readable.',
    capabilities: [],
    needs: 'nothing; programs with setuid are spared',
    level: 'medium',
    controls: {
      capabilities: 'no',
      apparmor: 'no',
      selinux: 'partly: execmem, for READ_IMPLIES_EXEC',
      ...NOT_FILES,
      'no-user-namespaces': 'no',
    },
    references: ['personality(2)'],
  },
  {
    id: 'vsock',
    gain: 'network',
    title: 'sockets of the virtual machine (AF_VSOCK)',
    calls: { socket: { family: eq('AF_VSOCK') } },
    attack:
      'reaches services of the hypervisor and of other guests, which no network namespace keeps apart.',
    capabilities: [],
    needs: 'nothing, where the module is there',
    level: 'medium',
    controls: {
      capabilities: 'no',
      apparmor: 'stops: network rules, by family',
      selinux: 'stops: class vsock_socket',
      ...NOT_FILES,
      'no-user-namespaces': 'no: a network namespace does not either',
    },
    references: ['vsock(7)', 'https://github.com/moby/moby/pull/44562'],
  },
  {
    id: 'crypto-sockets',
    gain: 'kernel',
    title: "sockets of the kernel's cryptography (AF_ALG)",
    calls: { socket: { family: eq('AF_ALG') } },
    attack: 'loads modules of the kernel by name and feeds them; hardly any program needs it.',
    capabilities: [],
    needs: 'nothing, where the module is there',
    level: 'medium',
    controls: {
      capabilities: 'no',
      apparmor: 'stops: network rules, by family',
      selinux: 'stops: class alg_socket',
      ...NOT_FILES,
      'no-user-namespaces': 'no',
    },
    references: ['https://docs.kernel.org/crypto/userspace-if.html', 'CVE-2019-8912'],
  },
  {
    id: 'packet-sockets',
    gain: 'network',
    title: 'raw packets',
    calls: {
      socket: [
        { family: eq('AF_PACKET') },
        {
          family: oneOf('AF_INET', 'AF_INET6'),
          type: maskedEq(SOCK_TYPE_MASK, 'SOCK_RAW'),
        },
      ],
    },
    attack: 'reads what passes by, and sends in the name of others.',
    capabilities: ['CAP_NET_RAW'],
    needs: 'CAP_NET_RAW in the user namespace of the network namespace; Docker grants it',
    level: 'medium',
    controls: {
      capabilities: 'partly: not in a user namespace of its own, where there is nobody to hear',
      apparmor: 'stops: network rules, or the capability',
      selinux: 'stops: classes packet_socket and rawip_socket',
      ...NOT_FILES,
      'no-user-namespaces': 'stops: with the capability dropped',
    },
    references: ['packet(7)', 'CVE-2017-7308', 'CVE-2020-14386'],
  },
  {
    id: 'netfilter',
    gain: 'kernel',
    title: 'firewall rules and other netlink',
    calls: {
      socket: {
        family: eq('AF_NETLINK'),
        // linux/netlink.h: NETLINK_NETFILTER, NETLINK_XFRM.
        protocol: oneOf(12, 6),
      },
    },
    attack:
      'reaches nf_tables, which has had many bugs that gave root, from a user namespace of its own.',
    capabilities: ['CAP_NET_ADMIN'],
    needs: 'CAP_NET_ADMIN in the user namespace of the network namespace',
    level: 'medium',
    controls: {
      capabilities: 'partly: not in a user namespace of its own',
      apparmor: 'partly: network rules, for all of AF_NETLINK',
      selinux: 'stops: class netlink_netfilter_socket',
      ...NOT_FILES,
      'no-user-namespaces': 'stops: with the capability dropped',
    },
    references: ['netlink(7)', 'CVE-2022-34918', 'CVE-2023-32233', 'CVE-2024-1086'],
  },
  {
    id: 'connect',
    gain: 'network',
    title: 'connect to other machines',
    calls: { connect: true, socket: { family: oneOf('AF_INET', 'AF_INET6') } },
    attack: 'sends out what it found, and takes orders.',
    capabilities: [],
    needs: 'nothing',
    level: 'ordinary',
    controls: {
      capabilities: 'no',
      apparmor: 'partly: network rules, by family',
      selinux: 'partly: by port and label',
      landlock: 'partly: TCP by port (Linux 6.7)',
      'read-only-root': 'no',
      'no-new-privs': 'no',
      'no-user-namespaces': 'no: a network namespace or a firewall does',
    },
    references: ['connect(2)'],
  },
  {
    id: 'set-user',
    gain: 'privilege',
    title: 'become another user',
    calls: all(
      ...(['setuid', 'setreuid', 'setresuid', 'setfsuid'] as const),
      ...(['setgid', 'setregid', 'setresgid', 'setfsgid', 'setgroups'] as const),
    ),
    attack: 'takes the identity of root or of any other user.',
    capabilities: ['CAP_SETUID', 'CAP_SETGID'],
    needs: 'CAP_SETUID or CAP_SETGID for any other identity than it has; Docker grants both',
    level: 'ordinary',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without the capability',
      selinux: 'stops: capability setuid, setgid',
      landlock: 'no',
      'read-only-root': 'no',
      'no-new-privs': 'no: only what execve(2) would give',
      'no-user-namespaces': 'no',
    },
    references: ['setuid(2)', 'capabilities(7)'],
  },
  {
    id: 'set-user-id-bit',
    gain: 'privilege',
    title: 'leave a program with setuid',
    calls: {
      chmod: { mode: hasAny('S_ISUID', 'S_ISGID') },
      fchmod: { mode: hasAny('S_ISUID', 'S_ISGID') },
      fchmodat: { mode: hasAny('S_ISUID', 'S_ISGID') },
      fchmodat2: { mode: hasAny('S_ISUID', 'S_ISGID') },
    },
    attack:
      'leaves, as root of a container, on a volume shared with the host, what makes anybody root.',
    capabilities: [],
    needs: 'to own the file',
    level: 'ordinary',
    controls: {
      capabilities: 'partly: without CAP_FSETID and CAP_CHOWN',
      apparmor: 'partly: w for the file',
      selinux: 'partly: file setattr',
      landlock: 'no: it has no right for the mode of files',
      'read-only-root': 'partly: not on what is mounted writable',
      'no-new-privs': 'no: it protects from using one, not from leaving one',
      'no-user-namespaces': 'no: mounting volumes nosuid does',
    },
    references: ['chmod(2)'],
  },
  {
    id: 'clock',
    gain: 'machine',
    title: 'set the clock',
    calls: all('settimeofday', 'clock_settime'),
    attack: 'makes certificates valid or logs wrong, for the whole machine.',
    capabilities: ['CAP_SYS_TIME'],
    needs: 'CAP_SYS_TIME in the initial user namespace',
    level: 'medium',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without "capability sys_time"',
      selinux: 'stops: capability sys_time',
      ...NOT_FILES,
      ...INITIAL_ONLY,
    },
    references: ['clock_settime(2)', 'capabilities(7)'],
  },
  {
    id: 'adjust-clock',
    gain: 'machine',
    title: 'read and adjust the clock',
    calls: all('adjtimex', 'clock_adjtime'),
    attack: 'sets the clock (ADJ_SETOFFSET) or its speed, for the whole machine.',
    capabilities: ['CAP_SYS_TIME'],
    needs: 'CAP_SYS_TIME in the initial user namespace; nothing to read it',
    level: 'ordinary',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without "capability sys_time"',
      selinux: 'stops: capability sys_time',
      ...NOT_FILES,
      ...INITIAL_ONLY,
    },
    references: ['adjtimex(2)'],
  },
  {
    id: 'administer',
    gain: 'machine',
    title: 'administer the machine',
    calls: all(
      ...(['reboot', 'swapon', 'swapoff', 'sethostname', 'setdomainname', 'acct'] as const),
      ...(['quotactl', 'quotactl_fd', 'vhangup'] as const),
    ),
    attack: 'restarts it, takes its swap, fills its disks with accounts of processes.',
    capabilities: [...['CAP_SYS_ADMIN', 'CAP_SYS_BOOT', 'CAP_SYS_PACCT', 'CAP_SYS_TTY_CONFIG']],
    needs: 'CAP_SYS_ADMIN; CAP_SYS_BOOT for reboot, CAP_SYS_PACCT for acct',
    level: 'high',
    controls: {
      capabilities: 'stops',
      apparmor: 'stops: a profile without the capability',
      selinux: 'stops: the capability',
      ...NOT_FILES,
      'no-user-namespaces': 'no: in one of its own it has its own name only',
    },
    references: ['reboot(2)', 'swapon(2)', 'acct(2)'],
  },
  {
    id: 'kernel-log',
    gain: 'kernel',
    title: "read the kernel's log",
    calls: all('syslog'),
    attack: 'finds addresses in it that an exploit of the kernel needs.',
    capabilities: ['CAP_SYSLOG'],
    needs: 'nothing where kernel.dmesg_restrict is 0; CAP_SYSLOG otherwise',
    level: 'medium',
    controls: {
      capabilities: 'partly: not where kernel.dmesg_restrict is 0',
      apparmor: 'partly: only as far as it takes the capability',
      selinux: 'stops: system syslog_read',
      ...NOT_FILES,
      'no-user-namespaces': 'no: the sysctl kernel.dmesg_restrict=1 does',
    },
    references: ['syslog(2)'],
  },
  {
    id: 'watch-files',
    gain: 'files',
    title: 'watch whole filesystems',
    calls: all('fanotify_init'),
    attack: 'sees what every process of the machine opens, and may hold it up.',
    capabilities: ['CAP_SYS_ADMIN'],
    needs: 'CAP_SYS_ADMIN for more than files one by one (Linux 5.13)',
    level: 'medium',
    controls: {
      capabilities: 'partly: it can watch what inotify(7) can',
      apparmor: 'partly: only as far as it takes the capability',
      selinux: 'stops: file watch',
      ...NOT_FILES,
      ...INITIAL_ONLY,
    },
    references: ['fanotify(7)'],
  },
]
