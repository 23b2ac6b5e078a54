/**
 * What stands beside seccomp in a pod and takes its worth away, or would keep what it lets through: the fields
 * of the Pod Security Standards (kubernetes.io/docs/concepts/security/pod-security-standards, as of v1.34), and
 * the read-only root.
 */
import { describeNode, quote } from '../profiles/tree'
import type { At } from '../profiles/reading'
import { CAPABILITIES } from '../profiles/vocabulary'
import { descend, Fields, isMapAt, itemsOf, textOf, valueOf } from './fields'
import type { ManifestFindings, Subject } from './findings'
import type { Cluster } from './options'
import { describeContainer, type Container, type Pod } from './pod'
import { CAPABILITIES_SHAPE, SELINUX_OPTIONS } from './shapes'
import { volumesOf } from './workloads'

/** As Kubernetes names them. */
const CAPABILITY_NAMES = CAPABILITIES.map((name) => name.replace(/^CAP_/, ''))

/** Baseline: what may be added. Restricted: only the one. */
const BASELINE_CAPABILITIES: readonly string[] = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD'],
  ...['NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
]
const RESTRICTED_CAPABILITY = 'NET_BIND_SERVICE'

/** Restricted: what a volume may be of. */
const VOLUME_TYPES: readonly string[] = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim'],
  ...['projected', 'secret'],
]

/** Baseline, with the minor version that each came with. */
const SAFE_SYSCTLS: ReadonlyMap<string, number> = new Map([
  ['kernel.shm_rmid_forced', 0],
  ['net.ipv4.ip_local_port_range', 0],
  ['net.ipv4.ip_unprivileged_port_start', 0],
  ['net.ipv4.tcp_syncookies', 0],
  ['net.ipv4.ping_group_range', 0],
  ['net.ipv4.ip_local_reserved_ports', 27],
  ['net.ipv4.tcp_keepalive_time', 29],
  ['net.ipv4.tcp_fin_timeout', 29],
  ['net.ipv4.tcp_keepalive_intvl', 29],
  ['net.ipv4.tcp_keepalive_probes', 29],
])

const SELINUX_TYPES: readonly string[] = [
  ...['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'],
]

