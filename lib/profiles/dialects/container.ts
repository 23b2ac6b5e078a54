/**
 * What the dialects of the container world have in common: an object with a default action and entries.
 * Each dialect says which keys it has, and what becomes of those that only others have.
 */
import { UINT64, type At, type Fields, type Ignored, type Keys, type Reading } from '../reading'
import { describeNode, quote } from '../tree'
import type {
  Dialect,
  Profile,
  ProfileArchitecture,
  ProfileArg,
  ProfileConditions,
  ProfileEntry,
} from '../types'
import {
  ACTIONS,
  ARCHITECTURES,
  CAPABILITIES,
  errnoOf,
  FLAGS,
  GO_ARCHITECTURES,
  isAction,
  isOperator,
  MAX_ERRNO,
  OPERATORS,
} from '../vocabulary'

/** What sets a dialect apart. */
export interface ContainerDialect {
  readonly dialect: Dialect
  readonly profile: Keys
  readonly entry: Keys
  readonly conditions?: Keys
  /** Whether its types have SCMP_ARCH_NATIVE, which runc and crun refuse. */
  readonly knowsNative?: boolean
  /** Its entries have `names` that must differ, as a Kubernetes set. */
  readonly namesAreSet?: boolean
}

/** runtime-spec config-linux.md, "Seccomp". */
export const OCI_PROFILE_KEYS: readonly string[] = [
  ...['defaultAction', 'defaultErrnoRet', 'architectures', 'flags'],
  ...['listenerPath', 'listenerMetadata', 'syscalls'],
]
export const OCI_ENTRY_KEYS: readonly string[] = ['names', 'action', 'errnoRet', 'args']

const ARG_KEYS: Keys = { what: 'an argument', known: ['index', 'value', 'valueTwo', 'op'] }

const passedOver = (severity: Ignored['severity'], consequence: string): Ignored => ({
  severity,
  consequence,
})

/** What a reader of plain OCI makes of keys that only Docker and Podman know. */
export const UNKNOWN_TO_OCI: ReadonlyMap<string, Ignored> = new Map([
  ['comment', passedOver('info', 'is not OCI, and passed over')],
  ['name', passedOver('error', 'is not OCI and passed over: the entry names no call by it')],
  ['includes', passedOver('error', 'is not OCI and passed over: the entry always holds')],
  ['excludes', passedOver('error', 'is not OCI and passed over: the entry always holds')],
  [
    'archMap',
    passedOver('error', 'is not OCI and passed over: only the native architecture is left'),
  ],
  ['errno', passedOver('error', 'is not OCI, and passed over')],
  ['defaultErrno', passedOver('error', 'is not OCI, and passed over')],
])

/** An optional member, absent where there is nothing to say. */
const given = <K extends string, V>(
  key: K,
  value: V | undefined,
): Readonly<Partial<Record<K, V>>> =>
  (value === undefined ? {} : { [key]: value }) as Readonly<Partial<Record<K, V>>>

