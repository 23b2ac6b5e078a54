/** What each container runs under: KEP-135, KEP-24, and the reference of seccomp in Kubernetes. */
import t from 'tap'
import { stringify } from 'yaml'
import { PolicyError } from '../../lib/errors'
import {
  checkManifests,
  type CheckOptions,
  type ContainerReport,
  type WorkloadReport,
} from '../../lib/kubernetes'
import { annotated, deployment, failure, pod, rulesOf } from './manifests'

const SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/'
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/'

const containersOf = (text: string, options?: CheckOptions): readonly ContainerReport[] =>
  checkManifests(text, options).workloads.flatMap(({ containers }) => containers)

/** `RuntimeDefault container`: the profile, and who says so. */
const seccompOf = (text: string, options?: CheckOptions): string[] =>
  containersOf(text, options).map(({ seccomp: { type, localhostProfile = '', source } }) =>
    [type, localhostProfile, source].filter((part) => part !== '').join(' '),
  )

const named = (name: string, profile?: object, more: object = {}): object => ({
  name,
  ...(profile === undefined ? {} : { securityContext: { seccompProfile: profile } }),
  ...more,
})
const DEFAULT = { type: 'RuntimeDefault' }
const UNCONFINED = { type: 'Unconfined' }
const LOCAL = { type: 'Localhost', localhostProfile: 'web.json' }

t.test("a container's field before the pod's, for every kind of container", async (t) => {
  const text = pod({
    securityContext: { seccompProfile: UNCONFINED },
    initContainers: [
      named('init', DEFAULT),
      named('stays', undefined, { restartPolicy: 'Always' }),
    ],
    containers: [named('own', LOCAL), named('inherits')],
    ephemeralContainers: [named('debug'), named('debug2', DEFAULT)],
  })
  t.strictSame(seccompOf(text), [
    'RuntimeDefault container',
    'Unconfined pod',
    'Localhost web.json container',
    'Unconfined pod',
    'Unconfined pod',
    'RuntimeDefault container',
  ])
  t.strictSame(
    containersOf(text).map(({ role }) => role),
    ['init', 'sidecar', 'container', 'container', 'ephemeral', 'ephemeral'],
  )
  const unconfined = rulesOf(text).filter((rule) => rule === 'seccomp-unconfined')
  t.equal(unconfined.length, 1, 'said once, where it is written')
})

t.test('privileged: no profile, whatever is written', async (t) => {
  const privileged = { securityContext: { privileged: true, seccompProfile: LOCAL } }
  t.strictSame(seccompOf(pod({ containers: [{ name: 'a', ...privileged }] })), [
    'Unconfined privileged',
  ])
  for (const value of ['yes', 'true', '"true"', 'on', '1']) {
    const text = `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: a, securityContext: {privileged: ${value}}}]\n`
    t.equal(containersOf(text)[0]?.privileged, true, value)
  }
  for (const value of ['no', 'false', '"false"', 'null']) {
    const text = `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: a, securityContext: {privileged: ${value}}}]\n`
    t.equal(containersOf(text)[0]?.privileged, false, value)
  }
})

t.test('nothing set: by version and by kubelet', async (t) => {
  const text = pod({ containers: [named('a')] })
  const ask = (options: CheckOptions): object | undefined => containersOf(text, options)[0]?.seccomp
  const unset = { type: 'Unconfined', source: 'unset' }
  t.strictSame(ask({}), { ...unset, unlessSeccompDefault: true })
  t.strictSame(ask({ clusterVersion: '1.21' }), unset, 'no kubelet has seccompDefault')
  t.strictSame(ask({ clusterVersion: '1.22' }), { ...unset, unlessSeccompDefault: true })
  t.strictSame(ask({ seccompDefault: false }), unset)
  t.strictSame(ask({ seccompDefault: true }), { type: 'RuntimeDefault', source: 'kubelet' })
  t.match(
    checkManifests(text, { seccompDefault: true }).findings.find(
      ({ rule }) => rule === 'seccomp-unset',
    ),
    { severity: 'info', podSecurity: 'restricted' },
    'admission sees the object, which does not have it',
  )
})

