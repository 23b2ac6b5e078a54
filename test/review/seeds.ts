/** One mistake for each rule of lint, and where it is. */
import { allow, between, errno, eq, ge, gt, lt, oneOf, type Policy } from '../../lib/policy'
import { RUNTIME_NEEDS } from '../../lib/knowledge/runtime-needs'
import type { LintRule } from '../../lib/review/rules'
import type { ReviewOptions } from '../../lib/review/subject'
import { allowed, arg, denied, profileOf } from '../helpers/profiles'

export interface Seed {
  readonly input: string | Policy
  /** The text that the finding points at, where it is in a text. */
  readonly at?: string
  readonly options?: ReviewOptions
}

const inText = (input: string, at: string, options?: ReviewOptions): Seed => ({
  input,
  at,
  ...(options === undefined ? {} : { options }),
})

/** What a runtime needs to start anything, so that nothing is said of that. */
const NEEDED = [...RUNTIME_NEEDS.runc.always, ...RUNTIME_NEEDS.runc.withPrivileges]

const own = (syscalls: object, more: object = {}): Policy => ({
  default: errno('EPERM'),
  syscalls,
  ...more,
})

const X32 = { architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X32'] }

/** An allow-list of Docker's form with a condition, which makes it Docker's. */
const CONDITIONAL = allowed(['mount'], null, { includes: { caps: ['CAP_SYS_ADMIN'] } })

const spo = (spec: object): string =>
  JSON.stringify(
    {
      apiVersion: 'security-profiles-operator.x-k8s.io/v1beta1',
      kind: 'SeccompProfile',
      metadata: { name: 'x' },
      spec,
    },
    null,
    1,
  )

export const SEEDS: Readonly<Record<LintRule, Seed>> = {
  // lib/analysis/lint.ts
  'shadowed-rule': {
    input: own({
      lseek: [
        allow.when({ whence: lt(3) }),
        errno('EPERM').when({ whence: gt(1) }),
        errno('EACCES').when({ offset: eq(5) }),
      ],
    }),
  },
  'impossible-rule': {
    input: own({ lseek: [allow.when({ offset: lt(5), arg1: between(5, 9) }), errno('EACCES')] }),
  },
  'widened-rule': { input: own({ read: [allow.when({ fd: eq(3) }), allow] }) },
  'redundant-rule': {
    input: own({ read: [allow.when({ fd: eq(3) }), errno('EPERM')] }),
  },
  'constant-condition': { input: own({ mmap: allow.when({ len: ge(0) }) }) },
  'implied-condition': {
    input: own({ socket: allow.when({ family: oneOf(2, 10), arg0: eq(2) }) }),
  },
  'redundant-syscall': { input: own({ mkdir: errno('EPERM') }) },

  // The text.
  'byte-order-mark': { input: `\ufeff${profileOf([allowed(['read'])])}` },
  comment: inText(`{ "defaultAction": "SCMP_ACT_ERRNO", // why\n "syscalls": [] }`, '// why'),
  yaml: inText('defaultAction: SCMP_ACT_ERRNO\nsyscalls: []\n', 'defaultAction'),
  'other-document': inText(
    [
      'apiVersion: security-profiles-operator.x-k8s.io/v1',
      'kind: SeccompProfile',
      'metadata: { name: x }',
      'spec: { defaultAction: SCMP_ACT_ERRNO }',
      '---',
      'kind: Pod',
    ].join('\n'),
    'kind: Pod',
  ),
  'duplicate-key': inText(
    '{ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [],\n "syscalls": [] }',
    '"syscalls": [] }',
  ),
  'key-case': inText('{ "defaultAction": "SCMP_ACT_ERRNO",\n "Syscalls": [] }', '"Syscalls"'),
  'unknown-key': inText(profileOf([], { defaultErno: 1 }), '"defaultErno"'),
  'ignored-key': inText(profileOf([CONDITIONAL]), '"includes"', { dialect: 'containerd' }),
  'missing-key': inText(profileOf([{ names: ['read'] }]), '{\n   "names"'),
  'wrong-type': inText(profileOf([allowed('read')]), '"read"'),
  'number-range': inText(profileOf([allowed(['read'], [arg(6, 'EQ', 1)])]), '6'),
  'errno-range': inText(profileOf([denied(['read'], 4096)]), '4096'),
  'unused-value': inText(profileOf([allowed(['read'], [arg(0, 'EQ', 1, 2)])]), '2,\n     "op"'),
  'mask-bits': inText(profileOf([allowed(['read'], [arg(0, 'MASKED_EQ', 1, 3)])]), '3,\n     "op"'),
  'argument-count': {
    input: profileOf([
      allowed(
        ['read'],
        [0, 1, 2, 3, 4, 5, 0].map((at) => arg(at, 'EQ', 7)),
      ),
    ]),
  },
  'repeated-argument': inText(
    profileOf([allowed(['lseek'], [arg(2, 'GE', 1), arg(2, 'LE', 2)])]),
    '{\n     "index": 2,\n     "value": 1',
  ),
  'unknown-action': inText(
    profileOf([{ names: ['read'], action: 'SCMP_ACT_ALOW' }]),
    '"SCMP_ACT_ALOW"',
  ),
  'unknown-operator': inText(profileOf([allowed(['read'], [arg(0, 'QE', 1)])]), '"SCMP_CMP_QE"'),
  'unknown-architecture': inText(
    profileOf([], { architectures: ['SCMP_ARCH_X8664'] }),
    '"SCMP_ARCH_X8664"',
  ),
  'unknown-flag': inText(
    profileOf([], { flags: ['SECCOMP_FILTER_FLAG_LOGG'] }),
    '"SECCOMP_FILTER_FLAG_LOGG"',
  ),
  'unknown-errno': inText(
    profileOf([{ names: ['read'], action: 'SCMP_ACT_ERRNO', errno: 'EPRM' }]),
    '"EPRM"',
  ),
  'errno-conflict': inText(
    profileOf([{ names: ['read'], action: 'SCMP_ACT_ERRNO', errno: 'EPERM', errnoRet: 38 }]),
    '"EPERM"',
  ),
  'errno-unused': inText(profileOf([allowed(['read'], null, { errnoRet: 9 })]), '9'),
  'errno-zero': inText(profileOf([denied(['mkdir'], 0)]), '0'),
  'errno-dropped': {
    input: spo({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [denied(['mkdir'], 0)] }),
  },
  'unknown-capability': inText(
    profileOf([allowed(['mount'], null, { includes: { caps: ['CAP_SYSADMIN'] } })]),
    '"CAP_SYSADMIN"',
  ),
  'min-kernel': inText(
    profileOf([allowed(['mount'], null, { includes: { minKernel: '5.10.1' } })]),
    '"5.10.1"',
  ),
  'empty-name': inText(profileOf([allowed(['read', ''])]), '""'),
  'no-names': inText(profileOf([allowed([])]), '{\n   "names"'),
  'old-name': inText(profileOf([{ name: 'read', action: 'SCMP_ACT_ALLOW' }]), '"read"'),
  'name-and-names': inText(
    profileOf([{ name: 'read', names: ['write'], action: 'SCMP_ACT_ALLOW' }]),
    '"read"',
  ),
  'duplicate-name': inText(profileOf([allowed(['write', 'read', 'write'])]), '"write"\n'),
  'architectures-and-archmap': {
    input: profileOf([], {
      architectures: ['SCMP_ARCH_X86_64'],
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] }],
    }),
  },
  'native-architecture': inText(
    profileOf([], { architectures: ['SCMP_ARCH_NATIVE'] }),
    '"SCMP_ARCH_NATIVE"',
  ),
  'native-not-listed': { input: profileOf([], { architectures: ['SCMP_ARCH_AARCH64'] }) },
  'listener-metadata': { input: profileOf([], { listenerMetadata: 'x' }) },
  'notify-without-listener': {
    input: profileOf([{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }]),
  },
  'base-profile': { input: spo({ defaultAction: 'SCMP_ACT_ERRNO', baseProfileName: 'runc-v1' }) },
  disabled: { input: spo({ defaultAction: 'SCMP_ACT_ERRNO', disabled: true }) },
  'unknown-group': inText('SystemCallFilter=@system-servce\n', '@system-servce'),
  'nothing-removed': inText('SystemCallFilter=read\nSystemCallFilter=~write\n', 'write'),
  reset: { input: 'SystemCallFilter=read\nSystemCallFilter=\nSystemCallFilter=write\n' },

  // For a target.
  'same-as-default': {
    input: profileOf([denied(['mkdir'], 1, [arg(1, 'EQ', 1)])]),
    options: { runtime: 'runc' },
  },
  'never-holds': {
    input: profileOf([allowed(['lseek'], [arg(2, 'EQ', 1), arg(2, 'EQ', 2)])]),
  },
  conflict: inText(
    profileOf([denied(['lseek'], 5, [arg(2, 'EQ', 1)]), allowed(['lseek'], [arg(2, 'LE', 3)])]),
    '{\n   "names": [\n    "lseek"\n   ],\n   "action": "SCMP_ACT_ALLOW"',
  ),
  'kill-thread': inText(
    profileOf([{ names: ['mkdir'], action: 'SCMP_ACT_KILL' }]),
    '{\n   "names"',
  ),
  'no-filter': { input: 'SystemCallErrorNumber=EPERM\n' },
  'too-many-rules': {
    input: JSON.stringify({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: Array.from({ length: 1010 }, (_, value) =>
        denied(['ioctl'], 2 + (value % 2), [arg(1, 'EQ', value)]),
      ),
    }),
  },
  refused: {
    input: profileOf([{ names: ['mkdir'], action: 'SCMP_ACT_NOTIFY' }]),
    options: { runtime: 'runc' },
  },
  undetermined: {
    input: profileOf([
      denied(['lseek'], 5, [arg(2, 'EQ', 1)]),
      allowed(['lseek'], [arg(2, 'LE', 3)]),
    ]),
    options: { runtime: 'crun' },
  },
  'invalid-policy': inText(
    JSON.stringify(
      { default: { action: 'errno', errno: 'EPERM' }, syscalls: { raed: {} } },
      null,
      1,
    ),
    '{}',
  ),

  // What it means.
  'unknown-syscall': inText(profileOf([allowed(['read', 'raed'])]), '"raed"'),
  'pseudo-syscall': inText(profileOf([allowed(['read', 'procexit'])]), '"procexit"'),
  'not-on-architecture': inText(
    profileOf([allowed(['read', '_llseek'])], { architectures: ['SCMP_ARCH_X86_64'] }),
    '"_llseek"',
  ),
  'kill-thread-default': inText(
    JSON.stringify({ defaultAction: 'SCMP_ACT_KILL', syscalls: [allowed(NEEDED)] }),
    '"defaultAction"',
  ),
  'default-allows': inText(
    JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [denied(['mount'])] }),
    '"defaultAction"',
  ),
  'default-logs': inText(JSON.stringify({ defaultAction: 'SCMP_ACT_LOG' }), '"defaultAction"'),
  'trace-without-tracer': inText(
    profileOf([{ names: ['mkdir'], action: 'SCMP_ACT_TRACE' }]),
    '{\n   "names"',
  ),
  'wide-comparison': inText(
    profileOf([allowed(['socket'], [arg(0, 'LT', 40)]), allowed(['socket'], [arg(0, 'GT', 40)])]),
    '{\n   "names": [\n    "socket"\n   ],\n   "action": "SCMP_ACT_ALLOW",\n   "args": [\n    {\n     "index": 0,\n     "value": 40,\n     "op": "SCMP_CMP_GT"',
  ),
  'clone3-open': inText(
    profileOf([
      allowed(['clone'], [arg(0, 'MASKED_EQ', 0x7e020000, 0)]),
      allowed(['clone3', ...NEEDED]),
    ]),
    '{\n   "names": [\n    "clone3"',
  ),
  'openat2-open': inText(
    profileOf([allowed(['openat'], [arg(2, 'MASKED_EQ', 3, 0)]), allowed(['openat2'])]),
    '{\n   "names": [\n    "openat2"',
  ),
  'io-uring-open': inText(
    profileOf([allowed(NEEDED), allowed(['io_uring_setup', 'io_uring_enter'])]),
    '{\n   "names": [\n    "io_uring_setup"',
  ),
  'socketcall-open': inText(
    profileOf([allowed(['socket'], [arg(0, 'EQ', 2)]), allowed(['socketcall'])], {
      architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    }),
    '"socketcall"',
  ),
  'x32-listed': inText(profileOf([], X32), '"SCMP_ARCH_X32"'),
  'equivalent-open': inText(
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [denied(['chmod', 'fchmod', 'fchmodat'])],
    }),
    '"defaultAction"',
  ),
  'no-fallback': inText(
    profileOf([allowed(['clone', 'set_mempolicy_home_node'])]),
    '"defaultAction"',
  ),
  'runtime-needs': inText(profileOf([allowed(['read'])]), '"defaultAction"'),
  'runtime-needs-privileges': inText(
    profileOf([allowed(NEEDED.filter((name) => name !== 'setgid'))]),
    '"defaultAction"',
  ),
  'node-needs': { input: own({ read: allow }) },
  'docker-only-keys': inText(
    profileOf([allowed(NEEDED), CONDITIONAL]),
    '{\n   "names": [\n    "mount"',
  ),
  'dangerous-call': inText(profileOf([allowed(['ptrace'])]), '{\n   "names"'),
}
