/**
 * What `checkManifests` can find. An id keeps its meaning; docs/kubernetes.md lists them.
 *
 * `podSecurity` is the strictest level of the Pod Security Standards that a workload with the finding cannot be
 * admitted at (kubernetes.io/docs/concepts/security/pod-security-standards). `cis` are controls of the CIS
 * Kubernetes Benchmark v1.11 (numbers as kube-bench has them, cfg/cis-1.11/policies.yaml; before v1.11, section
 * 5.6 was 5.7).
 */
import type { ProfileFinding } from '../errors'

export interface Rule {
  readonly severity: ProfileFinding['severity']
  readonly podSecurity?: PodSecurityLevel
  readonly cis: readonly string[]
  readonly fix: string
}

/** The levels that restrict anything. */
export type PodSecurityLevel = 'baseline' | 'restricted'

const FIELD = "Write it under 'securityContext.seccompProfile'."
const API = 'error' as const

export const RULES = {
  // What a container runs under.
  'seccomp-unset': {
    severity: 'warning',
    podSecurity: 'restricted',
    cis: ['5.6.2'],
    fix: "Set 'seccompProfile: {type: RuntimeDefault}' in the pod's securityContext.",
  },
  'seccomp-unconfined': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.6.2'],
    fix: 'Use RuntimeDefault, or a Localhost profile that permits what is needed.',
  },
  'seccomp-privileged': {
    severity: 'warning',
    cis: ['5.6.2'],
    fix: "Remove 'privileged', or the profile that has no effect.",
  },

  // A seccompProfile that is refused, or is not what it seems to be.
  'seccomp-type': {
    severity: API,
    podSecurity: 'baseline',
    cis: ['5.6.2'],
    fix: 'It is one of RuntimeDefault, Localhost and Unconfined, in this spelling.',
  },
  'localhost-path-missing': {
    severity: API,
    cis: ['5.6.2'],
    fix: "Set 'localhostProfile' to a path below the kubelet's seccomp folder.",
  },
  'localhost-path-absolute': {
    severity: API,
    cis: ['5.6.2'],
    fix: "Write it relative to the kubelet's seccomp folder (/var/lib/kubelet/seccomp).",
  },
  'localhost-path-parent': {
    severity: API,
    cis: ['5.6.2'],
    fix: "Put the file below the kubelet's seccomp folder, and leave out '..'.",
  },
  'localhost-path-prefix': {
    severity: 'warning',
    cis: ['5.6.2'],
    fix: 'Leave the prefix out.',
  },
  'localhost-path-unused': {
    severity: API,
    cis: ['5.6.2'],
    fix: "Remove 'localhostProfile', or make the type Localhost.",
  },
  'localhost-profile-in-configmap': {
    severity: 'error',
    cis: ['5.6.2'],
    fix: 'Install it on the nodes: `seccomp-ts k8s bundle` makes what does.',
  },
  'localhost-profile-unknown': {
    severity: 'error',
    cis: ['5.6.2'],
    fix: 'Install it on the nodes, or correct the path.',
  },
  'localhost-profile-invalid': {
    severity: 'error',
    cis: ['5.6.2'],
    fix: 'Convert it to plain OCI for the architecture and capabilities of the container.',
  },

  // Keys and values that nobody reads.
  'unknown-key': { severity: 'error', cis: [], fix: 'Correct the spelling: case counts.' },
  'misplaced-key': { severity: 'error', cis: [], fix: 'Move it to where it is read.' },
  'duplicate-key': { severity: 'error', cis: [], fix: 'Leave only one of them.' },
  'wrong-type': { severity: 'error', cis: [], fix: 'Write a value of the type that is expected.' },
  'field-too-new': {
    severity: 'error',
    cis: ['5.6.3'],
    fix: 'Use the annotation there, or a newer cluster.',
  },

  // Annotations of old.
  'seccomp-annotation': { severity: 'warning', cis: ['5.6.2'], fix: FIELD },
  'apparmor-annotation': {
    severity: 'warning',
    cis: ['5.6.3'],
    fix: "Write it under 'securityContext.appArmorProfile'.",
  },
  'annotation-value': {
    severity: 'error',
    cis: ['5.6.3'],
    fix: "It is 'runtime/default', 'unconfined' or 'localhost/' and a profile.",
  },
  'annotation-conflict': { severity: 'error', cis: ['5.6.3'], fix: 'Remove the annotation.' },
  'annotation-container': {
    severity: 'error',
    cis: ['5.6.3'],
    fix: 'Correct the name of the container, or remove the annotation.',
  },
  'annotation-placement': {
    severity: 'error',
    cis: ['5.6.3'],
    fix: "Move it to the pod template's metadata, or better, write the field.",
  },

  // Beside seccomp.
  privileged: {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.2.2'],
    fix: 'Remove it, and add the capabilities that are needed.',
  },
  'privilege-escalation': {
    severity: 'warning',
    podSecurity: 'restricted',
    cis: ['5.2.6'],
    fix: "Set 'allowPrivilegeEscalation: false'.",
  },
  'privilege-escalation-conflict': {
    severity: API,
    cis: ['5.2.6'],
    fix: "Leave one of them out: 'allowPrivilegeEscalation: false' goes with neither.",
  },
  'run-as-root': {
    severity: 'warning',
    podSecurity: 'restricted',
    cis: ['5.2.7'],
    fix: 'Set runAsUser to the number of an ordinary user.',
  },
  'run-as-non-root': {
    severity: 'warning',
    podSecurity: 'restricted',
    cis: ['5.2.7'],
    fix: "Set 'runAsNonRoot: true' in the pod's securityContext.",
  },
  'run-as-conflict': {
    severity: 'error',
    cis: ['5.2.7'],
    fix: 'Set runAsUser to the number of an ordinary user.',
  },
  'read-only-root-filesystem': {
    severity: 'warning',
    cis: ['5.6.3'],
    fix: "Set 'readOnlyRootFilesystem: true', and mount an emptyDir where the program writes.",
  },
  'capabilities-drop': {
    severity: 'warning',
    podSecurity: 'restricted',
    cis: ['5.2.8', '5.2.10'],
    fix: "Set 'capabilities: {drop: [ALL]}', and add what is needed.",
  },
  'capabilities-add': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.2.9'],
    fix: 'Leave it out, or find the part of the program that needs it.',
  },
  'capabilities-add-default': {
    severity: 'warning',
    podSecurity: 'restricted',
    cis: ['5.2.9'],
    fix: 'Leave it out: at this level only NET_BIND_SERVICE may be added.',
  },
  'capabilities-name': {
    severity: 'error',
    cis: ['5.2.9'],
    fix: "Write it as capabilities(7) does, in capitals and without 'CAP_'.",
  },
  'apparmor-unconfined': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.6.3'],
    fix: 'Leave it out: the runtime has a profile, or name one with Localhost.',
  },
  'apparmor-profile': {
    severity: API,
    podSecurity: 'baseline',
    cis: ['5.6.3'],
    fix: "The type is RuntimeDefault, Localhost or Unconfined; 'localhostProfile' goes with Localhost.",
  },
  'proc-mount': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.6.3'],
    fix: "Leave it out, or set 'Default'.",
  },
  'host-pid': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.2.3'],
    fix: 'Leave it out.',
  },
  'host-ipc': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.2.4'],
    fix: 'Leave it out.',
  },
  'host-network': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.2.5'],
    fix: 'Leave it out, and use a Service.',
  },
  'host-port': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.2.13'],
    fix: 'Leave it out, and use a Service.',
  },
  'host-path': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.2.12'],
    fix: 'Use a volume that is not the node: emptyDir, configMap, a PersistentVolumeClaim.',
  },
  'volume-type': {
    severity: 'warning',
    podSecurity: 'restricted',
    cis: [],
    fix: 'Use it through a PersistentVolumeClaim.',
  },
  sysctls: {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.6.3'],
    fix: 'Leave it out, or set it on the node.',
  },
  'selinux-options': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.6.3'],
    fix: 'Leave user and role out; of types, the ones for containers are allowed.',
  },
  'windows-field': {
    severity: API,
    cis: [],
    fix: 'Leave it out of a pod for Windows: it is for Linux.',
  },
  'windows-host-process': {
    severity: 'error',
    podSecurity: 'baseline',
    cis: ['5.2.11'],
    fix: 'Leave it out.',
  },
  'more-findings': {
    severity: 'info',
    cis: [],
    fix: 'Correct these first, or check fewer manifests at a time.',
  },
} as const satisfies Readonly<Record<string, Rule>>

export type ManifestRule = keyof typeof RULES

export const MANIFEST_RULES = Object.keys(RULES) as ManifestRule[]

export const ruleOf = (id: ManifestRule): Rule => RULES[id]
