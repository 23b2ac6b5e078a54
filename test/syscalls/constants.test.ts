import t from 'tap'
import {
  constantNames,
  constantValue,
  errnoName,
  errnoValue,
  findSyscall,
  syscallNames,
  type Arch,
  type ConstantFamily,
} from '../../lib/syscalls'

/** Values as the headers of the kernel have them: x86-64, aarch64. */
const KNOWN: readonly (readonly [
  ConstantFamily,
  string,
  bigint | undefined,
  bigint | undefined,
])[] = [
  ['AF', 'AF_UNIX', 1n, 1n],
  ['AF', 'AF_INET6', 10n, 10n],
  ['AF', 'AF_ALG', 38n, 38n],
  ['AF', 'AF_VSOCK', 40n, 40n],
  ['SOCK', 'SOCK_NONBLOCK', 0x800n, 0x800n],
  ['SOCK', 'SOCK_CLOEXEC', 0x80000n, 0x80000n],
  ['IPPROTO', 'IPPROTO_MPTCP', 262n, 262n],
  ['PROT', 'PROT_EXEC', 4n, 4n],
  ['PROT', 'PROT_BTI', undefined, 0x10n],
  ['MAP', 'MAP_ANONYMOUS', 0x20n, 0x20n],
  ['MAP', 'MAP_32BIT', 0x40n, undefined],
  ['MAP', 'MAP_HUGE_16GB', 0x88000000n, 0x88000000n],
  ['CLONE', 'CLONE_NEWUSER', 0x10000000n, 0x10000000n],
  ['CLONE', 'CSIGNAL', 0xffn, 0xffn],
  // The kernel's own values: in the C library of x86-64, O_LARGEFILE is 0.
  ['O', 'O_LARGEFILE', 0x8000n, 0x20000n],
  ['O', 'O_DIRECT', 0x4000n, 0x10000n],
  ['O', 'O_DIRECTORY', 0x10000n, 0x4000n],
  ['O', 'O_NOFOLLOW', 0x20000n, 0x8000n],
  ['O', 'O_TMPFILE', 0x410000n, 0x404000n],
  ['O', 'O_PATH', 0x200000n, 0x200000n],
  ['O', 'O_ACCMODE', 3n, 3n],
  ['AT', 'AT_EMPTY_PATH', 0x1000n, 0x1000n],
  ['DIRFD', 'AT_FDCWD', -100n, -100n],
  ['PR', 'PR_SET_NO_NEW_PRIVS', 38n, 38n],
  ['PR', 'PR_SET_PTRACER', 0x59616d61n, 0x59616d61n],
  ['F', 'F_DUPFD_CLOEXEC', 1030n, 1030n],
  ['IOCTL', 'TIOCSTI', 0x5412n, 0x5412n],
  ['IOCTL', 'TIOCLINUX', 0x541cn, 0x541cn],
  ['IOCTL', 'TIOCGPTN', 0x80045430n, 0x80045430n],
  ['IOCTL', 'FICLONERANGE', 0x4020940dn, 0x4020940dn],
  ['IOCTL', 'TUNSETIFF', 0x400454can, 0x400454can],
  ['IOCTL', 'KVM_CREATE_VM', 0xae01n, 0xae01n],
  ['SIG', 'SIGSYS', 31n, 31n],
  ['PTRACE', 'PTRACE_SEIZE', 0x4206n, 0x4206n],
  ['PTRACE', 'PTRACE_GETREGS', 12n, undefined],
  ['PTRACE', 'PTRACE_PEEKMTETAGS', undefined, 33n],
  ['MS', 'MS_BIND', 4096n, 4096n],
  ['MSYNC', 'MS_SYNC', 4n, 4n],
  ['PERSONALITY', 'ADDR_NO_RANDOMIZE', 0x40000n, 0x40000n],
  ['SECCOMP', 'SECCOMP_SET_MODE_FILTER', 1n, 1n],
  ['SECCOMP_FILTER_FLAG', 'SECCOMP_FILTER_FLAG_NEW_LISTENER', 8n, 8n],
  ['ARCH', 'ARCH_SET_FS', 0x1002n, undefined],
  ['KEY_SPEC', 'KEY_SPEC_SESSION_KEYRING', -3n, -3n],
  ['BPF', 'BPF_PROG_LOAD', 5n, 5n],
  ['RWF', 'RWF_DONTCACHE', 0x80n, 0x80n],
]

t.test('values', async (t) => {
  for (const [family, name, x86, arm] of KNOWN) {
    t.equal(constantValue(family, name, 'x86_64'), x86, `${name} on x86-64`)
    t.equal(constantValue(family, name, 'aarch64'), arm, `${name} on aarch64`)
    t.ok(constantNames(family).includes(name), name)
  }
})

t.test('what is not a constant', async (t) => {
  for (const name of ['constructor', '__proto__', 'toString', '', 'AF_', 'af_inet', 'AF_INET=2']) {
    t.equal(constantValue('AF', name, 'x86_64'), undefined, `"${name}"`)
    t.equal(errnoValue(name), undefined, `"${name}"`)
  }
  t.equal(constantValue('SOCK', 'AF_INET', 'x86_64'), undefined, 'of another family')
  for (const family of ['constructor', '__proto__', 'ERRNO', '']) {
    t.same(constantNames(family as ConstantFamily), [], `family "${family}"`)
    t.equal(constantValue(family as ConstantFamily, 'AF_INET', 'x86_64'), undefined)
  }
})

t.test('every constant is a value its argument can have', async (t) => {
  const wrong: string[] = []
  for (const arch of ['x86_64', 'aarch64'] satisfies Arch[]) {
    for (const syscall of syscallNames(arch)) {
      for (const { name, width, signed, constants } of findSyscall(syscall, arch)!.args) {
        if (constants === undefined) continue
        const least = signed ? -(2n ** BigInt(width - 1)) : 0n
        const values = constantNames(constants)
          .map((constant) => constantValue(constants, constant, arch))
          .filter((value) => value !== undefined)
        const fit = values.every((value) => value >= least && value < 2n ** BigInt(width))
        if (!fit || values.length === 0) wrong.push(`${syscall}.${name}: ${constants} on ${arch}`)
      }
    }
  }
  t.same(wrong, [])
})

t.test('no family is there twice, and none is empty', async (t) => {
  t.equal(new Set(constantNames('O')).size, constantNames('O').length)
  t.same(constantNames('SHUT'), ['SHUT_RD', 'SHUT_WR', 'SHUT_RDWR'])
  t.throws(() => (constantNames('SHUT') as string[]).push('SHUT_UP'), TypeError)
})

t.test('errno', async (t) => {
  t.equal(errnoValue('EPERM'), 1)
  t.equal(errnoValue('ENOSYS'), 38)
  t.equal(errnoValue('EAFNOSUPPORT'), 97)
  t.equal(errnoValue('EHWPOISON'), 133)
  t.equal(errnoValue('EWOULDBLOCK'), errnoValue('EAGAIN'))
  t.equal(errnoValue('ENOTSUP'), errnoValue('EOPNOTSUPP'))
  t.equal(errnoName(11), 'EAGAIN', 'the usual one of two names')
  t.equal(errnoName(95), 'EOPNOTSUPP')
  t.equal(errnoName(0), undefined)
  t.equal(errnoName(134), undefined)
})
