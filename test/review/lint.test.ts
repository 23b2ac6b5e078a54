/** Every rule finds its mistake, at its place; and the rules say what is so. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { simulate } from '../../lib/analysis'
import { PolicyError, ProfileError } from '../../lib/errors'
import { allow, errno, eq, kill } from '../../lib/policy'
import { fromOci, readProfile } from '../../lib/profiles'
import { noNewRings, webServer } from '../../lib/promises'
import { lint } from '../../lib/review/lint'
import { LINT_RULES, type LintRule } from '../../lib/review/rules'
import type { LintFinding } from '../../lib/review/findings'
import { allowed, arg, denied, profileOf } from '../helpers/profiles'
import { SEEDS } from './seeds'

const X86 = { arch: 'x86_64', kernel: '6.1' } as const

const found = (rule: LintRule, ...[input, options]: Parameters<typeof lint>): LintFinding[] =>
  lint(input, { ...X86, ...options }).filter((finding) => finding.rule === rule)

/** Once: one of the seeds has a thousand rules. */
const planted = Object.entries(SEEDS).map(([rule, seed]) => ({
  rule,
  ...seed,
  findings: found(rule as LintRule, seed.input, seed.options),
}))

t.test('a mistake for each rule is found, where it is', async (t) => {
  for (const { rule, input, at, findings } of planted) {
    const [finding, ...more] = findings
    t.ok(finding, rule)
    if (finding === undefined || at === undefined || typeof input !== 'string') continue
    const offset = input.indexOf(at)
    t.not(offset, -1, `${rule}: the seed has what it points at`)
    const before = input.slice(0, offset).split('\n')
    const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
    t.hasStrict(
      [finding, ...more].find(({ line }) => line === place.line) ?? finding,
      place,
      `${rule}: ${finding.path}`,
    )
  }
})

t.test('every rule is documented with its severity, and nothing else is', async (t) => {
  const text = readFileSync(path.join(__dirname, '../../docs/lint.md'), 'utf8')
  const documented = [...text.matchAll(/^\| `([a-z0-9-]+)` +\| (\w+)/gm)].map(
    ([, rule = '', severity = '']) => [rule, severity] as const,
  )
  t.same(
    Object.fromEntries(documented),
    Object.fromEntries(Object.entries(LINT_RULES).map(([rule, { severity }]) => [rule, severity])),
  )
  t.equal(documented.length, Object.keys(LINT_RULES).length, 'each once')
})

t.test('findings say what to do, where that can be said', async (t) => {
  for (const { rule, findings } of planted) {
    for (const finding of findings) {
      t.ok(finding.message.length > 0 && !finding.message.endsWith('.'), finding.message)
      if (finding.fix !== undefined) t.match(finding.fix, /[.…]$/, `${rule}: ${finding.fix}`)
    }
  }
})

t.test('what a clean profile and the ready policies have', async (t) => {
  t.same(lint(webServer, X86), [])
  t.same(lint(webServer, { arch: 'aarch64' }), [])
  t.same(
    lint(noNewRings, X86)
      .map(({ rule }) => rule)
      .includes('default-allows'),
    true,
  )
})

t.test('a comparison of 64 bits lets through what it seems to refuse', async (t) => {
  const text = profileOf([
    allowed(['socket'], [arg(0, 'LT', 38)]),
    allowed(['socket'], [arg(0, 'EQ', 39)]),
    allowed(['socket'], [arg(0, 'GT', 40)]),
  ])
  const [finding] = found('wide-comparison', text)
  t.equal(finding?.call?.args[0], 0x100000026n)
  t.match(finding?.message, /likewise AF_VSOCK \(0x100000028\)/)
  for (const family of [0x26n, 0x28n]) {
    const call = (value: bigint) => ({ syscall: 'socket', args: [value, 1n, 0n] }) as const
    const policy = fromOci(text, X86)
    t.equal(simulate(policy, call(family), { arch: 'x86_64' }).errno, 'EPERM')
    t.equal(simulate(policy, call(family + (1n << 32n)), { arch: 'x86_64' }).action, 'allow')
  }
  t.same(
    found('wide-comparison', profileOf([allowed(['socket'], [arg(0, 'LT', 38)])])),
    [],
    'garbage only makes it refuse',
  )
  t.same(
    found(
      'wide-comparison',
      profileOf([allowed(['socket'], [arg(0, 'MASKED_EQ', 0xffffffff, 2)])]),
    ),
    [],
    'the low word alone',
  )
  t.same(
    found('wide-comparison', profileOf([allowed(['mmap'], [arg(1, 'GT', 4096)])])),
    [],
    'of a size, the kernel reads all',
  )
})

