/** Manifests from the command line: stdin, exit codes, editing in place. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { seccompTs, workplace } from '../helpers/cli'
import { annotated, pod, spec } from '../kubernetes/manifests'

const place = workplace()
const BARE =
  'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a # c\n'

t.test('check: what runs under what, and the findings with their places', async (t) => {
  const file = place.write('bare.yaml', BARE)
  const { code, stdout, stderr } = seccompTs(['k8s', 'check', file])
  t.equal(code, 1)
  t.equal(stderr, '')
  t.match(stdout, 'Pod a: baseline of the Pod Security Standards')
  t.match(stdout, 'container  a  seccomp Unconfined (unset, unless seccompDefault)')
  t.match(stdout, `${file}:6:5: warning: Pod a, a: container 'a' has no seccomp profile`)
  t.match(stdout, '[seccomp-unset] (restricted; CIS 5.6.2)')
  const good = seccompTs(['k8s', 'check', '-'], { input: pod() })
  t.equal(good.code, 0)
  t.match(good.stdout, 'standard input: no findings')
})

t.test('check --json, with what is known of the cluster', async (t) => {
  const args = [
    'k8s',
    'check',
    '--json',
    '--seccomp-default',
    'on',
    '--cluster-version',
    '1.30',
    '-',
  ]
  const { code, stdout } = seccompTs(args, { input: BARE })
  t.equal(code, 1)
  const [report] = JSON.parse(stdout) as { workloads: { containers: object[] }[] }[]
  t.match(report?.workloads[0]?.containers[0], { seccomp: { source: 'kubelet' } })
})

t.test("check --profiles: a copy of the nodes' folder", async (t) => {
  const profiles = join(place.folder, 'seccomp')
  mkdirSync(join(profiles, 'web'), { recursive: true })
  writeFileSync(join(profiles, 'web', 'a.json'), '{"defaultAction": "SCMP_ACT_LOG"}')
  const ask = (localhostProfile: string): number | null => {
    const input = pod(spec({}, { seccompProfile: { type: 'Localhost', localhostProfile } }))
    return seccompTs(['k8s', 'check', '--profiles', profiles, '-'], { input }).code
  }
  t.equal(ask('web/a.json'), 0)
  t.equal(ask('web/b.json'), 1)
})

t.test('fix: to stdout, or into the file', async (t) => {
  const file = place.write('fix.yaml', BARE)
  const shown = seccompTs(['k8s', 'fix', file])
  t.equal(shown.code, 0)
  t.equal(
    shown.stdout,
    `${BARE}    securityContext:\n      allowPrivilegeEscalation: false\n  securityContext:\n    seccompProfile:\n      type: RuntimeDefault\n`,
  )
  t.match(shown.stderr, 'findings are left')
  t.equal(readFileSync(file, 'utf8'), BARE)
  const written = seccompTs(['k8s', 'fix', '--write', file])
  t.equal(written.code, 0)
  t.equal(written.stdout, '')
  t.equal(readFileSync(file, 'utf8'), shown.stdout)
  t.strictSame(seccompTs(['k8s', 'fix', '-'], { input: shown.stdout }).stdout, shown.stdout)
  const named = seccompTs(['k8s', 'fix', '--localhost-profile', 'a.json', '-'], { input: BARE })
  t.match(named.stdout, 'localhostProfile: a.json')
})

t.test('migrate: 1 where an annotation has to stay', async (t) => {
  const key = 'container.apparmor.security.beta.kubernetes.io/'
  const good = pod(spec(), annotated({ [`${key}web`]: 'unconfined' }))
  const moved = seccompTs(['k8s', 'migrate', '-'], { input: good })
  t.equal(moved.code, 0)
  t.notMatch(moved.stdout, 'annotations')
  const bad = pod(spec(), annotated({ [`${key}gone`]: 'unconfined' }))
  const left = seccompTs(['k8s', 'migrate', '-'], { input: bad })
  t.equal(left.code, 1)
  t.equal(left.stdout, bad)
  t.match(left.stderr, 'is for a container that there is not [apparmor-annotation]')
})

t.test('bundle: for the nodes, for the operator, and away again', async (t) => {
  const args = ['k8s', 'bundle', 'docker-default', '--name', 'web', '--arch', 'x86_64']
  const nodes = seccompTs(args)
  t.equal(nodes.code, 0)
  t.match(nodes.stdout, 'kind: DaemonSet')
  t.match(nodes.stderr, /localhostProfile: seccomp-ts\/web-[0-9a-f]{12}\.json/)
  t.match(seccompTs([...args, '--operator']).stdout, 'kind: ProfileBinding')
  t.match(seccompTs([...args, '--removal']).stdout, 'name: web-seccomp-removal')
  // What it prints is a manifest like any other.
  t.match(seccompTs(['k8s', 'check', '-'], { input: nodes.stdout }).stdout, 'DaemonSet web-seccomp')
})

t.test('mistakes', async (t) => {
  const file = place.write('twice.yaml', BARE)
  const cases: [string[], RegExp][] = [
    [['k8s'], /one of check, fix, migrate, bundle is missing/],
    [['k8s', 'chek', file], /there is no k8s chek. Did you mean check\?/],
    [['k8s', 'check'], /FILE is missing/],
    [['k8s', 'check', '--cluster-version', 'new', file], /--cluster-version: expected a version/],
    [['k8s', 'check', '--seccomp-default', 'yes', file], /is on or off/],
    [['k8s', 'check', '--profiles', `${file}/no`, file], /cannot be read/],
    [['k8s', 'fix', file, file], /--write/],
    [['k8s', 'fix', '--write', '-'], /cannot be written to/],
    [['k8s', 'fix', '--also', 'privileged', file], /--also.*is no rule/],
    [['k8s', 'bundle', 'strict'], /--name is missing/],
    [['k8s', 'bundle', 'strict', '--name', 'A'], /--name: 'A' is no DNS label/],
  ]
  for (const [args, message] of cases) {
    const { code, stderr } = seccompTs(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
  const broken = seccompTs(['k8s', 'check', '-'], { input: 'kind: {{ .Kind }}\n' })
  t.equal(broken.code, 2)
  t.match(broken.stderr, /standard input:1:\d+: .*helm template.*ERR_MANIFEST_SYNTAX/)
})