t.test('annotations of old count until 1.27', async (t) => {
  const text = pod(
    { containers: [named('a'), named('b'), named('c', DEFAULT)] },
    annotated({ [SECCOMP_POD]: 'docker/default', [`${SECCOMP}b`]: 'localhost/web.json' }),
  )
  const counted = [
    'RuntimeDefault pod-annotation',
    'Localhost web.json container-annotation',
    'RuntimeDefault container',
  ]
  t.strictSame(seccompOf(text, { clusterVersion: '1.26' }), counted)
  t.strictSame(seccompOf(text, { clusterVersion: 'v1.19.3' }), counted)
  const ignored = ['Unconfined unset', 'Unconfined unset', 'RuntimeDefault container']
  t.strictSame(seccompOf(text, { clusterVersion: '1.27' }), ignored)
  t.strictSame(seccompOf(text), ignored)
  const severities = ['1.18', '1.19', '1.26', '1.27'].map((clusterVersion) => {
    const { findings } = checkManifests(text, { clusterVersion })
    return findings.find(({ rule }) => rule === 'seccomp-annotation')?.severity
  })
  t.strictSame(severities, ['info', 'warning', 'warning', 'error'])
})

t.test('before 1.19 the field is dropped, and the annotation is all there is', async (t) => {
  const text = pod({ containers: [named('a', DEFAULT)] })
  t.strictSame(seccompOf(text, { clusterVersion: '1.18' }), ['Unconfined unset'])
  t.ok(rulesOf(text, { clusterVersion: '1.18' }).includes('field-too-new'))
})

t.test('what is refused runs under nothing', async (t) => {
  const refused = [{ type: 'runtime/default' }, {}, { type: 5 }]
  for (const profile of refused) {
    t.strictSame(seccompOf(pod({ containers: [named('a', profile)] })), ['Refused container'])
  }
  const misspelt = named('a', undefined, { securityContext: { SeccompProfile: DEFAULT } })
  t.strictSame(seccompOf(pod({ containers: [misspelt] })), ['Unconfined unset'])
  t.strictSame(
    seccompOf(pod({ containers: [named('a')] }).replace('spec:', 'spec:\n  os: {name: windows}')),
    ['None unset'],
  )
})

t.test('AppArmor: field, annotation, pod, runtime', async (t) => {
  const armored = (appArmorProfile: object): object => ({ securityContext: { appArmorProfile } })
  const text = pod(
    {
      ...armored({ type: 'Localhost', localhostProfile: 'pod' }),
      containers: [{ name: 'a', ...armored(DEFAULT) }, { name: 'b' }, { name: 'c' }],
      ephemeralContainers: [{ name: 'd' }],
    },
    annotated({ [`${APPARMOR}b`]: 'localhost/b', [`${APPARMOR}d`]: 'unconfined' }),
  )
  const got = containersOf(text).map(({ appArmor }) => [
    appArmor.type,
    appArmor.localhostProfile,
    appArmor.source,
  ])
  t.strictSame(got, [
    ['RuntimeDefault', undefined, 'container'],
    ['Localhost', 'b', 'container-annotation'],
    ['Localhost', 'pod', 'pod'],
    ['Localhost', 'pod', 'pod'],
  ])
  const [bare] = containersOf(pod({ containers: [{ name: 'a' }] }))
  t.strictSame(bare?.appArmor, { type: 'RuntimeDefault', source: 'unset' })
})

