/** Manifests with something broken in them: the same ones in every run. */
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

/** xorshift32 */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

function damage(text: string, pick: (below: number) => number): string {
  const at = pick(text.length + 1)
  const to = at + pick(20)
  const splice = SPLICES[pick(SPLICES.length)] ?? ''
  switch (pick(7)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + text.slice(to)
    case 2:
      return text.slice(0, at) + splice + text.slice(at)
    case 3:
      return text.slice(0, at) + splice + text.slice(to)
    case 4:
      return text.slice(0, at) + text.slice(at, to).repeat(3) + text.slice(to)
    case 5: {
      // A line somewhere else.
      const lines = text.split('\n')
      const [line = ''] = lines.splice(pick(lines.length), 1)
      lines.splice(pick(lines.length + 1), 0, line)
      return lines.join('\n')
    }
    default:
      return text.slice(0, at) + String.fromCharCode(pick(0x250)) + text.slice(at + 1)
  }
}

export function* damaged(count: number): Generator<string | Uint8Array> {
  const pick = random(0x4b385)
  for (let round = 0; round < count; round++) {
    let text = SEEDS[round % SEEDS.length] ?? ''
    for (let times = 1 + pick(4); times > 0; times--) text = damage(text, pick)
    yield round % 7 === 0 ? Buffer.from(text, 'latin1') : text
  }
}