/** What the API server refuses for `os: windows`, as it describes PodOS. */
const LINUX_POD_FIELDS = [
  ...['appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'fsGroup', 'fsGroupChangePolicy'],
  ...['sysctls', 'runAsUser', 'runAsGroup', 'supplementalGroups', 'supplementalGroupsPolicy'],
]
const LINUX_CONTAINER_FIELDS = [
  ...['appArmorProfile', 'seLinuxOptions', 'seccompProfile', 'capabilities', 'procMount'],
  ...['readOnlyRootFilesystem', 'privileged', 'allowPrivilegeEscalation', 'runAsUser'],
  'runAsGroup',
]
const LINUX_SPEC_FIELDS = ['hostPID', 'hostIPC', 'hostUsers', 'shareProcessNamespace']

export function checkHardening(pod: Pod, cluster: Cluster, findings: ManifestFindings): void {
  checkHost(pod, findings)
  checkVolumes(pod, findings)
  checkSelinux(pod.context, pod.subject, findings)
  checkHostProcess(pod.context, pod.subject, findings)
  checkSysctls(pod, cluster, findings)
  const user = pod.context?.integer('runAsUser')
  const nonRoot = pod.context?.boolean('runAsNonRoot')
  if (pod.windows !== undefined) checkWindows(pod, findings)
  for (const container of pod.containers) {
    const { context, subject } = container
    checkSelinux(context, subject, findings)
    checkHostProcess(context, subject, findings)
    checkHostPorts(container, findings)
    checkProcMount(container, findings)
    checkUser(container, user, nonRoot, pod, findings)
    checkPrivileges(container, pod, findings)
  }
}

function checkHost({ spec, subject }: Pod, findings: ManifestFindings): void {
  const shared = [
    ['hostPID', 'host-pid', 'it sees the processes of the node, and may signal those of its user'],
    ['hostIPC', 'host-ipc', 'it shares memory and semaphores with the node'],
    [
      'hostNetwork',
      'host-network',
      'it has the network of the node, and what listens on localhost',
    ],
  ] as const
  for (const [field, rule, message] of shared) {
    const given = spec.boolean(field)
    if (given?.value === true) findings.report(rule, subject, given.at, message)
  }
}

function checkVolumes({ spec, subject }: Pod, findings: ManifestFindings): void {
  spec.list('volumes')
  for (const { type, source } of volumesOf(spec.at)) {
    if (type === 'hostPath') {
      const path = textOf(valueOf(source.node, 'path'))
      const what = path === undefined ? 'a folder' : quote(path)
      findings.report('host-path', subject, source, `${what} of the node is in the pod`)
    } else if (!VOLUME_TYPES.includes(type)) {
      findings.report('volume-type', subject, source, `a volume of type ${quote(type)}`)
    }
  }
}

function checkHostPorts({ fields, subject }: Container, findings: ManifestFindings): void {
  for (const port of fields.list('ports') ?? []) {
    const at = descend(port, 'hostPort')
    if (at === undefined || at.node.kind === 'null') continue
    if (at.node.kind === 'number' && at.node.value === 0n) continue
    findings.report('host-port', subject, at, `port ${describeNode(at.node)} of the node`)
  }
}

function checkSelinux(
  context: Fields | undefined,
  subject: Subject,
  findings: ManifestFindings,
): void {
  const at = context?.map('seLinuxOptions')
  if (at === undefined) return
  const options = new Fields(at, SELINUX_OPTIONS, subject, findings)
  for (const key of ['user', 'role'] as const) {
    const given = options.string(key)
    if (given === undefined || given.text === '') continue
    findings.report('selinux-options', subject, given.at, `a ${key} of its own for SELinux`)
  }
  const type = options.string('type')
  if (type === undefined || SELINUX_TYPES.includes(type.text)) return
  const message = `${quote(type.text)} is no type that SELinux has for containers`
  findings.report('selinux-options', subject, type.at, message)
}

function checkSysctls(
  { context, subject }: Pod,
  { minor }: Cluster,
  findings: ManifestFindings,
): void {
  for (const item of context?.list('sysctls') ?? []) {
    const name = textOf(valueOf(item.node, 'name'))
    const since = name === undefined ? undefined : SAFE_SYSCTLS.get(name)
    if (since !== undefined && since <= minor) continue
    const what = name === undefined ? 'a sysctl without a name' : quote(name)
    findings.report('sysctls', subject, item, `${what} is not among the safe sysctls`)
  }
}

function checkHostProcess(
  context: Fields | undefined,
  subject: Subject,
  findings: ManifestFindings,
): void {
  const at = descend(context?.map('windowsOptions'), 'hostProcess')
  if (at === undefined || at.node.kind === 'null') return
  if (at.node.kind === 'boolean' && !at.node.value) return
  findings.report('windows-host-process', subject, at, 'it runs on the node, in no container')
}

function checkWindows(pod: Pod, findings: ManifestFindings): void {
  const [severity, what] =
    pod.windows === 'os'
      ? (['error', 'is refused'] as const)
      : (['warning', 'has no effect'] as const)
  const check = (fields: Fields | undefined, keys: readonly string[], subject: Subject): void => {
    for (const key of keys) {
      const at = fields?.get(key)
      if (at === undefined) continue
      const message = `'${key}' ${what} on Windows`
      findings.report('windows-field', subject, at, message, { severity })
    }
  }
  check(pod.spec, LINUX_SPEC_FIELDS, pod.subject)
  check(pod.context, LINUX_POD_FIELDS, pod.subject)
  for (const { context, subject } of pod.containers) check(context, LINUX_CONTAINER_FIELDS, subject)
}

function checkProcMount({ context, subject }: Container, findings: ManifestFindings): void {
  const given = context?.string('procMount')
  if (given === undefined || given.text === 'Default') return
  const message =
    given.text === 'Unmasked'
      ? 'all of /proc is there, what reaches the kernel included'
      : `there is no procMount ${quote(given.text)}: it is refused`
  findings.report('proc-mount', subject, given.at, message)
}

type Given<T> = { readonly value: T; readonly at: At } | undefined

function checkUser(
  container: Container,
  podUser: Given<bigint>,
  podNonRoot: Given<boolean>,
  { windows }: Pod,
  findings: ManifestFindings,
): void {
  const { context, subject, fields } = container
  const user = context?.integer('runAsUser') ?? podUser
  const nonRoot = context?.boolean('runAsNonRoot') ?? podNonRoot
  const who = describeContainer(container)
  const root = user?.value === 0n && windows === undefined
  if (user !== undefined && root && nonRoot?.value === true) {
    const message = `runAsNonRoot with user 0: ${who} does not start`
    findings.report('run-as-conflict', subject, user.at, message)
  } else if (user !== undefined && root) {
    findings.report('run-as-root', subject, user.at, `${who} runs as root`)
  }
  if (nonRoot?.value === true) return
  const sure = user !== undefined && !root
  const message = sure
    ? `${who} runs as user ${user.value}, and nothing says that it must not be root`
    : `${who} may run as root, if its image does`
  const severity = sure ? 'info' : 'warning'
  findings.report('run-as-non-root', subject, nonRoot?.at ?? fields.at, message, { severity })
}

function checkPrivileges(container: Container, pod: Pod, findings: ManifestFindings): void {
  const { context, subject, fields, privileged } = container
  const who = describeContainer(container)
  const given = context?.boolean('privileged')
  const at = context?.get('privileged')
  if (privileged && at !== undefined) {
    const message = `${who} has every capability and device, and no seccomp profile`
    findings.report('privileged', subject, given?.at ?? at, message)
  }
  // On Windows there is none of what follows.
  if (pod.windows !== undefined) return
  const capabilities = context?.map('capabilities')
  const { add, dropsAll, dropsRaw } = readCapabilities(capabilities, subject, findings)
  checkCapabilities(container, add, { dropsAll, dropsRaw, at: capabilities ?? fields.at }, findings)
  const escalation = context?.boolean('allowPrivilegeEscalation')
  const admin = add.find(({ name }) => name === 'SYS_ADMIN')
  if (escalation?.value === false && (given?.value === true || admin !== undefined)) {
    const what = given?.value === true ? "'privileged: true'" : 'CAP_SYS_ADMIN'
    const message = `'allowPrivilegeEscalation: false' with ${what}: it is refused, or not what happens`
    findings.report('privilege-escalation-conflict', subject, escalation.at, message)
  }
  if (escalation?.value !== false) {
    const message = `${who} can gain privileges by executing a file with set-user-ID or capabilities`
    findings.report('privilege-escalation', subject, escalation?.at ?? fields.at, message)
  }
  const readOnly = context?.boolean('readOnlyRootFilesystem')
  if (readOnly?.value !== true) {
    const message = `${who} can write to its root file system, its own programs included`
    findings.report('read-only-root-filesystem', subject, readOnly?.at ?? fields.at, message)
  }
}

interface Added {
  /** As Kubernetes writes it. */
  readonly name: string
  readonly written: string
  readonly at: At
}

function readCapabilities(
  at: At | undefined,
  subject: Subject,
  findings: ManifestFindings,
): { add: Added[]; dropsAll: boolean; dropsRaw: boolean } {
  if (!isMapAt(at)) return { add: [], dropsAll: false, dropsRaw: false }
  const fields = new Fields(at, CAPABILITIES_SHAPE, subject, findings)
  const read = (key: string): Added[] =>
    (fields.strings(key) ?? []).map(({ text: written, at: where }) => {
      const name = written.toUpperCase().replace(/^CAP_/, '')
      checkName(name, written, where, subject, findings)
      return { name, written, at: where }
    })
  const add = read('add')
  const drop = read('drop')
  const dropsAll = drop.some(({ written }) => written === 'ALL')
  // A runtime may take `all` too: then it is only admission that does not.
  const dropsRaw = drop.some(({ name }) => name === 'ALL' || name === 'NET_RAW')
  return { add, dropsAll, dropsRaw }
}

function checkName(
  name: string,
  written: string,
  at: At,
  subject: Subject,
  findings: ManifestFindings,
): void {
  const known = name === 'ALL' || CAPABILITY_NAMES.includes(name)
  if (known && name === written) return
  if (known) {
    const message = `${quote(written)}: admission compares names letter by letter, and not all runtimes take it`
    findings.report('capabilities-name', subject, at, message, { fix: `Write '${name}'.` })
    return
  }
  const meant = findings.suggestion(name, CAPABILITY_NAMES)
  const more = meant === undefined ? {} : { fix: `Write '${meant}', if that is meant.` }
  findings.report(
    'capabilities-name',
    subject,
    at,
    `there is no capability ${quote(written)}`,
    more,
  )
}

function checkCapabilities(
  container: Container,
  add: readonly Added[],
  drop: { dropsAll: boolean; dropsRaw: boolean; at: At },
  findings: ManifestFindings,
): void {
  const { subject } = container
  for (const { name, written, at } of add) {
    if (written === RESTRICTED_CAPABILITY) continue
    const message = `${describeContainer(container)} is given ${quote(written)}`
    if (BASELINE_CAPABILITIES.includes(written)) {
      findings.report('capabilities-add-default', subject, at, message)
    } else {
      const cis = name === 'NET_RAW' ? ['5.2.8', '5.2.9'] : ['5.2.9']
      findings.report('capabilities-add', subject, at, message, { cis })
    }
  }
  if (drop.dropsAll) return
  const raw = drop.dropsRaw ? '' : ', and with NET_RAW it can forge packets'
  const cis = drop.dropsRaw ? ['5.2.10'] : ['5.2.8', '5.2.10']
  const message = `${describeContainer(container)} keeps the runtime's capabilities${raw}`
  findings.report('capabilities-drop', subject, drop.at, message, { cis })
}

/** Volumes by the name of what they are of: `configMap` → names. */
export function mountedNames(spec: At, type: string, key: string): string[] {
  return volumesOf(spec).flatMap((volume) => {
    if (volume.type === type) return textOf(valueOf(volume.source.node, key)) ?? []
    if (volume.type !== 'projected') return []
    return itemsOf(descend(volume.source, 'sources')).flatMap(
      (source) => textOf(descend(source, type, key)?.node) ?? [],
    )
  })
}
