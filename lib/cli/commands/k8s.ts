import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import {
  bundleProfile,
  checkManifests,
  fixManifests,
  migrateManifests,
  type CheckOptions,
  type ClusterOptions,
  type EffectiveProfile,
  type ManifestChange,
  type ManifestFinding,
  type ManifestReport,
  type NamedFix,
} from '../../index'
import { didYouMean, expectArgs } from '../arguments'
import { suggest } from '../../syscalls/suggest'
import { defineCommand, JSON_OPTION, type Context, type OptionSpecs, type Values } from '../command'
import { about, InputError, UsageError } from '../errors'
import { nameOf, readInput, STDIN, writeOutput } from '../input'
import type { Output } from '../output'
import { ABOUT_POLICY, loadPolicy, mentionFindings, POLICY_OPTIONS, targetOf } from '../policy'

/** Nothing larger is read: checkManifests refuses it. This is more, so that it says so. */
const MOST = 1_100_000

const OPTIONS = {
  'cluster-version': {
    type: 'string',
    value: 'VERSION',
    help: 'of the API server, such as 1.29; one that reads no annotations by default',
  },
  'seccomp-default': {
    type: 'string',
    value: 'on|off',
    help: 'whether the kubelets run with seccompDefault; by default that is not known',
  },
  profiles: {
    type: 'string',
    value: 'FOLDER',
    help: "check: a copy of the nodes' /var/lib/kubelet/seccomp; Localhost profiles have to be in it",
  },
  write: { type: 'boolean', short: 'w', help: 'fix, migrate: into the files, and not to stdout' },
  'localhost-profile': {
    type: 'string',
    value: 'PATH',
    help: 'fix: set this profile instead of RuntimeDefault',
  },
  also: {
    type: 'string',
    value: 'RULES',
    help: 'fix: also what may keep a program from working, by rule: seccomp-unconfined, privilege-escalation, run-as-non-root, read-only-root-filesystem, capabilities-drop',
  },
  name: { type: 'string', value: 'NAME', help: 'bundle: what to call the profile and the objects' },
  namespace: { type: 'string', short: 'n', value: 'NAME', help: 'bundle: where to put them' },
  operator: { type: 'boolean', help: 'bundle: for the security-profiles-operator' },
  image: { type: 'string', value: 'IMAGE', help: 'bundle --operator: whose containers get it' },
  installer: { type: 'string', value: 'IMAGE', help: 'bundle: the image that copies the file' },
  'kubelet-root': { type: 'string', value: 'PATH', help: "bundle: the kubelet's --root-dir" },
  removal: { type: 'boolean', help: 'bundle: print what takes the file from the nodes again' },
  ...POLICY_OPTIONS,
  ...JSON_OPTION,
} as const satisfies OptionSpecs

type Run = Context<typeof OPTIONS>

const ACTIONS: Readonly<
  Record<string, (context: Run, args: readonly string[]) => Promise<number>>
> = { check, fix, migrate, bundle }

export const command = defineCommand({
  name: 'k8s',
  summary: 'checks, fixes and migrates Kubernetes manifests, rolls profiles out',
  usage: [
    'k8s check FILE…',
    'k8s fix [--write] FILE…',
    'k8s migrate [--write] FILE…',
    'k8s bundle POLICY --name NAME [--operator]',
  ],
  about: `check says which seccomp and AppArmor profile every container runs under, and what in the manifests is refused, without effect, or weaker than the Pod Security Standards and the CIS Kubernetes Benchmark ask for. Exit code 1 if there is an error or a warning.

fix sets a seccomp profile where there is none, allowPrivilegeEscalation: false, and corrects keys and types that are misspelt in case, where that restricts; it says which it left because they could permit more. migrate turns annotations of old into fields; exit code 1 if some have to stay. Both edit in place: comments, order and formatting stay as they are.

bundle prints the objects that bring a profile to every node: a ConfigMap and a DaemonSet that copies it, or with --operator a SeccompProfile and a ProfileBinding. On stderr it says how to use it.

A FILE is YAML or JSON; - is standard input. ${ABOUT_POLICY}`,
  options: OPTIONS,
  async run(context) {
    const [action, ...args] = context.args
    const names = Object.keys(ACTIONS)
    if (action === undefined) throw new UsageError(`one of ${names.join(', ')} is missing`)
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
    if (act !== undefined) return act(context, args)
    throw new UsageError(`there is no k8s ${action}${didYouMean(suggest(action, names))}`)
  },
})

