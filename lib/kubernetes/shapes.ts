/**
 * Which keys the objects have that are looked at (Kubernetes API reference, v1.34), and where security keys
 * belong that stand somewhere else. Only what concerns security is asked for strictly: a key that is unknown
 * here may be one of a newer API.
 */

export interface Shape {
  /** What it is called in messages. */
  readonly what: string
  readonly known: readonly string[]
  /** Nothing else can stand here. Otherwise only what looks like a misspelt key of `meant` is reported. */
  readonly closed: boolean
  readonly meant: readonly string[]
  /** Keys that belong somewhere else: key → where. */
  readonly elsewhere: ReadonlyMap<string, string>
}

/** What both have. */
const BOTH_CONTEXTS = [
  ...['seccompProfile', 'appArmorProfile', 'runAsNonRoot', 'runAsUser', 'runAsGroup'],
  ...['seLinuxOptions', 'windowsOptions'],
]

const CONTAINER_CONTEXT = [
  ...['privileged', 'allowPrivilegeEscalation', 'readOnlyRootFilesystem', 'capabilities'],
  'procMount',
]

const POD_CONTEXT = [
  ...['fsGroup', 'fsGroupChangePolicy', 'supplementalGroups', 'supplementalGroupsPolicy'],
  ...['sysctls', 'seLinuxChangePolicy'],
]

const PROFILE = ['type', 'localhostProfile']

const elsewhere = (...groups: (readonly [readonly string[], string])[]): Map<string, string> =>
  new Map(groups.flatMap(([keys, where]) => keys.map((key) => [key, where])))

const IN_PROFILE: readonly [readonly string[], string] = [PROFILE, 'seccompProfile']

export const POD_SPEC: Shape = {
  what: 'a pod',
  known: [
    ...['activeDeadlineSeconds', 'affinity', 'automountServiceAccountToken', 'containers'],
    ...['dnsConfig', 'dnsPolicy', 'enableServiceLinks', 'ephemeralContainers', 'hostAliases'],
    ...['hostIPC', 'hostNetwork', 'hostPID', 'hostUsers', 'hostname', 'imagePullSecrets'],
    ...['initContainers', 'nodeName', 'nodeSelector', 'os', 'overhead', 'preemptionPolicy'],
    ...['priority', 'priorityClassName', 'readinessGates', 'resourceClaims', 'resources'],
    ...['restartPolicy', 'runtimeClassName', 'schedulerName', 'schedulingGates'],
    ...['securityContext', 'serviceAccount', 'serviceAccountName', 'setHostnameAsFQDN'],
    ...['shareProcessNamespace', 'subdomain', 'terminationGracePeriodSeconds', 'tolerations'],
    ...['topologySpreadConstraints', 'volumes', 'hostnameOverride'],
  ],
  closed: false,
  meant: [
    ...['securityContext', 'hostIPC', 'hostNetwork', 'hostPID', 'hostUsers', 'containers'],
    ...['initContainers', 'ephemeralContainers', 'volumes'],
  ],
  elsewhere: elsewhere(
    [[...BOTH_CONTEXTS, ...POD_CONTEXT], "the pod's securityContext"],
    [CONTAINER_CONTEXT, "a container's securityContext"],
  ),
}

export const CONTAINER: Shape = {
  what: 'a container',
  known: [
    ...['args', 'command', 'env', 'envFrom', 'image', 'imagePullPolicy', 'lifecycle', 'name'],
    ...['livenessProbe', 'ports', 'readinessProbe', 'resizePolicy', 'resources', 'restartPolicy'],
    ...['restartPolicyRules', 'securityContext', 'startupProbe', 'stdin', 'stdinOnce'],
    ...['targetContainerName', 'terminationMessagePath', 'terminationMessagePolicy', 'tty'],
    ...['volumeDevices', 'volumeMounts', 'workingDir'],
  ],
  closed: false,
  meant: ['securityContext', 'volumeMounts'],
  elsewhere: elsewhere(
    [[...BOTH_CONTEXTS, ...CONTAINER_CONTEXT], "the container's securityContext"],
    [POD_CONTEXT, "the pod's securityContext"],
    [['hostNetwork', 'hostPID', 'hostIPC'], "the pod's spec"],
  ),
}

const POD_CONTEXT_KEYS = [...BOTH_CONTEXTS, ...POD_CONTEXT]

export const POD_SECURITY_CONTEXT: Shape = {
  what: "a pod's securityContext",
  known: POD_CONTEXT_KEYS,
  closed: true,
  meant: POD_CONTEXT_KEYS,
  elsewhere: elsewhere([CONTAINER_CONTEXT, "a container's securityContext"], IN_PROFILE),
}

const CONTAINER_CONTEXT_KEYS = [...BOTH_CONTEXTS, ...CONTAINER_CONTEXT]

export const CONTAINER_SECURITY_CONTEXT: Shape = {
  what: "a container's securityContext",
  known: CONTAINER_CONTEXT_KEYS,
  closed: true,
  meant: CONTAINER_CONTEXT_KEYS,
  elsewhere: elsewhere([POD_CONTEXT, "the pod's securityContext"], IN_PROFILE),
}

const closed = (what: string, known: readonly string[]): Shape => ({
  what,
  known,
  closed: true,
  meant: known,
  elsewhere: new Map(),
})

export const SECCOMP_PROFILE = closed('a seccompProfile', PROFILE)
export const APPARMOR_PROFILE = closed('an appArmorProfile', PROFILE)
export const CAPABILITIES_SHAPE = closed('capabilities', ['add', 'drop'])
export const SELINUX_OPTIONS = closed('seLinuxOptions', ['level', 'role', 'type', 'user'])
