/** What an attacker inside `webServer` is refused, call by call; and what nearly looks like it runs. */
import t from 'tap'
import { findSyscall, type SyscallName } from '../../lib/syscalls'
import { runVictim, UNPRIVILEGED } from '../helpers/victim'

const arch = process.arch === 'x64' ? 'x86_64' : 'aarch64'
const has = (name: SyscallName): boolean => findSyscall(name, arch) !== undefined
const nr = (name: SyscallName): number => findSyscall(name, arch)?.number ?? -1

const EPERM = -1
const EACCES = -13
const ENOSYS = -38
const ENOPROTOOPT = -92

/** [what, call, arguments as source, the answer or 'runs'] */
type Attempt = readonly [string, SyscallName, string, number | 'runs']

const AT_FDCWD = -100
const buffer = 'Buffer.alloc(64)'

const attempts: readonly Attempt[] = [
  // Files: reading is allowed, every way of writing is not.
  ['open to read', 'openat', `${AT_FDCWD}, '/etc/hostname', 0, 0`, 'runs'],
  ['open to write', 'openat', `${AT_FDCWD}, '/tmp/x', 1, 0`, EACCES],
  ['open to read and write', 'openat', `${AT_FDCWD}, '/etc/hostname', 2, 0`, EACCES],
  ['access mode 3', 'openat', `${AT_FDCWD}, '/etc/hostname', 3, 0`, EACCES],
  ['create', 'openat', `${AT_FDCWD}, '/tmp/x', 0o100, 0o600`, EACCES],
  ['truncate while reading', 'openat', `${AT_FDCWD}, '/tmp/x', 0o1000, 0`, EACCES],
  ['the same, garbage above', 'openat', `${AT_FDCWD}, '/tmp/x', 0xdeadbeef00000200n, 0`, EACCES],
  ['O_TMPFILE', 'openat', `${AT_FDCWD}, '/tmp', 0o20200002, 0o600`, EACCES],
  ['mkdirat', 'mkdirat', `${AT_FDCWD}, '/tmp/x', 0o700`, EPERM],
  ['unlinkat', 'unlinkat', `${AT_FDCWD}, '/tmp/x', 0`, EPERM],
  ['renameat2', 'renameat2', `${AT_FDCWD}, '/tmp/x', ${AT_FDCWD}, '/tmp/y', 0`, EPERM],
  ['openat2', 'openat2', `${AT_FDCWD}, '/tmp/x', ${buffer}, 24`, ENOSYS],
  // Processes and signals: this one, and no other.
  ['signal itself', 'kill', 'process.pid, 0', 'runs'],
  ['signal itself, garbage above', 'kill', '0x1234567800000000n | BigInt(process.pid), 0', 'runs'],
  ['signal the parent', 'kill', 'process.ppid, 0', EPERM],
  ['signal everybody', 'kill', '-1, 0', EPERM],
  ['signal its process group', 'kill', '0, 0', EPERM],
  ['signal by thread', 'tkill', 'process.ppid, 0', EPERM],
  ['signal the parent by thread', 'tgkill', 'process.ppid, process.ppid, 0', EPERM],
  ['pidfd_open', 'pidfd_open', 'process.ppid, 0', EPERM],
  ['clone without CLONE_THREAD', 'clone', '0x11, 0, 0, 0, 0', EPERM],
  ['clone a thread in a new namespace', 'clone', '0x20010900, 0, 0, 0, 0', EPERM],
  ['clone3', 'clone3', `${buffer}, 64`, ENOSYS],
  // Descriptors: the kernel must not signal others for us.
  ['F_SETFL', 'fcntl', '0, 4, 0o4000', 'runs'],
  ['F_SETFL O_ASYNC', 'fcntl', '0, 4, 0x2000', EPERM],
  ['F_SETOWN', 'fcntl', '0, 8, process.ppid', EPERM],
  ['F_SETSIG', 'fcntl', '0, 10, 9', EPERM],
  ['TIOCSTI', 'ioctl', "0, 0x5412, ' '", EPERM],
  ['TIOCLINUX', 'ioctl', `0, 0x541c, ${buffer}`, EPERM],
  // Sockets: TCP, UDP and the kernel's addresses.
  ['TCP', 'socket', '2, 1, 6', 'runs'],
  ['UDP over IPv6', 'socket', '10, 0x80802, 17', 'runs'],
  ['NETLINK_ROUTE', 'socket', '16, 3, 0', 'runs'],
  ['NETLINK_AUDIT', 'socket', '16, 3, 9', EPERM],
  ['Unix', 'socket', '1, 1, 0', EPERM],
  ['raw', 'socket', '2, 3, 6', EPERM],
  ['the old packet type', 'socket', '2, 10, 0', EPERM],
  ['ICMP', 'socket', '2, 2, 1', EPERM],
  ['SCTP', 'socket', '2, 1, 132', EPERM],
  ['MPTCP', 'socket', '2, 1, 262', EPERM],
  ['TCP_ULP', 'setsockopt', "0, 6, 31, 'tls', 4", ENOPROTOOPT],
  ['IPT_SO_SET_REPLACE', 'setsockopt', `0, 0, 64, ${buffer}, 64`, ENOPROTOOPT],
  ['SO_ATTACH_FILTER', 'setsockopt', `0, 1, 26, ${buffer}, 16`, ENOPROTOOPT],
  ['SO_MARK', 'setsockopt', `0, 1, 36, ${buffer}, 4`, ENOPROTOOPT],
  // The kernel's other doors.
  ['MADV_HWPOISON', 'madvise', '0, 4096, 100', EPERM],
  ['prctl PR_SET_DUMPABLE', 'prctl', '4, 1', EPERM],
  ['prctl PR_SET_PTRACER', 'prctl', '0x59616d61, -1', EPERM],
  ['set a limit', 'prlimit64', `0, 7, ${buffer}, 0`, EPERM],
  ['read a limit', 'prlimit64', `0, 7, 0, ${buffer}`, 'runs'],
  ['bpf', 'bpf', `0, ${buffer}, 64`, EPERM],
  ['userfaultfd', 'userfaultfd', '1', EPERM],
  ['io_uring_setup', 'io_uring_setup', `4, ${buffer}`, ENOSYS],
  ['io_uring_enter', 'io_uring_enter', '-1, 0, 0, 0, 0, 0', ENOSYS],
]

