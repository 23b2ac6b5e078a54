/**
 * Whether a member takes something away from a pod once it is in force. Asked of keys that the API server ignores
 * as they are written: what does not restrict for certain must not come into force by a correction.
 */
import type { MapNode, Member, TreeNode } from '../profiles/tree'
import type { At } from '../profiles/reading'
import { textOf, valueOf } from './fields'
import { CONTAINER_SECURITY_CONTEXT, POD_SECURITY_CONTEXT } from './shapes'

/** What counts for the fields of a pod or a container where they say nothing. */
export interface Above {
  /** The pod's securityContext as the API server reads it, for a container. */
  readonly context: At<MapNode> | undefined
  /** Profiles that annotations name, which fields override. */
  readonly annotated: ReadonlySet<string>
}

type Test = (value: TreeNode, above: Above) => boolean

const is =
  (wanted: boolean): Test =>
  (value) =>
    value.kind === 'boolean' && value.value === wanted

const text =
  (wanted: string): Test =>
  (value) =>
    textOf(value) === wanted

/** Not root. */
const someId: Test = (value) =>
  value.kind === 'number' && value.value !== undefined && value.value > 0n

const addsNone: Test = (value) => {
  if (value.kind !== 'map') return false
  return value.members
    .filter(({ key }) => key === 'add')
    .every(({ value: add }) => add.kind === 'null' || (add.kind === 'list' && !add.items.length))
}

/** The types of a profile, whatever their case; of several, none counts for certain. */
function typeOf(profile: TreeNode | undefined): string | undefined {
  const members = profile?.kind === 'map' ? profile.members : []
  const [only, ...more] = members.filter(({ key }) => key.toLowerCase() === 'type')
  return more.length === 0 ? textOf(only?.value)?.toLowerCase() : undefined
}

/** Two profiles cannot be told apart by their names: only what overrides none restricts. */
const profile =
  (key: 'seccompProfile' | 'appArmorProfile', ...types: readonly string[]): Test =>
  (value, { context, annotated }) => {
    if (annotated.has(key) || !types.includes(typeOf(value) ?? '')) return false
    const overridden = valueOf(context?.node, key)
    if (overridden === undefined || overridden.kind === 'null') return true
    const type = textOf(valueOf(overridden, 'type'))
    return (
      type === 'Unconfined' || (type === 'RuntimeDefault' && typeOf(value) === 'runtimedefault')
    )
  }

const contextRestricts: Test = (value, above) => {
  if (value.kind !== 'map') return false
  // What is misspelt in it stays without effect, unless it restricts.
  return value.members
    .filter(({ key }) => CONTEXT_KEYS.has(key))
    .every((member) => {
      return restricts(member.key, member.value, above)
    })
}

const CONTEXT_KEYS = new Set([...POD_SECURITY_CONTEXT.known, ...CONTAINER_SECURITY_CONTEXT.known])

/** Of a pod, a container, a securityContext and a profile. What is not here does not restrict, or may not. */
const RESTRICTING: ReadonlyMap<string, Test> = new Map([
  ['securityContext', contextRestricts],
  ['hostNetwork', is(false)],
  ['hostPID', is(false)],
  ['hostIPC', is(false)],
  ['hostUsers', is(false)],
  ['shareProcessNamespace', is(false)],
  ['automountServiceAccountToken', is(false)],
  ['enableServiceLinks', is(false)],
  ['privileged', is(false)],
  ['allowPrivilegeEscalation', is(false)],
  ['readOnlyRootFilesystem', is(true)],
  ['runAsNonRoot', is(true)],
  ['runAsUser', someId],
  ['runAsGroup', someId],
  ['capabilities', addsNone],
  ['procMount', text('Default')],
  ['supplementalGroupsPolicy', text('Strict')],
  ['seccompProfile', profile('seccompProfile', 'runtimedefault', 'localhost')],
  // Unset is the runtime's profile already.
  ['appArmorProfile', profile('appArmorProfile', 'runtimedefault')],
  // Without it, or with another one, the API server refuses the profile.
  ['type', (value) => textOf(value)?.toLowerCase() !== 'unconfined'],
  ['localhostProfile', () => true],
])

/** Of a value under its right key. null is not given. */
export function restricts(key: Member['key'], value: TreeNode, above: Above): boolean {
  return value.kind === 'null' || (RESTRICTING.get(key)?.(value, above) ?? false)
}
