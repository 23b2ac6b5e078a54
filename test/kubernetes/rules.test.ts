/** One mistake for each rule, in a manifest that is without fault but for it; and the docs know all of them. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { MANIFEST_RULES, type CheckOptions, type ManifestRule } from '../../lib/kubernetes'
import { ruleOf } from '../../lib/kubernetes/rules'
import {
  annotated,
  container,
  deployment,
  findingsOf,
  pod,
  POD_CONTEXT,
  rulesOf,
  spec,
} from './manifests'

const SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/'
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/'
const withoutSeccomp = { ...POD_CONTEXT, seccompProfile: undefined }
const localhost = (localhostProfile?: string): string =>
  pod(spec({}, { seccompProfile: { type: 'Localhost', localhostProfile } }))
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\ndata: {web.json: "{}"}\n'
const duplicate = pod().replace(
  '  containers:',
  '  hostPID: false\n  hostPID: false\n  containers:',
)

/** The mistake, and where it is found; more rules where one mistake is several. */
interface Seed {
  readonly text: string
  readonly path: string
  readonly options?: CheckOptions
  readonly also?: readonly ManifestRule[]
}

const context = '$.spec.containers[0].securityContext'
const many = Array.from({ length: 2100 }, (_, at) => ({ name: `c${at}` }))

