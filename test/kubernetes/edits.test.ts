/** Manifests that are edited in place: what changes, and that nothing else does. */
import t from 'tap'
import { ManifestError, PolicyError } from '../../lib/errors'
import {
  checkManifests,
  FIXED_IF_NAMED,
  fixManifests,
  migrateManifests,
  type FixOptions,
} from '../../lib/kubernetes'
import { damagedManifests } from './damage'
import { annotated, deployment, pod, spec } from './manifests'

/** With everything that makes editing in place hard: indentation of both kinds, comments, blank lines. */
const TEXT = `# head

apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # spaces
spec:
  template:
    metadata:
      labels: {app: web}
      annotations:
        kept: "yes"
        # about seccomp
        seccomp.security.alpha.kubernetes.io/pod: runtime/default # old
        container.apparmor.security.beta.kubernetes.io/web: localhost/web
    spec:
      containers:
      - image: nginx
        name: web # c
        env:
          - {name: A,   value: "b"}   # trailing

      # between
      - name: b
        securityContext: {runAsUser:   5}
      - name: c
        securityContext:
          # only this
          capabilities:
            drop:
            - NET_RAW
        args:
        - |
          x

      # the end
---
apiVersion: v1
kind: Service
metadata: {name: untouched}
spec: {ports:   [ ]}`

/** The text with each of the replacements made, which are all there. */
function replaced(
  text: string,
  ...pairs: readonly (readonly [from: string, to: string])[]
): string {
  return pairs.reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`there is no ${from}`)
    return result.replace(from, to)
  }, text)
}

t.test('migrate: fields in the place of annotations, and nothing else', async (t) => {
  const { text, changes, left } = migrateManifests(TEXT)
  const wanted = replaced(
    TEXT,
    [
      `        seccomp.security.alpha.kubernetes.io/pod: runtime/default # old
        container.apparmor.security.beta.kubernetes.io/web: localhost/web
`,
      '',
    ],
    [
      '   # trailing\n',
      `   # trailing
        securityContext:
          appArmorProfile:
            type: Localhost
            localhostProfile: web
`,
    ],
    [
      '      # the end\n',
      `      # the end
      securityContext:
        seccompProfile:
          type: RuntimeDefault
`,
    ],
  )
  t.equal(text, wanted)
  t.strictSame(left, [])
  t.match(changes, [
    { rule: 'seccomp-annotation', line: 14, object: 'Deployment web' },
    { rule: 'apparmor-annotation', line: 15, container: 'web' },
  ])
  const again = migrateManifests(text)
  t.equal(again.text, text)
  t.strictSame(again.changes, [])
})

t.test('fix: what is set, and nothing else', async (t) => {
  const { text } = migrateManifests(TEXT)
  const { text: fixed, changes } = fixManifests(text)
  const wanted = replaced(
    text,
    [
      '            localhostProfile: web\n',
      '            localhostProfile: web\n          allowPrivilegeEscalation: false\n',
    ],
    ['{runAsUser:   5}', '{allowPrivilegeEscalation: false, runAsUser:   5}'],
    [
      '            - NET_RAW\n',
      '            - NET_RAW\n          allowPrivilegeEscalation: false\n',
    ],
  )
  t.equal(fixed, wanted)
  t.equal(changes.length, 3)
  const named = fixManifests(text, { also: FIXED_IF_NAMED })
  t.strictSame(
    named.findings.map(({ rule }) => rule),
    [],
  )
  t.match(named.text, '            drop:\n            - ALL\n            - NET_RAW\n')
  for (const also of [[], FIXED_IF_NAMED]) {
    const once = fixManifests(text, { also }).text
    const twice = fixManifests(once, { also })
    t.equal(twice.text, once)
    t.strictSame(twice.changes, [])
  }
})

t.test('a text without fault comes back as it was', async (t) => {
  for (const text of [pod(), deployment(), `\ufeff${pod()}`, pod().replaceAll('\n', '\r\n')]) {
    t.equal(fixManifests(text).text, text)
    t.equal(migrateManifests(text).text, text)
  }
})

