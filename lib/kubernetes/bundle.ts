/** A profile → the objects that bring it to every node, on an engine that exists. */
import { createHash } from 'node:crypto'
import { PolicyError } from '../errors'
import { hostArch, type Policy } from '../policy'
import { describeValue, readFields, reading, refuseUnknownKeys } from '../policy/snapshot'
import type { Profile } from '../profiles'
import { convert, type ConvertOptions } from '../profiles/write/convert'
import type { ConversionLoss } from '../profiles/write/losses'
import type { JsonValue } from '../profiles/write/json-text'
import { yamlText } from '../profiles/write/yaml-text'
import { GO_ARCHITECTURE } from '../profiles/vocabulary'
import type { Arch } from '../syscalls'
import { HOLD_SCRIPT, INSTALL_SCRIPT, REMOVE_SCRIPT } from './install-script'

export interface BundleOptions extends Omit<ConvertOptions, 'to' | 'name'> {
  /** Of the profile, and what the objects are named after: a DNS label of at most 40 characters. */
  readonly name: string
  /** Of the objects that have one. By default none is written, and kubectl decides. */
  readonly namespace?: string
  /**
   * True: for the security-profiles-operator, a SeccompProfile and a ProfileBinding. False (the default): a
   * ConfigMap, and a DaemonSet that copies it to the nodes.
   */
  readonly operator?: boolean
  /** With `operator`: the image whose containers get the profile. `*`, the default, is every image. */
  readonly image?: string
  /** Without `operator`: what the DaemonSet runs, with sh, sha256sum and mktemp in it. */
  readonly installer?: string
  /** Without `operator`: the kubelet's `--root-dir`. */
  readonly kubeletRoot?: string
}

export interface BundleResult {
  /** YAML for `kubectl apply -f -`. */
  readonly text: string
  /** What to write as `localhostProfile`. */
  readonly localhostProfile: string
  /** The securityContext that uses it, in YAML. */
  readonly securityContext: string
  /** Without `operator`: YAML of what takes the file from the nodes again. */
  readonly removal?: string
  /** What the form does not carry over (docs/profiles.md). */
  readonly losses: readonly ConversionLoss[]
}

/** Small, in every mirror, and with all that the script uses. */
const INSTALLER = 'busybox:1.36'
const KUBELET_ROOT = '/var/lib/kubelet'

/** Below the kubelet's seccomp folder: what others keep there is left alone. */
const FOLDER = 'seccomp-ts'

/** Hexadecimal digits of the checksum that are in names: 48 bits. */
const DIGITS = 12

/**
 * Objects that bring a profile to every node. A profile that changes gets another name, by its checksum: pods that
 * run keep theirs, and a rollout changes over one by one.
 *
 * Without the operator the file is there once the DaemonSet's pod is ready on a node; until then containers that
 * name it wait (CreateContainerError) and are tried again.
 *
 * @throws PolicyError, ProfileError as `convert` to `kubernetes` or `spo` does; ERR_OPTION
 */
export function bundleProfile(source: Policy | Profile, options: BundleOptions): BundleResult {
  const { names, conversion } = parseOptions(options)
  return names.operator
    ? forOperator(source, names, conversion)
    : forNodes(source, names, conversion)
}

interface Names {
  readonly name: string
  readonly namespace: string | undefined
  readonly operator: boolean
  readonly image: string
  readonly installer: string
  readonly kubeletRoot: string
}

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

const KEYS = ['name', 'namespace', 'operator', 'image', 'installer', 'kubeletRoot']
const CONVERSION = ['arch', 'caps', 'kernel', 'runtime', 'pid']

/** @throws PolicyError ERR_OPTION, ERR_UNKNOWN_KEY, ERR_POLICY_SHAPE */
function parseOptions(input: unknown): {
  readonly names: Names
  readonly conversion: Omit<ConvertOptions, 'to'>
} {
  return reading('options', () => {
    const fields = readFields(input ?? {}, 'options', 'an object')
    refuseUnknownKeys(fields, [...KEYS, ...CONVERSION], 'options', 'bundleProfile')
    const text = (key: string, fallback?: string): string | undefined => {
      const value = fields.get(key) ?? fallback
      if (value === undefined || (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value))) {
        return value
      }
      throw wrong(key, `expected text without spaces, got ${describeValue(value)}`)
    }
    const label = (key: string, most: number): string | undefined => {
      const value = text(key)
      if (value === undefined || (LABEL.test(value) && value.length <= most)) return value
      throw wrong(key, `'${value}' is no DNS label of at most ${most} characters`)
    }
    const operator = fields.get('operator') ?? false
    if (typeof operator !== 'boolean') {
      throw wrong('operator', `expected true or false, got ${describeValue(operator)}`)
    }
    const name = label('name', 40)
    if (name === undefined) throw wrong('name', 'is missing')
    const kubeletRoot = text('kubeletRoot', KUBELET_ROOT) ?? KUBELET_ROOT
    if (!kubeletRoot.startsWith('/') || kubeletRoot.split('/').includes('..')) {
      throw wrong('kubeletRoot', `'${kubeletRoot}' is no absolute path`)
    }
    const conversion = Object.fromEntries([...fields].filter(([key]) => CONVERSION.includes(key)))
    const names = {
      ...{ name, namespace: label('namespace', 63), operator, kubeletRoot },
      image: text('image', '*') ?? '*',
      installer: text('installer', INSTALLER) ?? INSTALLER,
    }
    return { names, conversion }
  })
}