const SEEDS: Readonly<Record<ManifestRule, Seed>> = {
  'seccomp-unset': {
    text: pod(spec({ securityContext: withoutSeccomp })),
    path: '$.spec.containers[0]',
  },
  'seccomp-unconfined': {
    text: pod(spec({}, { seccompProfile: { type: 'Unconfined' } })),
    path: '$.spec.securityContext.seccompProfile',
  },
  'seccomp-privileged': {
    text: pod(spec({}, {}, { privileged: true, allowPrivilegeEscalation: true })),
    path: '$.spec.securityContext.seccompProfile',
    also: ['privileged', 'privilege-escalation'],
  },
  'seccomp-type': {
    text: pod(spec({}, {}, { seccompProfile: { type: 'runtimeDefault' } })),
    path: `${context}.seccompProfile.type`,
  },
  'localhost-path-missing': { text: localhost(), path: '$.spec.securityContext.seccompProfile' },
  'localhost-path-absolute': {
    text: localhost('/var/lib/kubelet/seccomp/web.json'),
    path: '$.spec.securityContext.seccompProfile.localhostProfile',
  },
  'localhost-path-parent': {
    text: localhost('profiles/../../web.json'),
    path: '$.spec.securityContext.seccompProfile.localhostProfile',
  },
  'localhost-path-prefix': {
    text: localhost('localhost/web.json'),
    path: '$.spec.securityContext.seccompProfile.localhostProfile',
  },
  'localhost-path-unused': {
    text: pod(
      spec({}, {}, { seccompProfile: { type: 'RuntimeDefault', localhostProfile: 'web.json' } }),
    ),
    path: `${context}.seccompProfile.localhostProfile`,
  },
  'localhost-profile-in-configmap': {
    text: `${configMap}---\n${pod(
      spec(
        { volumes: [{ name: 'p', configMap: { name: 'p' } }] },
        { seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/web.json' } },
      ),
    )}`,
    path: '$.spec.securityContext.seccompProfile.localhostProfile',
  },
  'localhost-profile-unknown': {
    text: localhost('web.json'),
    options: { profiles: { 'other.json': '{}' } },
    path: '$.spec.securityContext.seccompProfile.localhostProfile',
  },
  'localhost-profile-invalid': {
    text: localhost('web.json'),
    // Docker's: for containerd the rule is without a condition.
    options: {
      profiles: {
        'web.json': JSON.stringify({
          defaultAction: 'SCMP_ACT_ERRNO',
          syscalls: [
            {
              names: ['mount'],
              action: 'SCMP_ACT_ALLOW',
              includes: { caps: ['CAP_SYS_ADMIN'] },
            },
          ],
        }),
      },
    },
    path: '$.spec.securityContext.seccompProfile.localhostProfile',
  },
  'unknown-key': {
    text: pod(spec({}, {}, { seccompprofile: { type: 'RuntimeDefault' } })),
    path: `${context}.seccompprofile`,
  },
  'misplaced-key': {
    text: pod(spec({ containers: [container({ privileged: false })] })),
    path: '$.spec.containers[0].privileged',
  },
  'duplicate-key': { text: duplicate, path: '$.spec.hostPID' },
  'wrong-type': {
    text: pod(spec({}, {}, { procMount: true })),
    path: `${context}.procMount`,
  },
  'field-too-new': {
    text: pod(spec({}, { appArmorProfile: { type: 'RuntimeDefault' } })),
    options: { clusterVersion: '1.29' },
    path: '$.spec.securityContext.appArmorProfile',
  },
  'seccomp-annotation': {
    text: pod(spec(), annotated({ [SECCOMP_POD]: 'runtime/default' })),
    path: `$.metadata.annotations["${SECCOMP_POD}"]`,
  },
  'apparmor-annotation': {
    text: pod(spec(), annotated({ [`${APPARMOR}web`]: 'runtime/default' })),
    path: `$.metadata.annotations["${APPARMOR}web"]`,
  },
  'annotation-value': {
    text: pod(spec(), annotated({ [`${APPARMOR}web`]: 'default' })),
    path: `$.metadata.annotations["${APPARMOR}web"]`,
    also: ['apparmor-annotation'],
  },
  'annotation-conflict': {
    text: pod(spec(), annotated({ [SECCOMP_POD]: 'localhost/web.json' })),
    path: `$.metadata.annotations["${SECCOMP_POD}"]`,
    also: ['seccomp-annotation'],
  },
  'annotation-container': {
    text: pod(spec(), annotated({ [`${SECCOMP}wep`]: 'runtime/default' })),
    path: `$.metadata.annotations["${SECCOMP}wep"]`,
    also: ['seccomp-annotation'],
  },
  'annotation-placement': {
    text: deployment(spec(), {}, annotated({ [SECCOMP_POD]: 'runtime/default' })),
    path: `$.metadata.annotations["${SECCOMP_POD}"]`,
  },
  privileged: {
    text: pod(
      spec(
        { securityContext: withoutSeccomp },
        {},
        { privileged: true, allowPrivilegeEscalation: true },
      ),
    ),
    path: `${context}.privileged`,
    also: ['privilege-escalation'],
  },
  'privilege-escalation': {
    text: pod(spec({}, {}, { allowPrivilegeEscalation: true })),
    path: `${context}.allowPrivilegeEscalation`,
  },
  'privilege-escalation-conflict': {
    text: pod(spec({}, {}, { capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } })),
    path: `${context}.allowPrivilegeEscalation`,
    also: ['capabilities-add'],
  },
  'run-as-root': {
    text: pod(spec({}, { runAsNonRoot: undefined, runAsUser: 0 })),
    path: '$.spec.securityContext.runAsUser',
    also: ['run-as-non-root'],
  },
  'run-as-non-root': {
    text: pod(spec({}, {}, { runAsNonRoot: false })),
    path: `${context}.runAsNonRoot`,
  },
  'run-as-conflict': {
    text: pod(spec({}, {}, { runAsUser: 0 })),
    path: `${context}.runAsUser`,
  },
  'read-only-root-filesystem': {
    text: pod(spec({}, {}, { readOnlyRootFilesystem: undefined })),
    path: '$.spec.containers[0]',
  },
  'capabilities-drop': {
    text: pod(spec({}, {}, { capabilities: { drop: ['NET_RAW'] } })),
    path: `${context}.capabilities`,
  },
  'capabilities-add': {
    text: pod(spec({}, {}, { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } })),
    path: `${context}.capabilities.add[0]`,
  },
  'capabilities-add-default': {
    text: pod(spec({}, {}, { capabilities: { drop: ['ALL'], add: ['CHOWN'] } })),
    path: `${context}.capabilities.add[0]`,
  },
  'capabilities-name': {
    text: pod(spec({}, {}, { capabilities: { drop: ['ALL', 'CAP_NET_RAW'] } })),
    path: `${context}.capabilities.drop[1]`,
  },
  'apparmor-unconfined': {
    text: pod(spec({}, { appArmorProfile: { type: 'Unconfined' } })),
    path: '$.spec.securityContext.appArmorProfile',
  },
  'apparmor-profile': {
    text: pod(spec({}, { appArmorProfile: { type: 'Localhost' } })),
    path: '$.spec.securityContext.appArmorProfile',
  },
  'proc-mount': {
    text: pod(spec({}, {}, { procMount: 'Unmasked' })),
    path: `${context}.procMount`,
  },
  'host-pid': { text: pod(spec({ hostPID: true })), path: '$.spec.hostPID' },
  'host-ipc': { text: pod(spec({ hostIPC: true })), path: '$.spec.hostIPC' },
  'host-network': { text: pod(spec({ hostNetwork: true })), path: '$.spec.hostNetwork' },
  'host-port': {
    text: pod(spec({ containers: [container({ ports: [{ containerPort: 80, hostPort: 80 }] })] })),
    path: '$.spec.containers[0].ports[0].hostPort',
  },
  'host-path': {
    text: pod(spec({ volumes: [{ name: 'v', hostPath: { path: '/run/docker.sock' } }] })),
    path: '$.spec.volumes[0].hostPath',
  },
  'volume-type': {
    text: pod(spec({ volumes: [{ name: 'v', nfs: { server: 'a', path: '/' } }] })),
    path: '$.spec.volumes[0].nfs',
  },
  sysctls: {
    text: pod(spec({}, { sysctls: [{ name: 'kernel.msgmax', value: '1' }] })),
    path: '$.spec.securityContext.sysctls[0]',
  },
  'selinux-options': {
    text: pod(spec({}, { seLinuxOptions: { type: 'spc_t' } })),
    path: '$.spec.securityContext.seLinuxOptions.type',
  },
  'windows-field': {
    text: pod(spec({ os: { name: 'windows' }, hostPID: false, containers: [{ name: 'web' }] })),
    path: '$.spec.hostPID',
  },
  'windows-host-process': {
    text: pod(
      spec({
        os: { name: 'windows' },
        securityContext: { runAsNonRoot: true, windowsOptions: { hostProcess: true } },
        containers: [{ name: 'web' }],
      }),
    ),
    path: '$.spec.securityContext.windowsOptions.hostProcess',
  },
  'more-findings': {
    text: pod(spec({ securityContext: {}, containers: many })),
    path: '',
  },
}

