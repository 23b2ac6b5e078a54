/**
 * Profiles that are cut off, twisted, blown up: each is read, or is an error with its place, soon. And
 * whatever was dropped on the way is a finding of severity `error`, so that it is not resolved.
 */
import { performance } from 'node:perf_hooks'
import t from 'tap'
import { LockdownError, PolicyError, ProfileError } from '../../lib/errors'
import { normalise } from '../../lib/policy/normalise'
import { readProfile, resolveProfile, type Profile } from '../../lib/profiles'
import { damaged, random } from '../helpers/damage'
import { allowed, arg, failure, profileOf, X86 } from '../helpers/profiles'

const SECONDS = 2

const SEEDS: readonly string[] = [
  profileOf(
    [
      allowed(['read', 'write', 'socket'], [arg(0, 'EQ', 2), arg(1, 'MASKED_EQ', 15, 1)]),
      {
        ...allowed(['mount'], []),
        comment: 'x',
        includes: { caps: ['CAP_SYS_ADMIN'], arches: ['amd64'], minKernel: '4.8' },
        excludes: {},
      },
    ],
    {
      defaultErrnoRet: 38,
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    },
  ),
  JSON.stringify({
    default: { action: 'errno', errno: 'EPERM' },
    syscalls: { read: { action: 'allow', when: { fd: { op: 'lt', value: 3 } } } },
  }),
  `apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SeccompProfile
metadata: {name: web}
spec:
  defaultAction: SCMP_ACT_ERRNO # the rest
  syscalls:
  - action: SCMP_ACT_ALLOW
    names: &names
    - read
    - write
  - action: SCMP_ACT_LOG
    names: *names
    args: [{index: 0, value: 3, op: SCMP_CMP_NE}]
`,
  '[Service]\nSystemCallFilter=@basic-io ~x \\\n  socket:EPERM\nSystemCallErrorNumber=EACCES\n',
]

const SPLICES: readonly string[] = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\n',
    '\0',
    '\ufeff',
    '\ud800',
    '//',
    '/*',
    '#',
    '---\n',
  ],
  ...['null', 'true', '-1', '1e999', '0.5', '18446744073709551616', '9'.repeat(400), '-', '~', '@'],
  ...['&a ', '*a', '<<: ', '!!binary ', '| ', '> ', '? ', '- ', '%YAML 1.1\n', '"__proto__": {}, '],
  ...['{"a":'.repeat(80), '['.repeat(80), '- '.repeat(80), 'SystemCallFilter=', '"names": ["x"],'],
]

const isExpected = (error: unknown): boolean =>
  error instanceof ProfileError || (error instanceof PolicyError && !isInternal(error))

const isInternal = (error: unknown): boolean =>
  error instanceof LockdownError && error.code === 'ERR_INTERNAL'

/** Whether names of the text, read as plain JSON, are neither in the profile nor a finding. */
function isSmaller(text: string | Uint8Array, profile: Profile): boolean {
  if (profile.faults.length > 0 || profile.policy !== undefined) return false
  let syscalls: unknown
  try {
    const parsed = JSON.parse(Buffer.from(text).toString()) as { syscalls?: unknown }
    syscalls = parsed.syscalls
  } catch {
    return false
  }
  const written = (Array.isArray(syscalls) ? syscalls : []) as { names?: unknown; name?: unknown }[]
  const names = written.flatMap((entry) => entry.names ?? entry.name ?? [])
  const read = profile.entries.flatMap((entry) => entry.names)
  return read.length !== names.length || profile.entries.length !== written.length
}

/** What goes wrong, or undefined. */
function problemWith(
  text: string | Uint8Array,
  ask: (below: number) => number,
): string | undefined {
  const lineCount = typeof text === 'string' ? text.split('\n').length : Infinity
  let profile: Profile
  try {
    profile = readProfile(text).profile
  } catch (error) {
    if (!(error instanceof ProfileError)) return `not a ProfileError: ${String(error)}`
    const { line, column, path } = error
    return line >= 1 && line <= lineCount && column >= 1 && path.startsWith('$')
      ? undefined
      : `no place in the text: ${line}:${column} ${path}`
  }
  if (isSmaller(text, profile)) return 'a smaller profile, and nothing is said of it'
  const runtime = ([undefined, 'docker', 'podman', 'containerd', 'runc', 'crun'] as const)[ask(6)]
  try {
    const { policy } = resolveProfile(profile, runtime === undefined ? X86 : { ...X86, runtime })
    normalise(policy, { arch: 'x86_64', pid: 1 })
    return runtime === undefined && profile.faults.length > 0 ? 'resolved with faults' : undefined
  } catch (error) {
    return isExpected(error) ? undefined : `${runtime ?? 'strictly'}: ${String(error)}`
  }
}

t.test('5,000 damaged texts', async (t) => {
  const pick = random(0x5ecc0)
  let slowest = 0
  const problems: string[] = []
  for (const text of damaged(5000, SEEDS, SPLICES, pick)) {
    const start = performance.now()
    const problem = problemWith(text, pick)
    slowest = Math.max(slowest, performance.now() - start)
    if (problem !== undefined) problems.push(`${problem}\n${Buffer.from(text).toString()}`)
  }
  t.strictSame(problems.slice(0, 3), [])
  t.ok(slowest < SECONDS * 1000, `the slowest took ${Math.round(slowest)} ms`)
})

