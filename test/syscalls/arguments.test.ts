import t from 'tap'
import {
  constantNames,
  findSyscall,
  syscallNames,
  type Arch,
  type ArgumentInfo,
} from '../../lib/syscalls'

const ARCHES: readonly Arch[] = ['x86_64', 'aarch64']

function argument(reference: string, arch: Arch = 'x86_64'): ArgumentInfo {
  const [syscall = '', name] = reference.split('.')
  const found = findSyscall(syscall, arch)?.args.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`there is no ${reference} on ${arch}`)
  return found
}

const order = (syscall: string, arch: Arch): string | undefined =>
  findSyscall(syscall, arch)
    ?.args.map(({ name }) => name)
    .join(' ')

t.test('the order of clone depends on the architecture', async (t) => {
  t.equal(order('clone', 'x86_64'), 'clone_flags newsp parent_tidptr child_tidptr tls')
  t.equal(order('clone', 'aarch64'), 'clone_flags newsp parent_tidptr tls child_tidptr')
  t.equal(findSyscall('clone', 'aarch64')?.args[3]?.pointer, false)
  t.equal(findSyscall('clone', 'x86_64')?.args[3]?.pointer, true)
})

t.test('declarations', async (t) => {
  t.equal(order('socket', 'aarch64'), 'family type protocol')
  t.equal(order('mmap', 'x86_64'), 'addr len prot flags fd off')
  t.equal(order('finit_module', 'x86_64'), 'fd uargs flags')
  t.equal(order('listns', 'x86_64'), 'req ns_ids nr_ns_ids flags')
  t.equal(order('getpid', 'x86_64'), '')
  t.equal(order('tuxcall', 'x86_64'), '', 'never implemented, so nobody can name its arguments')
  t.strictSame(argument('openat.filename'), {
    name: 'filename',
    ctype: 'const char *',
    width: 64,
    signed: false,
    pointer: true,
  })
  t.strictSame(argument('socket.family'), {
    name: 'family',
    ctype: 'int',
    width: 32,
    signed: true,
    pointer: false,
    constants: 'AF',
  })
  t.equal(argument('fadvise64.len', 'x86_64').ctype, 'size_t')
  t.equal(argument('fadvise64.len', 'aarch64').ctype, 'loff_t')
})

t.test('widths by declaration', async (t) => {
  const widths: readonly (readonly [string, number, boolean])[] = [
    ['chmod.mode', 16, false], // umode_t
    ['openat.mode', 16, false],
    ['mq_open.mode', 16, false],
    ['ioctl.cmd', 32, false],
    ['read.fd', 32, false],
    ['openat.dfd', 32, true],
    ['kill.pid', 32, true],
    ['clock_gettime.which_clock', 32, true], // const clockid_t
    ['add_key.ringid', 32, true],
    ['inotify_rm_watch.wd', 32, true],
    ['preadv2.flags', 32, true], // rwf_t
    ['setuid.uid', 32, false],
    ['landlock_add_rule.rule_type', 32, false],
    ['write.count', 64, false],
    ['lseek.offset', 64, true],
    ['fanotify_mark.mask', 64, false],
    ['msgrcv.msgtyp', 64, true],
  ]
  for (const [reference, width, signed] of widths) {
    for (const arch of reference.startsWith('chmod') ? (['x86_64'] as const) : ARCHES) {
      const found = argument(reference, arch)
      t.strictSame([found.width, found.signed], [width, signed], `${reference} on ${arch}`)
    }
  }
})

t.test('widths where the kernel uses less than it declares', async (t) => {
  const narrowed: readonly (readonly [string, boolean])[] = [
    ['clone.clone_flags', false],
    ['mmap.prot', false],
    ['mmap.flags', false],
    ['mmap.fd', true],
    ['readv.fd', false],
    ['writev.fd', false],
    ['preadv.fd', false],
    ['pwritev.fd', false],
    ['preadv2.fd', false],
    ['pwritev2.fd', false],
    ['readv.vlen', false],
    ['vmsplice.nr_segs', false],
    ['process_madvise.vlen', false],
    ['process_vm_readv.liovcnt', false],
    ['ptrace.pid', true],
    ['mount.flags', false],
    ['mbind.mode', true],
    ['kcmp.idx1', false],
    ['kexec_load.flags', false],
    ['remap_file_pages.flags', false],
  ]
  for (const [reference, signed] of narrowed) {
    for (const arch of ARCHES) {
      const found = argument(reference, arch)
      t.strictSame([found.width, found.signed], [32, signed], `${reference} on ${arch}`)
      t.match(found.ctype, /^(unsigned )?long$|^size_t$/, 'the declaration is kept')
    }
  }
})

t.test('widths that stay, because all bits are used or refused', async (t) => {
  const kept = [
    ...['mprotect.prot', 'pkey_mprotect.prot', 'unshare.unshare_flags', 'mremap.flags'],
    ...['ptrace.request', 'ioctl.arg', 'fcntl.arg', 'prctl.arg2', 'prctl.arg5', 'keyctl.arg2'],
    ...['perf_event_open.flags', 'kexec_file_load.flags', 'process_vm_readv.riovcnt', 'clone.tls'],
    ...['kcmp.idx2', 'mmap.addr', 'mmap.off', 'futex_wait.mask'],
  ]
  for (const reference of kept) {
    for (const arch of ARCHES) t.equal(argument(reference, arch).width, 64, reference)
  }
})

t.test('every argument is well formed, and its constants exist', async (t) => {
  const isPointer = (ctype: string): boolean => /\*|^(const )?cap_user_/.test(ctype)
  const wrong: string[] = []
  let constants = 0
  for (const arch of ARCHES) {
    for (const name of syscallNames(arch)) {
      const { args } = findSyscall(name, arch)!
      if (new Set(args.map((arg) => arg.name)).size !== args.length) wrong.push(name)
      for (const arg of args) {
        const formed =
          arg.pointer === isPointer(arg.ctype) &&
          (arg.pointer
            ? arg.width === 64 && !arg.signed && arg.constants === undefined
            : [16, 32, 64].includes(arg.width))
        const named = arg.constants === undefined || constantNames(arg.constants).length > 0
        if (!formed || !named) wrong.push(`${name}.${arg.name} on ${arch}`)
        if (arg.constants !== undefined) constants++
      }
    }
  }
  t.same(wrong, [])
  t.ok(constants > 350, `${constants} arguments have constants`)
})

t.test('nobody can change the tables', async (t) => {
  const info = findSyscall('socket', 'x86_64')!
  t.throws(() => {
    ;(info as { number: number }).number = 1
  }, TypeError)
  t.throws(() => {
    ;(info.args[0] as { width: number }).width = 64
  }, TypeError)
  t.throws(() => (info.args as ArgumentInfo[]).pop(), TypeError)
})
