/** Profiles on their way to the nodes: the objects, against Kubernetes' schemas, and the script, in a shell. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DaemonSet } from 'kubernetes-models/apps/v1'
import { ConfigMap, Pod } from 'kubernetes-models/v1'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { PolicyError } from '../../lib/errors'
import {
  bundleProfile,
  checkManifests,
  FIXED_IF_NAMED,
  fixManifests,
  type BundleOptions,
} from '../../lib/kubernetes'
import { INSTALL_SCRIPT, REMOVE_SCRIPT } from '../../lib/kubernetes/install-script'
import { allow, errno, type Policy } from '../../lib/policy'
import { readProfile } from '../../lib/profiles'
import { pod, spec } from './manifests'

const POLICY: Policy = { default: errno('EPERM'), syscalls: { read: allow, write: allow } }
const OPTIONS: BundleOptions = { name: 'web', namespace: 'node-security', arch: 'x86_64' }

const objectsIn = (text: string): unknown[] =>
  parseAllDocuments(text).map((document) => document.toJS() as unknown)

t.test('without the operator: a ConfigMap and a DaemonSet', async (t) => {
  const { text, localhostProfile, securityContext, removal = '' } = bundleProfile(POLICY, OPTIONS)
  const [configMap, daemonSet, ...none] = objectsIn(text)
  t.strictSame(none, [])
  new ConfigMap(configMap as ConstructorParameters<typeof ConfigMap>[0]).validate()
  for (const object of [daemonSet, parse(removal) as unknown]) {
    new DaemonSet(object as ConstructorParameters<typeof DaemonSet>[0]).validate()
  }
  const { data, immutable, metadata } = configMap as {
    data: Record<string, string>
    immutable: boolean
    metadata: { name: string; namespace: string }
  }
  const profile = data['profile.json'] ?? ''
  const sum = createHash('sha256').update(profile).digest('hex')
  t.equal(immutable, true)
  t.strictSame(metadata, { name: `web-${sum.slice(0, 12)}`, namespace: 'node-security' })
  t.equal(localhostProfile, `seccomp-ts/web-${sum.slice(0, 12)}.json`)
  t.strictSame(readProfile(profile, { dialect: 'containerd' }).profile.faults, [])
  t.match(text, `value: "${sum}"`)
  t.match(text, 'tolerations:\n      - operator: Exists\n')
  t.match(text, `kubernetes.io/arch: amd64`)
  // Of the node, only the one folder; and root, without a capability.
  const { findings, workloads } = checkManifests([text, removal].join('---\n'))
  const rules = [...new Set(findings.map(({ rule }) => rule))].sort()
  t.strictSame(rules, ['host-path', 'run-as-non-root', 'run-as-root'])
  t.strictSame(
    findings.filter(({ rule }) => rule === 'host-path').map(({ message }) => message),
    Array<string>(2).fill("'/var/lib/kubelet/seccomp' of the node is in the pod"),
  )
  t.equal(workloads.length, 2)
  const snippet = parse(securityContext) as { securityContext: object }
  const user = pod(spec({}, snippet.securityContext as Record<string, unknown>))
  t.strictSame(checkManifests([text, user].join('---\n')).workloads[1]?.containers[0]?.seccomp, {
    type: 'Localhost',
    localhostProfile,
    source: 'pod',
  })
  t.notOk(
    checkManifests([text, user].join('---\n')).findings.some(({ rule }) =>
      rule.startsWith('localhost'),
    ),
  )
})

t.test('another profile has another name, and the same one the same', async (t) => {
  const more: Policy = { ...POLICY, syscalls: { read: allow } }
  const of = (policy: Policy): string => bundleProfile(policy, OPTIONS).localhostProfile
  t.equal(of(POLICY), of({ ...POLICY, syscalls: { write: allow, read: allow } }))
  t.not(of(POLICY), of(more))
})

t.test('for the operator', async (t) => {
  const { text, localhostProfile, removal } = bundleProfile(POLICY, { ...OPTIONS, operator: true })
  const [profile, binding] = objectsIn(text)
  t.equal(readProfile(text.split('---\n')[0] ?? '').dialect, 'spo')
  t.match(profile, { kind: 'SeccompProfile', metadata: { name: 'web' } })
  t.match(binding, {
    kind: 'ProfileBinding',
    metadata: { name: 'web', namespace: 'node-security' },
    spec: { profileRef: { kind: 'SeccompProfile', name: 'web' }, image: '*' },
  })
  t.equal(localhostProfile, 'operator/web.json')
  t.equal(removal, undefined)
})

t.test('mistakes in the options', async (t) => {
  for (const options of [
    {},
    { name: 'Web' },
    { name: 'a/b' },
    { name: 'a'.repeat(41) },
    { name: 'web', namespace: '..' },
    { name: 'web', kubeletRoot: 'var/lib' },
    { name: 'web', kubeletRoot: '/var/../etc' },
    { name: 'web', installer: 'a b' },
    { name: 'web', operator: 'yes' },
    { name: 'web', to: 'oci' },
  ]) {
    t.throws(() => bundleProfile(POLICY, options as BundleOptions), PolicyError)
  }
})

/** A node's folder, and the script in it as the DaemonSet runs it. */
function node(t: { teardown(undo: () => void): void }): {
  readonly target: string
  run(script: string, source: string, sum?: string): number | null
} {
  const folder = mkdtempSync(path.join(tmpdir(), 'seccomp-ts-node-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true })
  })
  const source = path.join(folder, 'profile.json')
  const target = path.join(folder, 'host', 'seccomp-ts', 'web.json')
  return {
    target,
    run(script, text, sum = createHash('sha256').update(text).digest('hex')) {
      writeFileSync(source, text)
      const env = { PATH: process.env['PATH'] ?? '', SOURCE: source, TARGET: target, SUM: sum }
      return spawnSync('/bin/sh', ['-c', script], { env }).status
    },
  }
}