t.test('a manifest without fault has no finding', async (t) => {
  for (const text of [pod(), deployment()]) t.strictSame(findingsOf(text), [])
})

for (const rule of MANIFEST_RULES) {
  t.test(rule, async (t) => {
    const { text, path: where, options, also = [] } = SEEDS[rule]
    const findings = findingsOf(text, options)
    const found = findings.filter((finding) => finding.rule === rule)
    const [first] = found
    if (rule === 'more-findings') {
      t.equal(findings.length, 10_001)
      t.equal(findings[10_000]?.message, '500 more findings are not listed')
      return
    }
    if (rule === 'windows-field') t.equal(found.length, 2, 'the seccomp profile is one too')
    else t.equal(found.length, 1)
    t.equal(found[found.length - 1]?.path, where)
    t.ok(first !== undefined && first.fix.length > 10 && first.message.length > 10)
    const others = findings.filter((finding) => finding.rule !== rule)
    t.strictSame(others.map((finding) => finding.rule).sort(), [...also].sort())
  })
}

t.test('a place is where it stands in the text', async (t) => {
  const text = SEEDS['seccomp-type'].text
  const [finding] = findingsOf(text)
  const lines = text.split('\n')
  const line = lines.findIndex((candidate) => candidate.includes('runtimeDefault'))
  t.match(finding, {
    line: line + 1,
    column: (lines[line]?.indexOf('runtimeDefault') ?? 0) + 1,
    document: 1,
    object: 'Pod web',
    container: 'web',
    podSecurity: 'baseline',
    cis: ['5.6.2'],
    fix: "Write 'RuntimeDefault': case counts.",
  })
})

t.test(
  'the docs have every rule, with its severity and what it touches, and no other',
  async (t) => {
    const file = path.join(__dirname, '../../docs/kubernetes.md')
    const [table = ''] = /^\| rule [^]*?\n\n/m.exec(readFileSync(file, 'utf8')) ?? []
    const rows = [...table.matchAll(/^\| `([a-z-]+)` +\|(.*)\|$/gm)]
    const documented = new Map(
      rows.map(([, rule, cells = '']) => [rule, cells.split('|').map((cell) => cell.trim())]),
    )
    t.strictSame([...documented.keys()], MANIFEST_RULES)
    for (const rule of MANIFEST_RULES) {
      const { severity, podSecurity = '', cis } = ruleOf(rule)
      t.strictSame(documented.get(rule)?.slice(0, 3), [severity, podSecurity, cis.join(', ')], rule)
    }
  },
)

t.test('rules that only an option makes, and none without', async (t) => {
  const { text } = SEEDS['localhost-profile-unknown']
  t.strictSame(rulesOf(text), [])
  t.strictSame(rulesOf(text, { profiles: { 'web.json': '{"defaultAction":"SCMP_ACT_LOG"}' } }), [])
})