export function readContainerProfile(
  reading: Reading,
  at: At,
  dialect: ContainerDialect,
): Omit<Profile, 'faults'> {
  const place = reading.place(at)
  const fields = reading.fields(at, dialect.profile)
  if (fields === undefined) return { dialect: dialect.dialect, place, entries: [] }

  const defaultAction = readAction(reading, fields, 'defaultAction')
  const defaultErrno = readErrno(reading, fields, 'defaultErrnoRet', 'defaultErrno', defaultAction)
  const architectures = fields.strings('architectures')
  const archMap = readArchMap(reading, fields)
  checkArchitectures(reading, dialect, architectures ?? [])
  for (const { text, at } of fields.strings('flags') ?? []) {
    if (reading.manners === 'strict' && !FLAGS.includes(text)) {
      const meant = reading.suggestion(text, FLAGS)
      reading.fault('unknown-flag', at, `there is no flag ${quote(text)}${meant}`)
    }
  }
  const both = fields.get('archMap')
  if (both !== undefined && (architectures?.length ?? 0) > 0 && (archMap?.length ?? 0) > 0) {
    reading.fault('architectures-and-archmap', both, "'architectures' and 'archMap' are both given")
  }
  const metadata = fields.get('listenerMetadata')
  if (metadata !== undefined && (fields.string('listenerPath') ?? '') === '') {
    const message = "'listenerMetadata' must not be given without 'listenerPath' (runtime-spec)"
    reading.doubt('listener-metadata', metadata, message, 'error')
  }
  return {
    dialect: dialect.dialect,
    place,
    ...given('defaultAction', defaultAction),
    ...given('defaultErrno', defaultErrno),
    ...given(
      'architectures',
      architectures?.map(({ text }) => text),
    ),
    ...given('archMap', archMap),
    ...given(
      'flags',
      fields.strings('flags')?.map(({ text }) => text),
    ),
    ...given('listenerPath', fields.string('listenerPath')),
    ...given('listenerMetadata', fields.string('listenerMetadata')),
    entries: (fields.list('syscalls') ?? []).flatMap((each) => readEntry(reading, each, dialect)),
  }
}

function readEntry(reading: Reading, at: At, dialect: ContainerDialect): ProfileEntry[] {
  const fields = reading.fields(at, dialect.entry)
  if (fields === undefined) return []
  const action = readAction(reading, fields, 'action')
  const names = readNames(reading, fields, dialect)
  const errno = readErrno(reading, fields, 'errnoRet', 'errno', action)
  const args = (fields.list('args') ?? []).flatMap((each) => readArg(reading, each))
  const [includes, excludes] = ['includes', 'excludes'].map((key) => {
    const conditions = fields.get(key)
    return conditions === undefined ? undefined : readConditions(reading, conditions, dialect)
  })
  const tooMany = fields.get('args')
  if (tooMany !== undefined && args.length > 6) {
    const message = `has ${args.length} conditions: runc takes each for an alternative, crun the first 6 together`
    reading.doubt('argument-count', tooMany, message, 'error')
  }
  if (action === undefined || names === undefined) return []
  const entry: ProfileEntry = {
    place: reading.place(at),
    names,
    action,
    ...given('errno', errno),
    args,
    ...given('includes', includes),
    ...given('excludes', excludes),
    ...given('comment', fields.string('comment')),
  }
  return [entry]
}

function readNames(
  reading: Reading,
  fields: Fields,
  dialect: ContainerDialect,
): readonly string[] | undefined {
  const listed = fields.strings('names')
  const name = dialect.entry.known.includes('name') ? fields.string('name') : undefined
  if (name !== undefined && name !== '') {
    const at = fields.get('name') ?? fields.at
    if ((listed?.length ?? 0) > 0) {
      reading.fault('name-and-names', at, "'name' and 'names' are both given")
    }
    const message = "'name' is the old form: runc ignores it, crun refuses it, Docker reads it"
    reading.doubt('old-name', at, message, 'info')
    return [name]
  }
  if (listed === undefined) {
    // A nil slice in Go; libocispec has it required.
    if (reading.manners === 'go') return []
    reading.fault('missing-key', fields.at, "the entry has no 'names'")
    return undefined
  }
  if (listed.length === 0) {
    reading.doubt('no-names', fields.at, 'the entry names no system call', 'warning')
  }
  const seen = new Set<string>()
  for (const { text, at } of listed) {
    if (text === '' && reading.manners === 'strict') {
      reading.fault('empty-name', at, 'an empty name: runc refuses it, crun passes over it')
    }
    if (seen.has(text)) {
      const severity = dialect.namesAreSet === true ? 'error' : 'info'
      reading.doubt('duplicate-name', at, `${quote(text)} is named twice`, severity)
    }
    seen.add(text)
  }
  return listed.map(({ text }) => text)
}

