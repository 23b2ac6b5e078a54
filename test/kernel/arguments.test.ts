/**
 * Arguments against the kernel itself: what the kernel ignores in a register must neither get an
 * attacker past a rule nor break a call that is allowed.
 */
import t from 'tap'
import { findSyscall } from '../../lib/syscalls'
import { runVictim, UNPRIVILEGED } from '../helpers/victim'

const arch = process.arch === 'x64' ? 'x86_64' : 'aarch64'
const nr = (name: string): number => {
  const found = findSyscall(name, arch)
  if (found === undefined) throw new Error(`${name} is not on ${arch}`)
  return found.number
}

interface Case {
  readonly name: string
  /** The rules, as source. */
  readonly syscalls: string
  /** [what, arguments of attacker.syscall as source, expected: result or 'ok' for >= 0] */
  readonly calls: readonly (readonly [string, string, number | 'ok'])[]
}

const EPERM = -1
const garbage = 'deadbeef'

/** A directory descriptor that is not open: what runs answers EBADF, what is refused EPERM. */
const EBADF = -9
const EAFNOSUPPORT = -97
const ESRCH = -3

const cases: readonly Case[] = [
  {
    name: 'an allow rule on an int holds with garbage in the upper half',
    syscalls: `socket: allow.when({ family: eq('AF_INET') })`,
    calls: [
      ['clean', `${nr('socket')}, 2n, 1n, 0n`, 'ok'],
      ['garbage above', `${nr('socket')}, 0x${garbage}00000002n, 1n, 0n`, 'ok'],
      ['another family', `${nr('socket')}, 10n, 1n, 0n`, EPERM],
      ['another family, garbage above', `${nr('socket')}, 0x${garbage}0000000an, 1n, 0n`, EPERM],
    ],
  },
  {
    name: 'a deny rule on an int is not bypassed by garbage in the upper half',
    syscalls: `socket: [errno('EPERM').when({ family: eq('AF_VSOCK') }), allow]`,
    calls: [
      ['clean', `${nr('socket')}, 40n, 1n, 0n`, EPERM],
      ['0x100000028', `${nr('socket')}, 0x100000028n, 1n, 0n`, EPERM],
      ['all ones above', `${nr('socket')}, 0xffffffff00000028n, 1n, 0n`, EPERM],
      ['AF_INET', `${nr('socket')}, 2n, 1n, 0n`, 'ok'],
    ],
  },
  {
    name: 'a negative int is negative, sign- or zero-extended',
    syscalls: `kill: [errno('EPERM').when({ pid: lt(0) }), allow]`,
    calls: [
      ['-1, sign-extended', `${nr('kill')}, -1n, 0n`, EPERM],
      ['-1, zero-extended', `${nr('kill')}, 0xffffffffn, 0n`, EPERM],
      ['INT_MIN', `${nr('kill')}, 0x80000000n, 0n`, EPERM],
      ['INT_MIN, garbage above', `${nr('kill')}, 0x1234567880000000n, 0n`, EPERM],
      ['INT_MAX', `${nr('kill')}, 0x7fffffffn, 0n`, ESRCH],
      ['0', `${nr('kill')}, 0n, 0n`, 'ok'],
      ['0, garbage above', `${nr('kill')}, 0xffffffff00000000n, 0n`, 'ok'],
    ],
  },
  {
    name: 'ge and le at the signed boundary',
    syscalls: `kill: [allow.when({ pid: ge(2147483647) }), allow.when({ pid: le(-2147483648) })]`,
    calls: [
      ['INT_MAX', `${nr('kill')}, 0x7fffffffn, 0n`, ESRCH],
      ['INT_MAX - 1', `${nr('kill')}, 0x7ffffffen, 0n`, EPERM],
      ['INT_MIN', `${nr('kill')}, 0x80000000n, 0n`, ESRCH],
      ['INT_MIN + 1', `${nr('kill')}, 0x80000001n, 0n`, EPERM],
    ],
  },
  {
    name: 'umode_t is sixteen bits',
    syscalls: `fchmod: [errno('EPERM').when({ mode: eq(0o777) }), allow]`,
    calls: [
      ['0777', `${nr('fchmod')}, 9999n, 0x1ffn`, EPERM],
      ['0x101ff', `${nr('fchmod')}, 9999n, 0x101ffn`, EPERM],
      ['garbage above', `${nr('fchmod')}, 9999n, 0xabcdef01234501ffn`, EPERM],
      ['0776', `${nr('fchmod')}, 9999n, 0x1fen`, EBADF],
    ],
  },
  {
    name: 'clone flags are the low word of an unsigned long',
    syscalls: `clone: [errno('EPERM').when({ clone_flags: hasAny('CLONE_NEWUSER') }), allow]`,
    calls: [
      ['CLONE_NEWUSER', `${nr('clone')}, 0x10000011n`, EPERM],
      ['garbage above', `${nr('clone')}, 0xdeadbeef10000011n`, EPERM],
    ],
  },
  {
    name: '64-bit arguments compare both words',
    syscalls: `lseek: [allow.when({ offset: between(0x100000000n, 0x1ffffffffn) }), allow.when({ offset: eq(5) })]`,
    calls: [
      ['first', `${nr('lseek')}, 9999n, 0x100000000n, 0n`, EBADF],
      ['last', `${nr('lseek')}, 9999n, 0x1ffffffffn, 0n`, EBADF],
      ['one below', `${nr('lseek')}, 9999n, 0xffffffffn, 0n`, EPERM],
      ['one above', `${nr('lseek')}, 9999n, 0x200000000n, 0n`, EPERM],
      ['5', `${nr('lseek')}, 9999n, 5n, 0n`, EBADF],
      ['5, and a high word', `${nr('lseek')}, 9999n, 0x700000005n, 0n`, EPERM],
    ],
  },
  {
    name: 'signed 64-bit comparisons',
    syscalls: `lseek: allow.when({ offset: lt(0) })`,
    calls: [
      ['-1', `${nr('lseek')}, 9999n, -1n, 0n`, EBADF],
      ['the least', `${nr('lseek')}, 9999n, 0x8000000000000000n, 0n`, EBADF],
      ['the greatest', `${nr('lseek')}, 9999n, 0x7fffffffffffffffn, 0n`, EPERM],
      ['0', `${nr('lseek')}, 9999n, 0n, 0n`, EPERM],
    ],
  },
  {
    name: 'raw arguments and width: 64 compare the whole register',
    syscalls: `socket: [allow.when({ arg0: eq(2) }), allow.when({ family: { ...eq('AF_UNIX'), width: 64 } })]`,
    calls: [
      ['raw, clean', `${nr('socket')}, 2n, 1n, 0n`, 'ok'],
      ['raw, garbage above', `${nr('socket')}, 0x100000002n, 1n, 0n`, EPERM],
      ['width 64, clean', `${nr('socket')}, 1n, 1n, 0n`, 'ok'],
      ['width 64, garbage above', `${nr('socket')}, 0x100000001n, 1n, 0n`, EPERM],
    ],
  },
  {
    name: 'masks and sets',
    syscalls: `socket: [
      errno('EAFNOSUPPORT').when({ type: maskedEq(0xf, 'SOCK_RAW') }),
      allow.when({ family: oneOf('AF_INET', 'AF_UNIX'), type: hasAll('SOCK_CLOEXEC') }),
      allow.when({ family: noneOf('AF_INET', 'AF_UNIX', 'AF_INET6') }),
    ]`,
    calls: [
      ['SOCK_RAW | SOCK_CLOEXEC', `${nr('socket')}, 2n, 0x80003n, 0n`, EAFNOSUPPORT],
      ['SOCK_STREAM | SOCK_CLOEXEC', `${nr('socket')}, 2n, 0x80001n, 0n`, 'ok'],
      ['SOCK_STREAM', `${nr('socket')}, 2n, 1n, 0n`, EPERM],
      ['AF_INET6', `${nr('socket')}, 10n, 0x80001n, 0n`, EPERM],
      ['a family that does not exist', `${nr('socket')}, 77n, 1n, 0n`, EAFNOSUPPORT],
    ],
  },
]