t.test('an entry that is damaged does not vanish', async (t) => {
  const entries = [allowed(['read']), allowed(['write'])]
  const damages: ((entry: Record<string, unknown>) => unknown)[] = [
    (entry) => ({ ...entry, names: 7 }),
    (entry) => ({ ...entry, names: undefined }),
    (entry) => ({ ...entry, action: undefined }),
    (entry) => ({ ...entry, action: 7 }),
    (entry) => ({ ...entry, args: {} }),
    (entry) => ({ ...entry, args: [{}] }),
    (entry) => ({ ...entry, Names: entry['names'], names: undefined }),
    () => null,
    () => [],
  ]
  for (const damaged of damages) {
    const text = profileOf([entries[0], damaged(entries[1] as Record<string, unknown>)])
    const { profile } = readProfile(text)
    t.ok(profile.faults.length > 0, text)
    t.equal(failure(() => resolveProfile(profile, X86)).code, 'ERR_PROFILE_INVALID')
  }
})

const filled = (item: string, size: number, separator = ','): string =>
  Array<string>(Math.floor(size / (item.length + separator.length)))
    .fill(item)
    .join(separator)
const entriesOf = (entries: string): string =>
  `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [${entries}]}`
const numbered = (count: number, make: (at: number) => string, separator = ','): string =>
  Array.from({ length: count }, (_, at) => make(at)).join(separator)

const JSON_SIZE = 990_000
const YAML_SIZE = 240_000

const huge: Readonly<Record<string, () => string>> = {
  '50 MB': () => entriesOf(filled('{"names":["read"],"action":"SCMP_ACT_ALLOW"}', 50_000_000)),
  entries: () => entriesOf(filled('{"names":["read"],"action":"SCMP_ACT_ALLOW"}', JSON_SIZE / 2)),
  'more entries': () =>
    entriesOf(filled('{"names":["read"],"action":"SCMP_ACT_ALLOW"}', JSON_SIZE)),
  'entries without anything': () => entriesOf(filled('{}', JSON_SIZE)),
  numbers: () => entriesOf(filled('1', JSON_SIZE)),
  'unknown names': () =>
    entriesOf(`{"names":[${numbered(80_000, (at) => `"call${at}"`)}],"action":"SCMP_ACT_ALLOW"}`),
  conditions: () =>
    entriesOf(
      numbered(
        5000,
        (at) =>
          `{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":${at * 3},"op":"SCMP_CMP_EQ"}]}`,
      ),
    ),
  keys: () => `{"defaultAction": "SCMP_ACT_LOG", ${numbered(70_000, (at) => `"k${at}":1`)}}`,
  digits: () => `{"defaultAction": ${'1'.repeat(JSON_SIZE)}}`,
  comments: () => `{${filled('/**/', JSON_SIZE, ' ')} "defaultAction": "SCMP_ACT_LOG"}`,
  'deep lists': () => '['.repeat(JSON_SIZE),
  'deep objects': () => '{"a":'.repeat(JSON_SIZE / 5),
  'deep flow in YAML': () => `a: ${'['.repeat(YAML_SIZE)}`,
  'deep items in YAML': () => '- '.repeat(YAML_SIZE / 2),
  'deep keys in YAML': () => '? '.repeat(YAML_SIZE / 2),
  'deep indentation in YAML': () => numbered(600, (at) => `${' '.repeat(at)}a:`, '\n'),
  'items in YAML': () => filled('- a', YAML_SIZE, '\n'),
  'maps in YAML': () => `a: [${filled('{b: c}', YAML_SIZE)}]`,
  'documents in YAML': () => filled('--- 1', YAML_SIZE, '\n'),
  'errors in YAML': () => filled('a: b: c', YAML_SIZE, '\n'),
  'comments in YAML': () => `${filled('# c', YAML_SIZE, '\n')}\na: 1`,
  'aliases in YAML': () => `a: &a 1\nb:\n${filled('- *a', YAML_SIZE, '\n')}`,
  'an alias bomb': () =>
    `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${numbered(30, (at) => `a${at + 1}: &a${at + 1} [${filled(`*a${at}`, 45)}]`, '\n')}`,
  'lines in YAML': () => `a: |\n${filled(' x', YAML_SIZE, '\n')}`,
  groups: () => `SystemCallFilter=${filled('@system-service', 60_000, ' ')}`,
}

t.test('huge texts', async (t) => {
  const limited = new Set<string>()
  for (const [name, make] of Object.entries(huge)) {
    const text = make()
    // Processor time: other tests run beside this one.
    const start = process.cpuUsage()
    const problem = problemWith(text, () => 0)
    const { user, system } = process.cpuUsage(start)
    const took = (user + system) / 1000
    t.equal(problem, undefined, name)
    t.ok(took < SECONDS * 1000, `${name}: ${Math.round(took)} ms`)
    try {
      readProfile(text)
    } catch (error) {
      if (error instanceof ProfileError && error.code === 'ERR_PROFILE_LIMIT') limited.add(name)
    }
  }
  const read = ['conditions', 'entries', 'digits', 'comments', 'lines in YAML', 'groups']
  for (const name of Object.keys(huge)) t.equal(limited.has(name), !read.includes(name), name)
  const used = process.resourceUsage().maxRSS / 1024
  t.ok(used < 512 + 200, `${Math.round(used)} MB at most, with tap and the texts themselves`)
})