function readAction(
  reading: Reading,
  fields: Fields,
  key: 'action' | 'defaultAction',
): ProfileEntry['action'] | undefined {
  const at = fields.get(key)
  const text = fields.string(key)
  if (at === undefined || text === undefined) {
    // Go has '' then, and what that means is settled where the filter is made.
    if (at === undefined && !(reading.manners === 'go' && key === 'defaultAction')) {
      reading.fault('missing-key', fields.at, `there is no '${key}'`)
    }
    return undefined
  }
  if (isAction(text)) return text
  if (text === '' && reading.manners === 'go' && key === 'defaultAction') return undefined
  const meant = reading.suggestion(text, ACTIONS)
  reading.fault('unknown-action', at, `there is no action ${quote(text)}${meant}`)
  return undefined
}

/** @param named where an errno stands as text, which counts where it is known at all */
function readErrno(
  reading: Reading,
  fields: Fields,
  key: string,
  named: string,
  action: ProfileEntry['action'] | undefined,
): number | undefined {
  const numberAt = fields.get(key)
  const max = action === 'SCMP_ACT_TRACE' ? 0xffffn : BigInt(MAX_ERRNO)
  const number = fields.integer(key, { min: 0n, max })
  // Both runtimes hand libseccomp 16 bits: 65536 is 0.
  const numeric = number === undefined ? undefined : Number(number & 0xffffn)
  const nameAt = fields.get(named)
  const text = fields.string(named)
  let errno = numeric
  if (nameAt !== undefined && text !== undefined && text !== '') {
    errno = errnoOf(text)
    if (errno === undefined) {
      reading.fault('unknown-errno', nameAt, `there is no errno ${quote(text)}`)
    } else if (numeric !== undefined && numeric !== errno) {
      const message = `${quote(text)} is ${errno}, and '${key}' says ${numeric}: Podman takes the first, all others the second`
      reading.doubt('errno-conflict', nameAt, message, 'error')
    }
  }
  const where = numberAt ?? nameAt
  if (errno === undefined || where === undefined) return errno
  if (action !== undefined && action !== 'SCMP_ACT_ERRNO' && action !== 'SCMP_ACT_TRACE') {
    const message = `${action} carries no errno: runc ignores it, crun and the runtime-spec refuse it`
    reading.doubt('errno-unused', where, message, 'error')
  }
  if (errno === 0 && action === 'SCMP_ACT_ERRNO') {
    const message = 'errno 0 makes the call look as if it had succeeded'
    reading.doubt('errno-zero', where, message, 'warning')
  }
  return errno
}

function readArg(reading: Reading, at: At): ProfileArg[] {
  const fields = reading.fields(at, ARG_KEYS)
  if (fields === undefined) return []
  for (const key of ['index', 'value']) {
    if (fields.get(key) !== undefined) continue
    reading.doubt(
      'missing-key',
      at,
      `there is no '${key}', which runc and crun take for 0`,
      'error',
    )
  }
  const index = Number(fields.integer('index', { min: 0n, max: 5n }) ?? 0n)
  const value = fields.integer('value', UINT64) ?? 0n
  const valueTwo = fields.integer('valueTwo', UINT64)
  const op = fields.string('op')
  const opAt = fields.get('op')
  if (op === undefined || opAt === undefined) {
    if (opAt === undefined) reading.fault('missing-key', at, "there is no 'op'")
    return []
  }
  if (!isOperator(op)) {
    const meant = reading.suggestion(op, OPERATORS)
    reading.fault('unknown-operator', opAt, `there is no operator ${quote(op)}${meant}`)
    return []
  }
  const second = fields.get('valueTwo')
  if (op === 'SCMP_CMP_MASKED_EQ') {
    if (valueTwo === undefined) {
      reading.doubt('missing-key', at, "there is no 'valueTwo', which counts as 0", 'info')
    } else if ((valueTwo & ~value) !== 0n) {
      const message = `'valueTwo' has bits that the mask takes away: they count as 0`
      reading.doubt('mask-bits', second ?? at, message, 'warning')
    }
  } else if (second !== undefined && valueTwo !== undefined && valueTwo !== 0n) {
    reading.doubt('unused-value', second, `${op} does not use 'valueTwo'`, 'warning')
  }
  return [{ place: reading.place(at), index, value, valueTwo: valueTwo ?? 0n, op }]
}