const wrong = (key: string, problem: string): PolicyError =>
  new PolicyError('ERR_OPTION', { path: `options.${key}`, problem })

const use = (localhostProfile: string): string =>
  yamlText({ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile } } })

/**
 * The operator writes the file as `operator/NAME.json`, and its webhook sets the field on pods of namespaces with
 * the label `spo.x-k8s.io/enable-binding`.
 */
function forOperator(
  source: Policy | Profile,
  { name, namespace, image }: Names,
  conversion: Omit<ConvertOptions, 'to'>,
): BundleResult {
  const { text = '', losses } = convert(source, { ...conversion, name, to: 'spo' })
  const binding = yamlText({
    apiVersion: 'security-profiles-operator.x-k8s.io/v1alpha1',
    kind: 'ProfileBinding',
    metadata: { name, namespace },
    spec: { profileRef: { kind: 'SeccompProfile', name }, image },
  })
  const localhostProfile = `operator/${name}.json`
  const objects = [text, binding].join('---\n')
  return Object.freeze({
    text: objects,
    localhostProfile,
    securityContext: use(localhostProfile),
    losses,
  })
}

function forNodes(
  source: Policy | Profile,
  names: Names,
  conversion: Omit<ConvertOptions, 'to'>,
): BundleResult {
  const { text = '', losses } = convert(source, { ...conversion, to: 'kubernetes' })
  const sum = createHash('sha256').update(text).digest('hex')
  const version = `${names.name}-${sum.slice(0, DIGITS)}`
  const localhostProfile = `${FOLDER}/${version}.json`
  const arch = conversion.arch ?? hostArch() ?? 'x86_64'
  const job = { names, arch, target: `/host/${localhostProfile}` }
  const install = [
    configMap(version, text, names),
    daemonSet(`${names.name}-seccomp`, job, {
      env: { SOURCE: '/profile/profile.json', SUM: sum },
      script: INSTALL_SCRIPT,
      configMap: version,
    }),
  ]
  const remove = daemonSet(`${names.name}-seccomp-removal`, job, { env: {}, script: REMOVE_SCRIPT })
  return Object.freeze({
    text: install.map(yamlText).join('---\n'),
    localhostProfile,
    securityContext: use(localhostProfile),
    removal: yamlText(remove),
    losses,
  })
}

/** Another profile is another ConfigMap, so this one never changes. */
const configMap = (name: string, profile: string, { namespace }: Names): JsonValue => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  immutable: true,
  data: { 'profile.json': profile },
})

/** What goes for every container. */
const CONTEXT = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

const RESOURCES = {
  requests: { cpu: '5m', memory: '16Mi' },
  limits: { memory: '32Mi' },
}

interface Job {
  readonly names: Names
  readonly arch: Arch
  readonly target: string
}

/**
 * Runs a script once on every node that has the architecture of the profile, tainted ones included, and again
 * when a node starts. Of the node it has the seccomp folder and nothing else; the folder is root's, so that
 * the script runs as root, without a capability.
 */
function daemonSet(
  name: string,
  { names, arch, target }: Job,
  work: {
    readonly env: Readonly<Record<string, string>>
    readonly script: string
    readonly configMap?: string
  },
): JsonValue {
  const { namespace, installer: image, kubeletRoot } = names
  const labels = { 'app.kubernetes.io/name': name }
  const withProfile = work.configMap !== undefined
  const env = Object.entries({ ...work.env, TARGET: target }).map(([key, value]) => ({
    name: key,
    value,
  }))
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      // Nobody waits for these pods: all nodes at once.
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
      template: {
        metadata: { labels },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 5,
          nodeSelector: {
            'kubernetes.io/os': 'linux',
            'kubernetes.io/arch': GO_ARCHITECTURE[arch],
          },
          tolerations: [{ operator: 'Exists' }],
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          initContainers: [
            {
              name: 'files',
              image,
              command: ['/bin/sh', '-c', work.script],
              env,
              securityContext: { ...CONTEXT, runAsUser: 0, runAsGroup: 0 },
              resources: RESOURCES,
              volumeMounts: [
                { name: 'seccomp', mountPath: '/host' },
                ...(withProfile
                  ? [{ name: 'profile', mountPath: '/profile', readOnly: true }]
                  : []),
              ],
            },
          ],
          containers: [
            {
              name: 'hold',
              image,
              command: ['/bin/sh', '-c', HOLD_SCRIPT],
              securityContext: {
                ...CONTEXT,
                runAsNonRoot: true,
                runAsUser: 65534,
                runAsGroup: 65534,
              },
              resources: RESOURCES,
            },
          ],
          volumes: [
            {
              name: 'seccomp',
              hostPath: { path: `${kubeletRoot}/seccomp`, type: 'DirectoryOrCreate' },
            },
            ...(work.configMap === undefined
              ? []
              : [{ name: 'profile', configMap: { name: work.configMap } }]),
          ],
        },
      },
    },
  }
}
