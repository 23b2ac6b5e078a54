/**
 * SeccompProfile of the security-profiles-operator. v1beta1, which every release since 0.4 serves, also
 * those that store v1; the fields are the same. Its CRD has no default errno, no values of 2^63 and
 * more, and the operator does not pass on errno 0.
 */
import { Diagrams } from '../../analysis/diagram'
import { PolicyError } from '../../errors'
import { RETURN_VALUE } from '../../policy'
import {
  argOf,
  companionsOf,
  entriesOf,
  fallbackOf,
  nativeOf,
  ociAction,
  reportForeignCalls,
  reportUnnamedNumbers,
  type OciEntry,
} from './entries'
import { leavesOf, verdicts } from './flatten'
import type { Source } from './source'
import { yamlText } from './yaml-text'

const ZERO = RETURN_VALUE.errno
const EPERM = ZERO + 1

/** The CRD's pattern for listenerPath. */
const LISTENERS = '/var/run/security-profiles-operator/'

const INT64_MAX = 0x7fff_ffff_ffff_ffffn

export function writeSpo(source: Source): string {
  const name = nameFor(source)
  const own = fallbackOf(source)
  const { action } = ociAction(own)
  // The errno of the default is EPERM for the operator: calls that have a name get theirs by name.
  const fallback = action === 'SCMP_ACT_ERRNO' ? EPERM : own
  reportForeignCalls(source)
  reportUnnamedNumbers(source, fallback)
  if (action === 'SCMP_ACT_TRACE') {
    throw inexpressible('$.default', "the datum of 'trace' is not in a SeccompProfile")
  }
  const { listenerPath = '' } = source.profile ?? {}
  if (listenerPath !== '' && !listenerPath.startsWith(LISTENERS)) {
    throw inexpressible('$.listenerPath', `the CRD takes no listener outside of ${LISTENERS}`)
  }
  reportErrnoZero(source)
  const entries = entriesOf(source, fallback, withoutZero)
  refuseWide(entries)
  return yamlText({
    apiVersion: 'security-profiles-operator.x-k8s.io/v1beta1',
    kind: 'SeccompProfile',
    metadata: { name },
    spec: {
      defaultAction: action,
      architectures: [nativeOf(source)],
      ...companionsOf(source),
      syscalls: entries.map(({ names, action, errnoRet, args }) => ({
        names,
        action,
        errnoRet,
        args: args.length === 0 ? undefined : args.map(argOf),
      })),
    },
  })
}

const withoutZero = (verdict: number): number => (verdict === ZERO ? EPERM : verdict)

function reportErrnoZero(source: Source): void {
  const { rules, losses } = source
  const isDefault = fallbackOf(source) === ZERO
  const message = 'errno 0 is not passed on by the operator, and the call fails with EPERM'
  if (isDefault) {
    losses.add('warning', 'errno-zero', '$.default', message)
    losses.numbersChanged = true
  }
  const diagrams = new Diagrams()
  for (const [name, verdict] of verdicts(rules, diagrams)) {
    const found = [...leavesOf(diagrams, verdict)].some((leaf) => diagrams.wordOf(leaf) === ZERO)
    if (!found) continue
    // What the default says was said of the default.
    if (isDefault) losses.mark(name)
    else losses.change('errno-zero', `$.syscalls.${name}`, [name], `${name}: ${message}`)
  }
}

/** @throws PolicyError ERR_INEXPRESSIBLE: without the entry, the default would answer for it */
function refuseWide(entries: readonly OciEntry[]): void {
  for (const { names, args } of entries) {
    if (!args.some(({ value, valueTwo }) => value > INT64_MAX || valueTwo > INT64_MAX)) continue
    const problem = 'the CRD takes no value of 2^63 and more (int64)'
    throw inexpressible(`$.syscalls.${names[0] ?? ''}`, problem)
  }
}

const inexpressible = (path: string, problem: string): PolicyError =>
  new PolicyError('ERR_INEXPRESSIBLE', { path, problem })

/** RFC 1123: what Kubernetes takes for `metadata.name`. */
const DNS = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

function nameFor({ name, losses }: Source): string {
  if (name === undefined) {
    throw new PolicyError('ERR_OPTION', {
      path: 'options.name',
      problem: 'a SeccompProfile has a name, and none is known here',
    })
  }
  if (DNS.test(name) && name.length <= 253) return name
  const derived = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
    .replace(/-+$/, '')
  if (derived === '') {
    throw new PolicyError('ERR_OPTION', {
      path: 'options.name',
      problem: `'${name}' cannot be the name of a Kubernetes object`,
      hint: 'It has lower-case letters, digits and hyphens.',
    })
  }
  losses.add(
    'info',
    'name',
    '$.name',
    `'${name}' is written as '${derived}', as Kubernetes has names`,
  )
  return derived
}