for (const uid of [undefined, UNPRIVILEGED]) {
  for (const { name, syscalls, calls } of cases) {
    t.test(`${name}${uid === undefined ? '' : ', unprivileged'}`, async (t) => {
      const outcome = await runVictim({
        source: `
          const { lockdown, allow, errno, eq, ne, lt, le, gt, ge, between, oneOf, noneOf, maskedEq,
            hasAll, hasAny, hasNone } = require('seccomp-ts')
          const attacker = require('./attacker.node')
          // A deny rule and the default must not be confused: the default allows, or denies all of
          // the named call alone.
          const rules = { ${syscalls} }
          for (const name of Object.keys(rules)) rules[name] = [rules[name]].flat()
          for (const list of Object.values(rules)) {
            const last = list.at(-1)
            if (last.when && typeof last.when === 'object') list.push(errno('EPERM'))
          }
          lockdown({ default: allow, syscalls: rules })
          console.log(JSON.stringify([${calls.map(([, args]) => `attacker.syscall(${args})`).join(', ')}]))
        `,
        ...(uid === undefined ? {} : { uid }),
      })
      const results = outcome.json<number[]>()
      calls.forEach(([what, , expected], index) => {
        const result = results[index] as number
        if (expected === 'ok') t.ok(result >= 0, `${what}: ${result}`)
        else t.equal(result, expected, what)
      })
    })
  }
}
