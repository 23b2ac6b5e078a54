/** Manifests that are cut off, twisted, blown up: each is read, or is an error with its place, soon. */
import { performance } from 'node:perf_hooks'
import t from 'tap'
import { ManifestError } from '../../lib/errors'
import { checkManifests } from '../../lib/kubernetes'
import { failure, pod } from './manifests'
import { damagedManifests } from './damage'

const SECONDS = 2

/** Just below what is read. */
const SIZE = 390_000

/** What goes wrong, or undefined. */
function problemWith(text: string | Uint8Array): string | undefined {
  const lines = text.length < SIZE && typeof text === 'string' ? text.split('\n').length : Infinity
  const placed = ({
    line,
    column,
    path,
  }: {
    line: number
    column: number
    path: string
  }): boolean => line >= 1 && line <= lines && column >= 1 && path.startsWith('$')
  try {
    const { findings } = checkManifests(text)
    const lost = findings.find((finding) => !placed(finding))
    return lost === undefined ? undefined : `no place in the text: ${JSON.stringify(lost)}`
  } catch (error) {
    if (!(error instanceof ManifestError)) return `not a ManifestError: ${String(error)}`
    return placed(error) ? undefined : `no place in the text: ${error.message}`
  }
}

t.test('2,000 damaged manifests', async (t) => {
  let slowest = 0
  const problems: string[] = []
  for (const text of damagedManifests(2000)) {
    const start = performance.now()
    const problem = problemWith(text)
    slowest = Math.max(slowest, performance.now() - start)
    if (problem !== undefined) problems.push(`${problem}\n${text.toString()}`)
  }
  t.strictSame(problems.slice(0, 3), [])
  t.comment(`the slowest took ${Math.round(slowest)} ms`)
})

const filled = (item: string, separator = '\n'): string =>
  Array<string>(Math.floor(SIZE / (item.length + separator.length)))
    .fill(item)
    .join(separator)
const numbered = (make: (at: number) => string, separator = '\n'): string => {
  const count = Math.floor(SIZE / (make(99_999).length + separator.length))
  return Array.from({ length: count }, (_, at) => make(at)).join(separator)
}
const HEAD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n'

const huge: Readonly<Record<string, () => string | Uint8Array>> = {
  '50 MB': () => 'a: b\n'.repeat(10_000_000),
  '50 MB of bytes': () => Buffer.alloc(50_000_000, 97),
  binary: () => Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256)),
  'an executable': () => Buffer.from('\x7fELF\x02\x01\x01\0\0\0\0', 'latin1'),
  'deep flow': () => `${HEAD}  a: ${'['.repeat(SIZE)}`,
  'deep items': () => '- '.repeat(SIZE / 2),
  'deep keys': () => '? '.repeat(SIZE / 2),
  'deep indentation': () =>
    Array.from({ length: 1000 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
  'deep JSON': () => '{"a":'.repeat(SIZE / 5),
  documents: () => filled('---\napiVersion: v1\nkind: Pod'),
  'empty documents': () => filled('---'),
  errors: () => filled('a: b: c'),
  comments: () => `${filled('# c')}\napiVersion: v1`,
  lines: () => `a: |\n${filled(' x')}`,
  'one scalar': () => `a: ${'x'.repeat(SIZE)}`,
  quotes: () => `a: "${'\\n'.repeat(SIZE / 2)}"`,
  containers: () => `${HEAD}  containers:\n${numbered((at) => `  - name: c${at}`)}`,
  'containers in flow': () => `${HEAD}  containers: [${numbered((at) => `{name: c${at}}`, ',')}]`,
  'containers and annotations': () =>
    `apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n${Array.from({ length: 2000 }, (_, at) => `    container.apparmor.security.beta.kubernetes.io/c${at}: x`).join('\n')}\nspec:\n  containers:\n${Array.from({ length: 6000 }, (_, at) => `  - name: c${at}`).join('\n')}`,
  keys: () => `${HEAD}${numbered((at) => `  seccompProfil${at}: 1`)}`,
  'the same key': () => `${HEAD}${filled('  hostPID: true')}`,
  'config maps': () =>
    numbered(
      (at) => `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${at}}\ndata: {a: b}`,
    ),
  'an alias bomb': () =>
    `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 30 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array<string>(45).fill(`*a${at}`).join()}]`).join('\n')}`,
  'aliases of containers': () => `${HEAD}  containers:\n  - &c {name: a}\n${filled('  - *c')}`,
  JSON: () =>
    `{"apiVersion":"v1","kind":"Pod","spec":{"containers":[${numbered((at) => `{"name":"c${at}"}`, ',')}]}}`,
}

t.test('huge and hostile texts', async (t) => {
  for (const [name, make] of Object.entries(huge)) {
    const text = make()
    // Processor time: other tests run beside this one.
    const start = process.cpuUsage()
    const problem = problemWith(text)
    const { user, system } = process.cpuUsage(start)
    const took = (user + system) / 1000
    t.equal(problem, undefined, name)
    t.ok(took < SECONDS * 1000, `${name}: ${Math.round(took)} ms`)
  }
  const limited = ['50 MB', '50 MB of bytes', 'deep flow', 'deep JSON', 'an alias bomb']
  for (const name of limited) {
    const { code } = failure(() => checkManifests(huge[name]?.() ?? ''))
    t.equal(code, 'ERR_MANIFEST_LIMIT', name)
  }
  const used = process.resourceUsage().maxRSS / 1024
  t.ok(used < 512 + 200, `${Math.round(used)} MB at most, with tap and the texts themselves`)
})

t.test('a key that is there twice is told, wherever it counts', async (t) => {
  for (const key of ['securityContext', 'containers', 'hostPID']) {
    const text = pod().replace('spec:\n', `spec:\n  ${key}:\n`)
    const twice = text.includes(`  ${key}:`) && text.split(`  ${key}:`).length > 2
    const rules = checkManifests(text).findings.map(({ rule }) => rule)
    t.equal(rules.includes('duplicate-key'), twice, key)
  }
})