t.test('every kind that makes pods', async (t) => {
  const template = { metadata: {}, spec: { containers: [named('a', LOCAL)] } }
  const of = (kind: string, body: object): object => ({
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', namespace: 'n' },
    ...body,
  })
  const kinds = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job']
  const objects = [
    of('Pod', template),
    of('PodTemplate', { template }),
    of('ReplicationController', { spec: { template } }),
    ...kinds.map((kind) => of(kind, { spec: { template } })),
    of('CronJob', { spec: { jobTemplate: { spec: { template } } } }),
    // Not of Kubernetes itself.
    of('Rollout', { spec: { template } }),
  ]
  for (const object of objects) {
    t.strictSame(seccompOf(stringify(object)), ['Localhost web.json container'])
    t.strictSame(seccompOf(JSON.stringify(object)), ['Localhost web.json container'])
  }
  const service = of('Service', { spec: { ports: [] } })
  const list = of('List', { items: [...objects, of('PodList', { items: [objects[0]] }), service] })
  const { workloads, others } = checkManifests(stringify(list))
  t.equal(workloads.length, objects.length + 1)
  t.strictSame(others, ['Service n/x'])
  const stream = objects.map((object) => stringify(object)).join('---\n')
  const documents = checkManifests(`# a\n---\n${stream}...\n---\n`).workloads
  t.strictSame(
    documents.map(({ document, kind }: WorkloadReport) => `${document} ${kind}`),
    objects.map((object, at) => `${at + 1} ${(object as { kind: string }).kind}`),
  )
})

t.test('the level that admits a workload', async (t) => {
  const level = (text: string): string | undefined => checkManifests(text).workloads[0]?.podSecurity
  t.equal(level(pod()), 'restricted')
  t.equal(level(deployment()), 'restricted')
  t.equal(level(pod({ containers: [{ name: 'a' }] })), 'baseline')
  t.equal(level(pod({ hostPID: true, containers: [{ name: 'a' }] })), 'privileged')
})

t.test('a ConfigMap that a DaemonSet copies to the nodes', async (t) => {
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'p' },
    data: { 'web.json': '{}' },
  }
  const user = pod({ securityContext: { seccompProfile: LOCAL }, containers: [named('a')] })
  const installer = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'i' },
    spec: {
      template: {
        spec: {
          containers: [named('a')],
          volumes: [
            { name: 'p', configMap: { name: 'p' } },
            { name: 'h', hostPath: { path: '/var/lib/kubelet/seccomp' } },
          ],
        },
      },
    },
  }
  const rule = 'localhost-profile-in-configmap'
  const without = [stringify(configMap), user].join('---\n')
  t.equal(checkManifests(without).findings.find((f) => f.rule === rule)?.severity, 'warning')
  t.notOk(rulesOf([without, stringify(installer)].join('---\n')).includes(rule))
})

t.test('what is no manifest', async (t) => {
  const cases: [string, string, number][] = [
    ['a: 1\n', 'ERR_MANIFEST_OBJECT', 1],
    ['apiVersion: v1\nkind: Pod\n---\n- a\n', 'ERR_MANIFEST_OBJECT', 4],
    ['{"apiVersion": "v1",\n"kind": 5}', 'ERR_MANIFEST_OBJECT', 1],
    ['', 'ERR_MANIFEST_SYNTAX', 1],
    ['# only\n', 'ERR_MANIFEST_SYNTAX', 1],
    ['a: b: c\n', 'ERR_MANIFEST_SYNTAX', 1],
    ['kind: Pod\nname: {{ .Values.name }}\n', 'ERR_MANIFEST_SYNTAX', 2],
    ['a: 1\nb: \u0007\n', 'ERR_MANIFEST_SYNTAX', 2],
  ]
  for (const [text, code, line] of cases) {
    t.match(
      failure(() => checkManifests(text)),
      { code, line, name: 'ManifestError' },
      text,
    )
  }
  t.match(failure(() => checkManifests('a: {{ .b }}\n')).message, /helm template/)
  for (const options of [
    { clusterVersion: '2.0' },
    { clusterVersion: 1.29 },
    { seccompDefault: 'yes' },
    { clusterVersion: '1.21', seccompDefault: true },
    { profiles: { a: 1 } },
    { cluster: '1.29' },
  ]) {
    t.throws(() => checkManifests(pod(), options as CheckOptions), PolicyError)
  }
  t.throws(() => checkManifests(5 as unknown as string), { code: 'ERR_OPTION' })
})

t.test('what YAML 1.1 reads otherwise and nobody asks for is passed over', async (t) => {
  const text = pod().replace('spec:', 'spec:\n  volumes: [{name: s, secret: {defaultMode: 0400}}]')
  t.strictSame(rulesOf(text), [])
})