t.test('the ways to write an object', async (t) => {
  const head = 'apiVersion: v1\nkind: Pod\nspec:\n'
  const set = 'allowPrivilegeEscalation: false'
  const profile = 'seccompProfile: {type: RuntimeDefault}'
  const cases: [string, string][] = [
    // Nothing there, with and without a comment; at the end of a text that has no last line break.
    [
      `${head}  securityContext:\n  containers:\n  - name: a\n    securityContext: # why\n`,
      `${head}  securityContext: {${profile}}\n  containers:\n  - name: a\n    securityContext: {${set}} # why\n`,
    ],
    [
      `${head}  securityContext: {}\n  containers: [{name: a, securityContext: ~}]`,
      `${head}  securityContext: {${profile}}\n  containers: [{name: a, securityContext: {${set}}}]`,
    ],
    [
      `${head}  containers:\n    - name: a`,
      `${head}  containers:\n    - name: a\n      securityContext:\n        ${set}\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault`,
    ],
    [
      `${head}  containers:\r\n  - name: a\r\n`.replaceAll(/\r?\n/g, '\r\n'),
      `${head}  containers:\n  - name: a\n    securityContext:\n      ${set}\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n`.replaceAll(
        '\n',
        '\r\n',
      ),
    ],
    [
      '{"apiVersion": "v1", "kind": "Pod", "spec": {\n  "containers": [\n    {\n      "name": "a"\n    }\n  ]\n}}',
      '{"apiVersion": "v1", "kind": "Pod", "spec": {\n  "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},\n  "containers": [\n    {\n      "securityContext": {"allowPrivilegeEscalation": false},\n      "name": "a"\n    }\n  ]\n}}',
    ],
    // The case of keys and types.
    [
      `${head}  securitycontext:\n    "SeccompProfile": {Type: 'runtimedefault'}\n  containers: []\n`,
      `${head}  securityContext:\n    "seccompProfile": {type: RuntimeDefault}\n  containers: []\n`,
    ],
  ]
  for (const [text, wanted] of cases) t.equal(fixManifests(text).text, wanted)
})

