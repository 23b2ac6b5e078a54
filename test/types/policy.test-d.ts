/**
 * What TypeScript must refuse, and must not. Checked by `tsc`: each `@ts-expect-error` is an error
 * itself where the line under it compiles.
 */
import {
  allow,
  between,
  definePolicy,
  eq,
  errno,
  hasAll,
  hasNone,
  kill,
  lockdown,
  lt,
  maskedEq,
  noneOf,
  oneOf,
  webServer,
  type Policy,
} from '../../lib/index'

// What must compile.
definePolicy({
  name: 'mine',
  default: errno('EPERM'),
  baseline: '5.10',
  syscalls: {
    read: allow,
    socket: [
      allow.when({ family: oneOf('AF_INET', 'AF_INET6'), type: maskedEq(0xf, 'SOCK_STREAM') }),
      allow.when({ family: eq(1n), protocol: between(0, 5) }),
      errno('EAFNOSUPPORT'),
    ],
    openat: allow.when({ flags: maskedEq(['O_ACCMODE', 'O_CREAT'], 'O_RDONLY') }),
    mprotect: allow.when({ prot: hasNone('PROT_EXEC') }),
    clone: allow.when({ clone_flags: hasAll('CLONE_THREAD', 0x100) }),
    kill: allow.when({ pid: eq('SELF'), sig: noneOf('SIGKILL', 0) }),
    prlimit64: allow.when({ arg2: eq(0) }),
    lseek: allow.when({ offset: lt(2n ** 40n) }),
    ioctl: allow.when({ cmd: { ...oneOf('TCGETS', 'FIONREAD'), width: 64 } }),
    ptrace: kill,
  },
})
definePolicy({ ...webServer, syscalls: { ...webServer.syscalls, mkdir: allow } })
// A policy as data, as it comes out of a JSON file.
const data = {
  default: { action: 'errno', errno: 'EPERM' },
  syscalls: {
    socket: [{ action: 'allow', when: { family: { op: 'eq', value: 'AF_UNIX' } } }],
    read: { action: 'allow' },
  },
} as const satisfies Policy
lockdown(data, { ioUring: 'retire' })

// A misspelt system call.
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { opnat: allow },
})

// A misspelt argument, alone and beside a right one.
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { socket: allow.when({ famly: eq('AF_INET') }) },
})
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { socket: allow.when({ family: eq('AF_INET'), typ: eq('SOCK_STREAM') }) },
})
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { socket: [allow.when({ famly: eq('AF_INET') }), errno('EPERM')] },
})

// An argument of another system call.
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { socket: allow.when({ prot: hasNone('PROT_EXEC') }) },
})

// A misspelt constant, and one of another family.
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { socket: allow.when({ family: eq('AF_INTE') }) },
})
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { socket: allow.when({ family: oneOf('AF_INET', 'SOCK_STREAM') }) },
})
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { mprotect: allow.when({ prot: hasNone('PROT_EXECUTE') }) },
})

// A comparator on a pointer.
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { openat: allow.when({ filename: eq(0) }) },
})

// 'SELF' where no process id is.
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { socket: allow.when({ family: eq('SELF') }) },
})

// An errno that does not exist.
// @ts-expect-error
errno('EPERN')

// A comparator without its operands, and an unknown width.
// @ts-expect-error
between(1)
definePolicy({
  default: kill,
  // @ts-expect-error
  syscalls: { socket: allow.when({ family: { ...eq('AF_INET'), width: 32 } }) },
})

// Shapes.
// @ts-expect-error
definePolicy({ syscalls: {} })
// @ts-expect-error
definePolicy({ default: 'kill' })
// @ts-expect-error
definePolicy({ default: kill, sycalls: {} })
// @ts-expect-error
definePolicy({ default: kill, baseline: 'new' })
definePolicy({ default: kill, ceiling: 'statx' })
// @ts-expect-error a misspelt call
definePolicy({ default: kill, ceiling: 'statxx' })
// @ts-expect-error
definePolicy({ default: allow.when({ arg0: eq(1) }) })
// @ts-expect-error
lockdown(webServer, { ioUring: 'off' })
// @ts-expect-error
lockdown(webServer, { tsync: false })