t.test('the script installs all of it, or nothing', async (t) => {
  const { target, run } = node(t)
  const folder = path.dirname(target)
  t.equal(run(INSTALL_SCRIPT, 'a profile\n'), 0)
  t.equal(readFileSync(target, 'utf8'), 'a profile\n')
  t.equal(statSync(target).mode & 0o777, 0o644)
  const { ino } = statSync(target)
  t.equal(run(INSTALL_SCRIPT, 'a profile\n'), 0)
  t.equal(statSync(target).ino, ino, 'what is there is left')
  writeFileSync(target, 'a pro')
  t.equal(run(INSTALL_SCRIPT, 'a profile\n'), 0)
  t.equal(readFileSync(target, 'utf8'), 'a profile\n', 'half of it is written anew')
  t.not(statSync(target).ino, ino, 'by renaming: who has it open reads on')
  t.not(run(INSTALL_SCRIPT, 'something else\n', '0'.repeat(64)), 0, 'not what was announced')
  t.equal(readFileSync(target, 'utf8'), 'a profile\n')
  t.strictSame(readdirSync(folder), ['web.json'], 'nothing else is left behind')
})

t.test('the script takes away what it brought', async (t) => {
  const { target, run } = node(t)
  const folder = path.dirname(target)
  run(INSTALL_SCRIPT, 'a profile\n')
  writeFileSync(path.join(folder, 'other.json'), '')
  t.equal(run(REMOVE_SCRIPT, ''), 0)
  t.strictSame(readdirSync(folder), ['other.json'])
  rmSync(path.join(folder, 'other.json'))
  t.equal(run(REMOVE_SCRIPT, ''), 0, 'again, where there is nothing')
  t.notOk(existsSync(folder))
  mkdirSync(folder)
})

t.test('what is fixed is what Kubernetes takes', async (t) => {
  const { text } = fixManifests(pod({ containers: [{ name: 'a' }] }), { also: FIXED_IF_NAMED })
  new Pod(parse(text) as ConstructorParameters<typeof Pod>[0]).validate()
  t.strictSame(checkManifests(text).findings, [])
})
