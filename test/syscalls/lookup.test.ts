import t from 'tap'
import { AUDIT_ARCH_AARCH64, AUDIT_ARCH_X86_64 } from '../../lib/syscalls/generated/tables'
import {
  AUDIT_ARCH,
  findSyscall,
  isSyscallName,
  syscallName,
  syscallNames,
  type Arch,
} from '../../lib/syscalls'

const ARCHES: readonly Arch[] = ['x86_64', 'aarch64']

/** Numbers that are in every list of system calls: asm/unistd_64.h and asm-generic/unistd.h. */
const KNOWN: readonly (readonly [
  name: string,
  x86: number | undefined,
  arm: number | undefined,
])[] = [
  ['read', 0, 63],
  ['write', 1, 64],
  ['open', 2, undefined],
  ['openat', 257, 56],
  ['mmap', 9, 222],
  ['ioctl', 16, 29],
  ['clone', 56, 220],
  ['fork', 57, undefined],
  ['execve', 59, 221],
  ['ptrace', 101, 117],
  ['seccomp', 317, 277],
  ['bpf', 321, 280],
  ['kexec_file_load', 320, 294],
  ['io_uring_setup', 425, 425],
  ['clone3', 435, 435],
  ['uretprobe', 335, undefined],
  ['rseq_slice_yield', 471, 471],
]

t.test('numbers', async (t) => {
  for (const [name, x86, arm] of KNOWN) {
    t.equal(findSyscall(name, 'x86_64')?.number, x86, `${name} on x86-64`)
    t.equal(findSyscall(name, 'aarch64')?.number, arm, `${name} on aarch64`)
    t.ok(isSyscallName(name), name)
  }
})

t.test('names of numbers', async (t) => {
  t.equal(syscallName(0, 'x86_64'), 'read')
  t.equal(syscallName(0, 'aarch64'), 'io_setup')
  t.equal(syscallName(435, 'aarch64'), 'clone3')
  t.equal(syscallName(335, 'aarch64'), undefined, 'a gap')
  t.equal(syscallName(100_000, 'x86_64'), undefined)
  t.equal(syscallName(-1, 'x86_64'), undefined)
})

t.test('each name leads to its number and back', async (t) => {
  for (const arch of ARCHES) {
    const wrong = syscallNames(arch).filter((name) => {
      const info = findSyscall(name, arch)
      return (
        info?.name !== name ||
        syscallName(info.number, arch) !== name ||
        !/^\d+\.\d+$/.test(info.since) ||
        info.args.length > 6
      )
    })
    t.same(wrong, [], arch)
    t.ok(syscallNames(arch).length > 320, 'all of them are there')
  }
})

t.test('lists', async (t) => {
  const all = syscallNames()
  t.same(all, [...all].sort(), 'sorted')
  t.equal(new Set(all).size, all.length, 'each once')
  t.same(new Set([...syscallNames('x86_64'), ...syscallNames('aarch64')]), new Set(all))
  t.ok(syscallNames('x86_64').includes('open'))
  t.notOk(syscallNames('aarch64').includes('open'))
  t.throws(() => (all as string[]).push('mine'), TypeError, 'nobody can add to the table')
})

t.test('what is not a system call', async (t) => {
  for (const name of [
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    '',
    'Read',
    'read ',
  ]) {
    for (const arch of ARCHES) t.equal(findSyscall(name, arch), undefined, `"${name}"`)
    t.equal(isSyscallName(name), false, `"${name}"`)
  }
})

t.test('first kernels', async (t) => {
  const since = (name: string, arch: Arch): string | undefined => findSyscall(name, arch)?.since
  t.equal(since('read', 'x86_64'), '2.6')
  t.equal(since('read', 'aarch64'), '3.7', 'when the architecture was merged')
  t.equal(since('clone3', 'x86_64'), '5.3')
  t.equal(since('membarrier', 'x86_64'), '4.3')
  t.equal(since('rseq', 'x86_64'), '4.18')
  t.equal(since('rseq', 'aarch64'), '4.19')
  t.equal(since('kexec_file_load', 'x86_64'), '3.17')
  t.equal(since('kexec_file_load', 'aarch64'), '5.0')
  t.equal(since('map_shadow_stack', 'x86_64'), '6.6')
  t.equal(since('map_shadow_stack', 'aarch64'), '6.13')
  t.equal(since('rseq_slice_yield', 'aarch64'), '7.0')
})

t.test('AUDIT_ARCH', async (t) => {
  t.same(AUDIT_ARCH, { x86_64: 0xc000003e, aarch64: 0xc00000b7 })
  // What the generator read from linux/audit.h.
  t.same(AUDIT_ARCH, { x86_64: AUDIT_ARCH_X86_64, aarch64: AUDIT_ARCH_AARCH64 })
})