t.test('a case that is not corrected, since it would permit more', async (t) => {
  const bare = { allowPrivilegeEscalation: undefined }
  const inContainer: Record<string, unknown>[] = [
    { Privileged: true },
    { AllowPrivilegeEscalation: true },
    { SeccompProfile: { type: 'Unconfined' } },
    { seccompprofile: { Type: 'unconfined' } },
    // It would override what the pod says.
    { SeccompProfile: { type: 'Localhost', localhostProfile: 'lax.json' } },
    { AppArmorProfile: { type: 'Localhost', localhostProfile: 'lax' } },
    { Capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
    { ProcMount: 'Unmasked' },
    { RunAsUser: 0 },
    { RunAsNonRoot: false },
    { ReadOnlyRootFilesystem: false },
  ]
  for (const context of inContainer) {
    const [key = ''] = Object.keys(context)
    const { text, left, findings, changes } = fixManifests(
      pod(spec({}, {}, { ...bare, ...context })),
    )
    const also = text.includes('allowPrivilegeEscalation: false')
    t.ok(also, `${key}: the right key is set beside it`)
    t.equal(
      text.replace(/\n *allowPrivilegeEscalation: false/, ''),
      pod(spec({}, {}, { ...bare, ...context })),
    )
    t.match(left, [{ rule: 'unknown-key', container: 'web', message: new RegExp(`${key}.*more`) }])
    t.equal(changes.length, 1)
    t.ok(findings.some(({ rule }) => rule === 'unknown-key'))
    t.strictSame(fixManifests(text).left, left)
    t.equal(fixManifests(text).text, text)
  }
  for (const more of [
    { HostNetwork: true },
    { hostpid: true },
    { hostIpc: true },
    { Volumes: [{ name: 'a', hostPath: { path: '/' } }] },
    { initcontainers: [{ name: 'a', securityContext: { privileged: true } }] },
  ]) {
    const { text, left } = fixManifests(pod(spec(more)))
    t.equal(text, pod(spec(more)))
    t.match(left, [{ rule: 'unknown-key', message: /could permit more/ }])
  }
  for (const context of [{ Sysctls: [{ name: 'kernel.msgmax', value: '1' }] }, { runasuser: 0 }]) {
    const { text, left } = fixManifests(pod(spec({}, context)))
    t.equal(text, pod(spec({}, context)))
    t.equal(left.length, 1)
  }
})

t.test('a context that is misspelt, with more in it than restrictions', async (t) => {
  const securitycontext = { privileged: true, RunAsNonRoot: true }
  const given = pod(spec({ containers: [{ name: 'web', securitycontext }] }))
  const { text, left } = fixManifests(given)
  t.match(left, [{ rule: 'unknown-key', message: /securitycontext/ }])
  t.match(text, /securitycontext:\n +privileged: true\n +RunAsNonRoot: true\n/)
  t.match(text, /securityContext:\n +allowPrivilegeEscalation: false\n/)
  t.equal(fixManifests(text).text, text)
  const fine = { allowPrivilegeEscalation: false, Privileged: true, RunAsNonRoot: true }
  const partly = fixManifests(pod(spec({ containers: [{ name: 'web', securitycontext: fine }] })))
  t.match(
    partly.text,
    /securityContext:\n +allowPrivilegeEscalation: false\n +Privileged: true\n +runAsNonRoot: true\n/,
  )
  t.match(partly.left, [{ message: /'?Privileged/ }])
})

t.test('a type in the wrong case that means Unconfined', async (t) => {
  const given = pod(spec({}, { seccompProfile: { type: 'unconfined' } }))
  const { text, left } = fixManifests(given)
  t.equal(text, given)
  t.match(left, [{ rule: 'seccomp-type', message: /would permit everything/ }])
  const named = fixManifests(given, { also: ['seccomp-unconfined'] })
  t.equal(named.text, pod())
  t.strictSame(named.left, [])
})

t.test('a case that is corrected, since it restricts', async (t) => {
  const wrong = {
    RunAsNonRoot: true,
    Privileged: false,
    allowprivilegeescalation: false,
    RunAsUser: 5,
    Capabilities: { drop: ['ALL'] },
    SeccompProfile: { Type: 'runtimedefault' },
    AppArmorProfile: { type: 'RuntimeDefault' },
    ProcMount: 'Default',
  }
  const { text, left } = fixManifests(
    pod(spec({ containers: [{ name: 'a', SecurityContext: wrong }], HostNetwork: false })),
  )
  const right = {
    runAsNonRoot: true,
    privileged: false,
    allowPrivilegeEscalation: false,
    runAsUser: 5,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
    appArmorProfile: { type: 'RuntimeDefault' },
    procMount: 'Default',
  }
  t.equal(
    text,
    pod(spec({ containers: [{ name: 'a', securityContext: right }], hostNetwork: false })),
  )
  t.strictSame(left, [])
})

t.test('what is left alone', async (t) => {
  const same = (text: string, options: FixOptions = {}): void => {
    t.equal(fixManifests(text, options).text, text)
  }
  // An edit would be one of both containers.
  const shared = `apiVersion: v1
kind: Pod
spec:
  securityContext: {seccompProfile: {type: RuntimeDefault}}
  containers:
  - {name: a, securityContext: &c {runAsUser: 5}}
  - {name: b, securityContext: *c}
`
  same(shared)
  const privileged = { privileged: true, allowPrivilegeEscalation: undefined }
  same(pod(spec({}, {}, privileged)))
  const admin = {
    allowPrivilegeEscalation: undefined,
    capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] },
  }
  same(pod(spec({}, {}, admin)))
  same(pod(spec({}, {}, { allowPrivilegeEscalation: true })))
  same(pod(spec({}, { seccompProfile: { type: 'Unconfined' } })))
  same(pod(spec({ os: { name: 'windows' }, containers: [{ name: 'a' }], securityContext: {} })))
  // Migrate first; and before 1.19 there is no field.
  const bare = spec({ securityContext: { runAsNonRoot: true } })
  same(pod(bare, annotated({ 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' })))
  same(pod(bare), { clusterVersion: '1.18' })
  // With user 0 nothing would start.
  same(
    pod(spec({ securityContext: { runAsUser: 0, seccompProfile: { type: 'RuntimeDefault' } } })),
    {
      also: ['run-as-non-root'],
    },
  )
})

t.test('a profile by name', async (t) => {
  const localhostProfile = 'profiles/web-1.json'
  const own = { seccompProfile: { type: 'RuntimeDefault' } }
  for (const text of [pod(), pod(spec({}, {}, own)), pod(spec({ securityContext: {} }, {}, {}))]) {
    const { text: fixed } = fixManifests(text, { localhostProfile })
    const [workload] = checkManifests(fixed).workloads
    t.match(workload?.containers[0]?.seccomp, { type: 'Localhost', localhostProfile })
    t.equal(fixManifests(fixed, { localhostProfile }).text, fixed)
  }
  for (const options of [
    { localhostProfile: '/etc/passwd' },
    { localhostProfile: '../a' },
    { localhostProfile: '' },
    { also: ['privileged'] },
    { also: 'run-as-non-root' },
    { profile: 'a' },
  ]) {
    t.throws(() => fixManifests(pod(), options as unknown as FixOptions), PolicyError)
  }
})

t.test('annotations that stay', async (t) => {
  const seccomp = 'container.seccomp.security.alpha.kubernetes.io/'
  const text = deployment(
    spec(),
    annotated({
      [`${seccomp}web`]: 'localhost/../x',
      [`${seccomp}gone`]: 'unconfined',
      'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
    }),
    annotated({ [`${seccomp}web`]: 'runtime/default' }),
  )
  const { text: migrated, changes, left } = migrateManifests(text)
  t.equal(migrated, text)
  t.strictSame(changes, [])
  t.strictSame(left.map(({ message }) => message).sort(), [
    'has no effect here: it belongs to the pod template',
    'is for a container that there is not',
    'is no profile',
    'is not what the field beside it says',
  ])
})

t.test('an annotation that would override a field in force', async (t) => {
  const name = 'container.seccomp.security.alpha.kubernetes.io/web'
  const of = (value: string, podProfile: Record<string, string>): string =>
    pod(spec({}, { seccompProfile: podProfile }), annotated({ [name]: value }))
  const strict = { type: 'Localhost', localhostProfile: 'strict.json' }
  for (const text of [
    of('unconfined', { type: 'RuntimeDefault' }),
    of('unconfined', strict),
    of('runtime/default', strict),
    of('localhost/lax.json', strict),
  ]) {
    const { text: migrated, left, changes } = migrateManifests(text)
    t.equal(migrated, text)
    t.strictSame(changes, [])
    t.match(left, [{ container: 'web', message: /would override the pod's seccompProfile/ }])
  }
  const own = spec({}, {}, { seccompProfile: { type: 'RuntimeDefault' } })
  const beside = pod(own, annotated({ [name]: 'unconfined' }))
  t.equal(migrateManifests(beside).text, beside)
  t.match(migrateManifests(beside).left, [{ message: 'is not what the field beside it says' }])
  for (const text of [
    of('runtime/default', { type: 'RuntimeDefault' }),
    of('localhost/strict.json', strict),
    of('runtime/default', { type: 'Unconfined' }),
  ]) {
    t.strictSame(migrateManifests(text).left, [])
    t.notMatch(migrateManifests(text).text, 'annotations')
  }
})

t.test('the last annotation takes what is empty with it', async (t) => {
  const name = 'container.apparmor.security.beta.kubernetes.io/web'
  const both = pod(spec(), annotated({ [name]: 'unconfined' }))
  t.notMatch(migrateManifests(both).text, 'annotations')
  t.match(migrateManifests(both).text, 'name: web')
  const flow = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"annotations": {"a": "b", "${name}": "unconfined"}}, "spec": {"containers": [{"name": "web"}]}}`
  t.match(migrateManifests(flow).text, '{"annotations": {"a": "b"}}')
  const only = flow.replace('"a": "b", ', '')
  t.notMatch(migrateManifests(only).text, 'metadata')
})

t.test('damaged manifests: edited as a whole, or not at all', async (t) => {
  const problems: string[] = []
  for (const text of damagedManifests(400)) {
    try {
      const migrated = migrateManifests(text).text
      const { text: fixed } = fixManifests(migrated, { also: FIXED_IF_NAMED })
      const again = fixManifests(fixed, { also: FIXED_IF_NAMED })
      if (again.text !== fixed) problems.push(`not the same again:\n${fixed}\n---\n${again.text}`)
    } catch (error) {
      if (!(error instanceof ManifestError)) problems.push(`${String(error)}\n${text.toString()}`)
    }
  }
  t.strictSame(problems.slice(0, 2), [])
})

t.test('what cannot be edited alone is refused', async (t) => {
  // The key and its value on lines of their own, with a mark that edits do not know.
  const text = 'apiVersion: v1\nkind: Pod\nspec:\n  ? containers\n  : - ? name\n      : a\n'
  t.equal(fixManifests(text).text, text)
})