for (const uid of [undefined, UNPRIVILEGED]) {
  t.test(uid === undefined ? 'as root' : 'unprivileged', async (t) => {
    const possible = attempts.filter(([, name]) => has(name))
    const outcome = await runVictim({
      source: `
        const { lockdown, webServer } = require('seccomp-ts')
        const attacker = require('./attacker.node')
        lockdown(webServer)
        console.log(JSON.stringify([
          ${possible.map(([, name, args]) => `attacker.syscall(${nr(name)}, ${args})`).join(',\n')}
        ]))`,
      ...(uid === undefined ? {} : { uid }),
    })
    const results = outcome.json<number[]>()
    possible.forEach(([what, , , expected], index) => {
      const result = results[index] as number
      if (expected === 'runs') t.ok(result >= 0, `${what}: ${result}`)
      else t.equal(result, expected, what)
    })
  })
}

t.test('a later filter of the attacker’s own does not weaken it', async (t) => {
  const outcome = await runVictim({
    source: `
      const { lockdown, webServer, allow, notify } = require('seccomp-ts')
      const attacker = require('./attacker.node')
      lockdown(webServer)
      attacker.diverge()
      console.log(attacker.syscall(${nr('mount')}, 0, 0, 0, 0, 0))`,
  })
  t.equal(outcome.stdout.trim(), String(EPERM))
})