function readConditions(
  reading: Reading,
  at: At,
  { conditions }: ContainerDialect,
): ProfileConditions | undefined {
  const fields = conditions && reading.fields(at, conditions)
  if (fields === undefined) return undefined
  const caps = fields.strings('caps') ?? []
  for (const { text, at } of caps) {
    if (CAPABILITIES.includes(text)) continue
    const meant = reading.suggestion(text, CAPABILITIES)
    const message = `there is no capability ${quote(text)}, so nothing has it${meant}`
    reading.doubt('unknown-capability', at, message, 'warning')
  }
  const arches = fields.strings('arches') ?? []
  for (const { text, at } of arches) {
    if (GO_ARCHITECTURES.includes(text)) continue
    const meant = reading.suggestion(text, GO_ARCHITECTURES)
    const message = `there is no architecture ${quote(text)}, so nothing is it${meant}`
    reading.doubt('unknown-architecture', at, message, 'warning')
  }
  const minKernel = fields.string('minKernel')
  const kernelAt = fields.get('minKernel')
  // moby/profiles, KernelVersion.UnmarshalJSON: "5.10.1" and "0.0" are errors too.
  if (
    minKernel !== undefined &&
    kernelAt !== undefined &&
    (!/^\d{1,9}\.\d{1,9}$/.test(minKernel) || /^0+\.0+$/.test(minKernel))
  ) {
    const message = `expected a kernel version such as '5.10', found ${describeNode(kernelAt.node)}`
    reading.fault('min-kernel', kernelAt, message)
    return undefined
  }
  return {
    place: reading.place(at),
    caps: caps.map(({ text }) => text),
    arches: arches.map(({ text }) => text),
    ...given('minKernel', minKernel),
  }
}

const ARCH_MAP_KEYS: Keys = {
  what: 'an entry of archMap',
  known: ['architecture', 'subArchitectures'],
}

function readArchMap(reading: Reading, fields: Fields): ProfileArchitecture[] | undefined {
  return fields.list('archMap')?.flatMap((at) => {
    const entry = reading.fields(at, ARCH_MAP_KEYS)
    if (entry === undefined) return []
    const subs = entry.strings('subArchitectures') ?? []
    const architecture = entry.string('architecture')
    if (reading.manners === 'strict') {
      const own = entry.get('architecture')
      if (architecture === undefined) {
        reading.fault('missing-key', at, "there is no 'architecture'")
      } else if (own !== undefined) {
        checkArchitecture(reading, architecture, own)
      }
      for (const sub of subs) checkArchitecture(reading, sub.text, sub.at)
    }
    const place = reading.place(at)
    const subArchitectures = subs.map(({ text }) => text)
    return [{ place, architecture: architecture ?? '', subArchitectures }]
  })
}

/** Runtimes check them where they make the filter (runtimes.ts), and not alike. */
function checkArchitectures(
  reading: Reading,
  dialect: ContainerDialect,
  list: readonly { readonly text: string; readonly at: At }[],
): void {
  if (reading.manners !== 'strict') return
  for (const { text, at } of list) {
    if (text === 'SCMP_ARCH_NATIVE') {
      const severity = dialect.knowsNative === true ? 'warning' : 'error'
      const message = 'SCMP_ARCH_NATIVE is not in the runtime-spec: runc and crun refuse it'
      reading.doubt('native-architecture', at, message, severity)
    } else checkArchitecture(reading, text, at)
  }
}

function checkArchitecture(reading: Reading, text: string, at: At): void {
  if (ARCHITECTURES.includes(text)) return
  const meant = reading.suggestion(text, ARCHITECTURES)
  reading.fault('unknown-architecture', at, `there is no architecture ${quote(text)}${meant}`)
}