function clusterOf(values: Values<typeof OPTIONS>): ClusterOptions {
  const version = values['cluster-version']
  const given = values['seccomp-default']
  if (given !== undefined && given !== 'on' && given !== 'off') {
    throw new UsageError(`--seccomp-default is on or off, not ${given}`)
  }
  return {
    ...(version === undefined ? {} : { clusterVersion: version }),
    ...(given === undefined ? {} : { seccompDefault: given === 'on' }),
  }
}

async function inputsOf(
  { stdin }: Run,
  files: readonly string[],
): Promise<{ readonly file: string; readonly name: string; readonly bytes: Uint8Array }[]> {
  if (files.length === 0) throw new UsageError('FILE is missing')
  const inputs = []
  for (const file of files) {
    inputs.push({ file, name: nameOf(file), bytes: await readInput(file, stdin, MOST) })
  }
  return inputs
}

async function check(context: Run, files: readonly string[]): Promise<number> {
  const { values, out } = context
  const options: CheckOptions = {
    ...clusterOf(values),
    ...(values.profiles === undefined ? {} : { profiles: await profilesIn(values.profiles) }),
  }
  const reports: (ManifestReport & { readonly file: string })[] = []
  for (const { name, bytes } of await inputsOf(context, files)) {
    reports.push({ file: name, ...(await about(name, () => checkManifests(bytes, options))) })
  }
  if (values.json) out.json(reports)
  else for (const report of reports) print(report.file, report, out)
  const severe = reports.some(({ findings }) => findings.some(isSevere))
  return severe ? 1 : 0
}

const isSevere = ({ severity }: ManifestFinding): boolean => severity !== 'info'

/** Every JSON file in it, by its path from there. */
async function profilesIn(folder: string): Promise<Record<string, string>> {
  try {
    const files = await readdir(folder, { recursive: true })
    const read = files
      .filter((file) => file.endsWith('.json'))
      .map(async (file) => [file.split(sep).join('/'), await readFile(join(folder, file), 'utf8')])
    return Object.fromEntries(await Promise.all(read)) as Record<string, string>
  } catch (error) {
    throw new InputError(folder, `cannot be read: ${(error as Error).message}`, error)
  }
}

function print(file: string, { workloads, others, findings }: ManifestReport, out: Output): void {
  for (const { kind, name, namespace, podSecurity, containers } of workloads) {
    const place = namespace === undefined ? '' : `${namespace}/`
    const title = printable(`${kind} ${place}${name ?? '(no name)'}`)
    out.line(`${out.style('bold', title)}: ${podSecurity} of the Pod Security Standards`)
    out.table(
      containers.map((container) => [
        container.role,
        printable(container.name ?? '(no name)'),
        `seccomp ${profileText(container.seccomp)}`,
        `AppArmor ${profileText(container.appArmor)}`,
      ]),
    )
  }
  if (others.length > 0) out.line(`without pods: ${others.join(', ')}`)
  if (findings.length > 0) out.line()
  for (const finding of findings) out.line(findingText(file, finding, out))
  const count = (severity: string): number =>
    findings.filter((finding) => finding.severity === severity).length
  out.line(
    findings.length === 0
      ? `${file}: no findings`
      : `${file}: ${count('error')} errors, ${count('warning')} warnings, ${count('info')} notes`,
  )
}

/** Names come from the file: nothing of them moves the cursor. */
const printable = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')

function profileText(profile: EffectiveProfile): string {
  const { type, localhostProfile, source, unlessSeccompDefault } = profile
  const what = localhostProfile === undefined ? type : `${type} ${printable(localhostProfile)}`
  const unless = unlessSeccompDefault ? ', unless seccompDefault' : ''
  return `${what} (${source}${unless})`
}

const COLOURS = { error: 'red', warning: 'yellow', info: 'cyan' } as const

/** As compilers do it, so that editors find the place. */
function findingText(file: string, finding: ManifestFinding, out: Output): string {
  const { line, column, severity, rule, object, container, message, fix, podSecurity, cis } =
    finding
  const who = container === undefined ? object : `${object}, ${container}`
  const touched = [
    ...(podSecurity === undefined ? [] : [podSecurity]),
    ...(cis.length === 0 ? [] : [`CIS ${cis.join(', ')}`]),
  ].join('; ')
  const level = out.style(COLOURS[severity], severity)
  const tail = touched === '' ? '' : ` (${touched})`
  return `${file}:${line}:${column}: ${level}: ${who}: ${message}. ${fix} [${rule}]${tail}`
}

