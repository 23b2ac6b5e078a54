/**
 * Which dialect a text is in, told by what only that dialect has; where nothing tells, plain OCI, which
 * is part of all of them.
 */
import type { ProfileFinding } from '../errors'
import { profileIn } from './dialects/oci'
import { memberPath, type Lines, type MapNode, type TreeNode } from './tree'
import type { Dialect } from './types'

export const DIALECTS: readonly Dialect[] = [
  ...(['oci', 'moby', 'containers-common', 'containerd', 'spo'] as const),
  ...(['inspektor-gadget', 'oci-seccomp-bpf-hook', 'systemd', 'seccomp-ts'] as const),
]

const SETTING = /^[ \t]*SystemCall(Filter|ErrorNumber|Architectures|Log)[ \t]*=/m

/** Told from the text alone. A unit begins with a `[Section]`, which could be a list. */
export function syntaxOf(text: string): 'json' | 'systemd' | 'yaml' {
  if (/^\s*(\{|\/\/|\/\*)/.test(text)) return 'json'
  if (SETTING.test(text)) return 'systemd'
  return /^\s*[["]/.test(text) ? 'json' : 'yaml'
}

export interface Detected {
  readonly dialect: Dialect
  /** What told. */
  readonly because: string
}

const has = (node: TreeNode | undefined, key: string): boolean => get(node, key) !== undefined

function get(node: TreeNode | undefined, key: string): TreeNode | undefined {
  if (node?.kind !== 'map') return undefined
  return node.members.find((member) => member.key === key)?.value
}

const textOf = (node: TreeNode | undefined): string | undefined =>
  node?.kind === 'string' ? node.value : undefined

/** The Kubernetes kind a document claims to be, as `apiVersion kind`. */
export function kindOf(node: TreeNode): { apiVersion: string; kind: string } | undefined {
  const apiVersion = textOf(get(node, 'apiVersion'))
  const kind = textOf(get(node, 'kind'))
  return apiVersion === undefined || kind === undefined ? undefined : { apiVersion, kind }
}

/** `metadata.name` */
export const nameOf = (node: TreeNode): string | undefined =>
  textOf(get(get(node, 'metadata'), 'name'))

const SPO_GROUP = /^security-profiles-operator\.x-k8s\.io\/(v1beta1|v1)$/

export const isSeccompProfile = (node: TreeNode): boolean => {
  const claimed = kindOf(node)
  return claimed?.kind === 'SeccompProfile' && SPO_GROUP.test(claimed.apiVersion)
}

/** Undefined where a text is no profile of any dialect. */
export function detectDialect(root: TreeNode, commented: boolean): Detected | undefined {
  if (root.kind !== 'map') return undefined
  if (isSeccompProfile(root)) return { dialect: 'spo', because: 'its apiVersion and kind' }
  if (kindOf(root) !== undefined) return undefined
  if (has(root, 'default') && !has(root, 'defaultAction')) {
    return { dialect: 'seccomp-ts', because: "it has 'default'" }
  }
  if (profileIn({ node: root, path: '$' }) !== undefined) {
    return { dialect: 'oci', because: "it is a config.json with 'linux.seccomp'" }
  }
  // Something with entries that all lack an action is not taken for one of these.
  const defaulted = root.members.some(({ key }) => key.toLowerCase() === 'defaultaction')
  if (!defaulted && get(root, 'syscalls')?.kind !== 'list') return undefined
  return detectContainer(root, commented)
}

function detectContainer(root: MapNode, commented: boolean): Detected {
  const list = get(root, 'syscalls')
  const entries = list?.kind === 'list' ? list.items : []
  const first = (key: string): string | undefined => {
    const index = entries.findIndex((entry) => has(entry, key))
    return index < 0 ? undefined : memberPath(`$.syscalls[${index}]`, key)
  }
  const errno = has(root, 'defaultErrno') ? '$.defaultErrno' : first('errno')
  if (errno !== undefined) return { dialect: 'containers-common', because: `it has ${errno}` }
  if (isHookOutput(entries)) {
    const because = 'it has one entry, sorted, with empty includes and excludes'
    return { dialect: 'oci-seccomp-bpf-hook', because }
  }
  const docker =
    (has(root, 'archMap') ? '$.archMap' : undefined) ??
    first('name') ??
    first('includes') ??
    first('excludes') ??
    first('comment')
  if (docker !== undefined) return { dialect: 'moby', because: `it has ${docker}` }
  if (commented) {
    return { dialect: 'inspektor-gadget', because: 'a comment stands before it' }
  }
  return { dialect: 'oci', because: 'it has nothing that only another dialect has' }
}

/** The hook marshals containers/common's type: everything is there, and empty. */
function isHookOutput(entries: readonly TreeNode[]): boolean {
  const [entry] = entries
  if (entry === undefined || entries.length > 1) return false
  const isEmpty = (node: TreeNode | undefined): boolean =>
    node?.kind === 'map' && node.members.length === 0
  if (!isEmpty(get(entry, 'includes')) || !isEmpty(get(entry, 'excludes'))) return false
  if (textOf(get(entry, 'comment')) !== '') return false
  const list = get(entry, 'names')
  const names = list?.kind === 'list' ? list.items.map((item) => textOf(item) ?? '') : []
  return names.length > 1 && names.every((name, at) => at === 0 || (names[at - 1] ?? '') < name)
}

/** A finding that says what was detected. */
export function detectedFinding(
  { dialect, because }: Detected,
  root: TreeNode,
  lines: Lines,
): ProfileFinding {
  return Object.freeze({
    ...lines.place(root.offset, '$'),
    code: 'dialect',
    severity: 'info',
    message: `read as ${dialect}: ${because}`,
  })
}
