'use strict'
/**
 * What an attacker does once code of theirs runs in a Node process, each as one attempt. It gives the
 * kernel's answer, a result or a negative errno, or says in words why it could not be made.
 */
const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const attacker = require('./attacker/build/Release/attacker.node')

const x64 = process.arch === 'x64'
/** System call numbers: [x86-64, arm64]. asm/unistd_64.h, asm-generic/unistd.h. */
const numbers = {
  execve: [59, 221],
  execveat: [322, 281],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  mount: [165, 40],
  unshare: [272, 97],
  setns: [308, 268],
  socket: [41, 198],
  ioctl: [16, 29],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  keyctl: [250, 219],
  init_module: [175, 105],
  finit_module: [313, 273],
  kexec_load: [246, 104],
  memfd_create: [319, 279],
  pidfd_getfd: [438, 438],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  kill: [62, 129],
}
const nr = (name) => numbers[name][x64 ? 0 : 1]
const call = (name, ...args) => attacker.syscall(nr(name), ...args)

/** What a JavaScript API that throws came to, in the same terms. */
const viaNode = (run) => {
  try {
    run()
    return 0
  } catch (error) {
    return typeof error.errno === 'number' ? error.errno : -1
  }
}

const garbage = 0xdeadbeef00000000n
const victim = process.ppid

/** [what, attempt] */
const attempts = [
  ['spawn a shell (child_process)', () => viaNode(() => execFileSync('/bin/sh', ['-c', 'true']))],
  // With no such file, what would have run answers ENOENT instead of replacing this process.
  ['execve(2) directly', () => call('execve', '/nonexistent/sh', 0, 0)],
  ['fileless exec: memfd_create', () => call('memfd_create', 'payload', 0)],
  ['fileless exec: execveat', () => call('execveat', -1, '', 0, 0, 0x1000)],
  ['fork(2)', () => attacker.fork()],
  // CLONE_NEWUSER; and CLONE_NEWUTS, as a process with threads cannot change its user namespace.
  ['fork into a new user namespace', () => attacker.fork(0x10000000)],
  ['the same, garbage in the upper half', () => attacker.fork(garbage | 0x10000000n)],
  ['move to a new namespace (unshare)', () => call('unshare', 0x04000000)],
  ['enter another namespace (setns)', () => call('setns', -1, 0)],
  ['mount a file system', () => call('mount', 'none', '/nonexistent', 'tmpfs', 0, 0)],
  ['attach to the parent (ptrace)', () => call('ptrace', 0x4206, victim, 0, 0)],
  ['read the parent’s memory', () => call('process_vm_readv', victim, 0, 0, 0, 0, 0)],
  ['steal a descriptor (pidfd_getfd)', () => call('pidfd_getfd', -1, 0, 0)],
  ['signal another process', () => call('kill', victim, 0)],
  ['raw socket', () => call('socket', 2, 3, 1)],
  ['packet socket', () => call('socket', 17, 3, 0)],
  ['AF_ALG socket', () => call('socket', 38, 5, 0)],
  ['AF_ALG, garbage in the upper half', () => call('socket', garbage | 38n, garbage | 5n, 0)],
  ['AF_VSOCK socket', () => call('socket', 40, 1, 0)],
  ['AF_VSOCK, garbage in the upper half', () => call('socket', 0x100000028n, 1, 0)],
  ['netfilter netlink socket', () => call('socket', 16, 3, 12)],
  ['load a BPF program', () => call('bpf', 5, 0, 0)],
  ['perf_event_open', () => call('perf_event_open', 0, 0, -1, -1, 0)],
  ['userfaultfd', () => call('userfaultfd', 1)],
  ['kernel keyrings (keyctl)', () => call('keyctl', 0, -3, 0)],
  ['load a kernel module (init_module)', () => call('init_module', 0, 0, '')],
  ['load a kernel module (finit_module)', () => call('finit_module', -1, '', 0)],
  ['replace the kernel (kexec_load)', () => call('kexec_load', 0, 0, 0, 0)],
  [
    'open a file through libuv’s io_uring',
    () => {
      const read = attacker.readThroughRing('/etc/hostname')
      if (read === null) return 'no ring'
      return typeof read === 'string' ? 0 : read
    },
  ],
  ['a new io_uring', () => call('io_uring_setup', 4, Buffer.alloc(120))],
  ['io_uring_enter', () => call('io_uring_enter', -1, 0, 0, 0, 0, 0)],
  ['type into the terminal (TIOCSTI)', () => call('ioctl', 0, 0x5412, ' ')],
  ['TIOCSTI, garbage in the upper half', () => call('ioctl', 0, garbage | 0x5412n, ' ')],
  ['write a file', () => viaNode(() => fs.writeFileSync('/tmp/seccomp-ts-demo', 'x'))],
  ...(x64
    ? [['execve through the x32 entry', () => attacker.syscall(0x40000000 + 520, 0, 0, 0)]]
    : []),
]

/** The kernel ends the process for this one, so it is tried in a child under the same policy. */
const int80 = () => attacker.int80(11, 0, 0, 0)

/** From a thread of libuv's pool, where a per-thread filter would not reach. */
const onPool = [
  ['mount, from a libuv pool thread', () => attacker.syscallOnPool(nr('mount'), 0, 0, 0, 0, 0)],
  ['raw socket, from a libuv pool thread', () => attacker.syscallOnPool(nr('socket'), 2, 3, 1)],
]

/** Every attempt in turn: [what, result][] */
async function attackAll() {
  const results = attempts.map(([what, run]) => [what, run()])
  for (const [what, run] of onPool) results.push([what, await run()])
  return results
}

module.exports = { attackAll, int80 }