async function fix(context: Run, files: readonly string[]): Promise<number> {
  const { values } = context
  const profile = values['localhost-profile']
  const also = values.also?.split(',').map((rule) => rule.trim() as NamedFix)
  const options = {
    ...clusterOf(values),
    ...(profile === undefined ? {} : { localhostProfile: profile }),
    ...(also === undefined ? {} : { also }),
  }
  const results = await edited(context, files, (bytes) => fixManifests(bytes, options))
  for (const { file, findings, left: misspelt } of results) {
    if (!values.json) for (const each of misspelt) context.err.line(changeText(file, each))
    const left = findings.filter(isSevere).length
    if (left > 0 && !values.json) {
      context.err.line(`${file}: ${left} findings are left: seccomp-ts k8s check shows them`)
    }
  }
  return 0
}

async function migrate(context: Run, files: readonly string[]): Promise<number> {
  const results = await edited(context, files, migrateManifests)
  const left = results.flatMap(({ file, left }) => left.map((each) => ({ file, ...each })))
  if (!context.values.json) for (const each of left) context.err.line(changeText(each.file, each))
  return left.length > 0 ? 1 : 0
}

const changeText = (
  file: string,
  { line, object, container, message, rule }: ManifestChange,
): string =>
  `${file}:${line}: ${container === undefined ? object : `${object}, ${container}`}: ${message} [${rule}]`

/** Edits all before anything is written: a file that cannot be read leaves the others as they are. */
async function edited<
  T extends { readonly text: string; readonly changes: readonly ManifestChange[] },
>(
  context: Run,
  files: readonly string[],
  edit: (bytes: Uint8Array) => T,
): Promise<(T & { readonly file: string })[]> {
  const { values, out, err } = context
  if (files.length > 1 && !values.write && !values.json) {
    throw new UsageError('several files can only be edited in place: --write')
  }
  if (values.write && files.includes(STDIN)) {
    throw new UsageError('standard input cannot be written to: leave --write out')
  }
  const results: (T & { readonly file: string })[] = []
  for (const { name, bytes } of await inputsOf(context, files)) {
    results.push({ ...(await about(name, () => edit(bytes))), file: name })
  }
  if (values.write) {
    for (const { file, text, changes } of results) {
      if (changes.length > 0) await writeOutput(file, text, out)
    }
  }
  if (values.json) out.json(results)
  else {
    for (const { file, text, changes } of results) {
      for (const change of changes) err.line(changeText(file, change))
      if (!values.write) out.write(text)
    }
  }
  return results
}

async function bundle(context: Run, args: readonly string[]): Promise<number> {
  const { values, out, err } = context
  expectArgs(args, 'POLICY')
  const [argument = ''] = args
  const { name, namespace, image, installer } = values
  if (name === undefined) throw new UsageError('--name is missing: what to call the profile')
  if (values.removal && values.operator) {
    throw new UsageError('--removal is for bundles without --operator, which removes by itself')
  }
  const loaded = await loadPolicy(argument, context)
  mentionFindings(loaded, context)
  const kubeletRoot = values['kubelet-root']
  const { arch } = targetOf(values)
  const result = await about(loaded.name, () =>
    bundleProfile(loaded.policy, {
      name,
      operator: values.operator ?? false,
      ...(namespace === undefined ? {} : { namespace }),
      ...(image === undefined ? {} : { image }),
      ...(installer === undefined ? {} : { installer }),
      ...(kubeletRoot === undefined ? {} : { kubeletRoot }),
      ...(arch === undefined ? {} : { arch }),
      pid: 1,
    }),
  )
  if (values.json) {
    out.json(result)
    return 0
  }
  for (const { severity, message, path } of result.losses) {
    if (severity === 'warning') err.line(`${err.style('yellow', 'lost:')} ${path}: ${message}`)
  }
  out.write(values.removal ? (result.removal ?? '') : result.text)
  if (!values.removal) err.line(`Use it with:\n${result.securityContext.trimEnd()}`)
  return 0
}