t.test('a value that is negative is not taken for garbage', async (t) => {
  // AT_FDCWD as libc puts it into the register.
  const profile = profileOf([allowed(['openat'], [arg(0, 'EQ', '@')])]).replace(
    '"@"',
    '18446744073709551516',
  )
  t.same(found('wide-comparison', profile), [])
  const policy = { default: kill, syscalls: { openat: allow.when({ dfd: eq('AT_FDCWD') }) } }
  t.same(found('wide-comparison', policy, { node: false }), [])
})

t.test('calls that do the same', async (t) => {
  const denies = (names: string[], open: string[] = []): string[] =>
    found(
      'equivalent-open',
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ERRNO',
        syscalls: [allowed(open), denied(names, 13)],
      }),
    ).map(({ syscalls }) => (syscalls ?? []).join(' '))
  t.same(denies(['chmod', 'fchmod', 'fchmodat'], ['fchmodat2']), [
    'fchmodat2 chmod fchmod fchmodat',
  ])
  t.same(denies(['chmod', 'fchmod', 'fchmodat', 'fchmodat2']), [])
  t.same(denies([], ['openat', 'newfstatat']), [], 'what is only not named is not refused')
  t.same(denies([], ['execveat']), ['execveat execve'], 'unless nobody uses it alone')
  t.same(denies(['fchmodat2'], ['chmod', 'fchmod', 'fchmodat']), [])
  t.same(denies(['clone3'], ['clone', 'fork']), [], 'which is how clone3 is to be refused')
})

t.test('dangerous calls by their arguments, and what it takes', async (t) => {
  const dangers = (names: string[], args: unknown = null, options = {}): string[] =>
    found('dangerous-call', profileOf([allowed(names, args)]), options).map(
      ({ danger, severity }) => `${severity} ${danger ?? ''}`,
    )
  t.same(dangers(['bpf', 'ptrace']), ['note bpf', 'note ptrace'])
  t.same(dangers(['bpf'], null, { caps: ['CAP_BPF'] }), ['warning bpf'])
  t.same(dangers(['unshare']), ['warning user-namespace', 'note namespaces'])
  t.same(dangers(['clone'], [arg(0, 'MASKED_EQ', 0x10000000, 0)]), ['note namespaces'])
  t.same(dangers(['clone'], [arg(0, 'MASKED_EQ', 0x7e020000, 0)]), [])
  t.same(dangers(['socket'], [arg(0, 'EQ', 40)]), ['note vsock'])
  t.same(dangers(['read', 'execve', 'connect']), [], 'what most programs do')
})

t.test('whom it is for', async (t) => {
  const rules = (...args: Parameters<typeof lint>): string[] =>
    lint(...args).map(({ rule }) => rule)
  const tiny = profileOf([allowed(['read'])])
  t.notOk(rules(tiny, X86).includes('node-needs'))
  t.ok(rules(tiny, { ...X86, node: true }).includes('node-needs'))
  t.notOk(rules({ default: kill }, { ...X86, node: false }).includes('node-needs'))
  const [refused] = lint(tiny, { ...X86, runtime: 'crun' }).filter(
    ({ rule }) => rule === 'runtime-needs',
  )
  t.same(refused?.syscalls, ['execve'])
})

t.test('a text that cannot be read, and mistakes of the caller, are errors', async (t) => {
  t.throws(() => lint('{', X86), ProfileError)
  t.throws(() => lint({ default: kill, syscalls: { raed: allow } } as never, X86), PolicyError)
  t.throws(() => lint({ default: kill }, { arch: 'mips' } as never), { code: 'ERR_OPTION' })
  t.throws(() => lint({ default: kill }, { caps: ['CAP_X'] }), { code: 'ERR_OPTION' })
  t.throws(() => lint({ default: kill }, { colour: true } as never), { code: 'ERR_UNKNOWN_KEY' })
})

t.test('a profile that was read, and a policy in a text', async (t) => {
  const { profile } = readProfile(profileOf([allowed(['ptrace'])]))
  t.equal(lint(profile, X86).find(({ rule }) => rule === 'dangerous-call')?.line, 4)
  const text = JSON.stringify(
    { default: errno('EPERM'), syscalls: { read: [allow.when({ fd: eq(3) }), allow] } },
    null,
    1,
  )
  t.hasStrict(found('widened-rule', text)[0], { line: 8, path: '$.syscalls.read[0]' })
})
