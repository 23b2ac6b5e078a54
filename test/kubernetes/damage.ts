/** Manifests with something broken in them: the same ones in every run. */
import { damaged, random } from '../helpers/damage'
import { annotated, container, deployment, pod, spec } from './manifests'

const SEEDS: readonly string[] = [
  pod(),
  deployment(spec(), annotated({ 'seccomp.security.alpha.kubernetes.io/pod': 'localhost/a.json' })),
  `# a comment
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: jobs}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        metadata:
          annotations:
            container.apparmor.security.beta.kubernetes.io/run: localhost/run # why
        spec:
          securityContext: &context
            seccompProfile: {type: Localhost, localhostProfile: run.json}
          containers:
          - name: run
            securityContext:
              capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
          - name: other
            securityContext: *context
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: profiles
data:
  run.json: |
    {"defaultAction": "SCMP_ACT_ERRNO"}
`,
  JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: spec({ containers: [container()] }) },
      ],
    },
    null,
    2,
  ),
]

const SPLICES: readonly string[] = [
  ...['{', '}', '[', ']', ',', ':', '"', "'", '\\', '\n', '\0', '\t', '\ufeff', '\ud800', '#'],
  ...['---\n', '...\n', 'null', 'true', 'yes', '-1', '1e999', '0o17', '0644', '9'.repeat(400)],
  ...['&a ', '*a', '<<: ', '!!binary ', '| ', '>-\n', '? ', '- ', '%YAML 1.1\n', '__proto__: 1\n'],
  ...['{"a":'.repeat(80), '['.repeat(80), '- '.repeat(80), 'kind: Pod\n', 'securityContext:\n'],
  ...['  seccompProfile: {type: Unconfined}\n', 'privileged: true\n', '{{ .Values.x }}'],
]

export const damagedManifests = (count: number): Generator<string | Uint8Array> =>
  damaged(count, SEEDS, SPLICES, random(0x4b385))
