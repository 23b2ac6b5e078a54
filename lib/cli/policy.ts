/** The argument POLICY: a file of any dialect, a module, standard input, or the name of a built-in one. */
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  builtInPolicies,
  builtInPolicy,
  definePolicy,
  readProfile,
  resolveProfile,
  type Arch,
  type Dialect,
  type Policy,
  type Profile,
  type ProfileFinding,
  type ProfileTarget,
  type ReadProfileOptions,
  type Runtime,
} from '../index'
import { suggest } from '../syscalls/suggest'
import { didYouMean } from './arguments'
import { capabilities } from './capabilities'
import type { Context, OptionSpecs, Stdin, Values } from './command'
import { about, InputError, UnableError } from './errors'
import { nameOf, readInput } from './input'

/** How a POLICY is read, and for what. */
export const POLICY_OPTIONS = {
  dialect: {
    type: 'string',
    value: 'NAME',
    help: 'read a profile in this dialect instead of the one that is detected',
  },
  document: {
    type: 'string',
    value: 'NAME',
    help: 'of several SeccompProfiles in a file, the one of this name',
  },
  arch: {
    type: 'string',
    value: 'ARCH',
    help: "x86_64 or aarch64; this machine's by default",
  },
  caps: {
    type: 'string',
    value: 'LIST',
    help: "the container's capabilities (bounding set): names divided by commas, docker for Docker's default ones, or all; none by default",
  },
  kernel: {
    type: 'string',
    value: 'VERSION',
    help: "the kernel it will run on, such as 6.1; this one's by default",
  },
  runtime: {
    type: 'string',
    value: 'NAME',
    help: 'docker, podman, containerd, runc or crun: take a profile for what that runtime would make of it, instead of reading it strictly',
  },
} as const satisfies OptionSpecs

export type PolicyValues = Values<typeof POLICY_OPTIONS>

/** For the help of whoever takes a POLICY. */
export const ABOUT_POLICY =
  'A POLICY is a file (a policy or a profile as JSON or YAML, a SeccompProfile, a systemd unit; a module .js, .mjs, .cjs or .ts with a default export), - for standard input, or the name of a built-in one. A file that is called like a built-in one is written ./NAME.'

/** What a POLICY was before it was resolved for a target. */
export type Source =
  | { readonly kind: 'built-in'; readonly name: string }
  /** A policy as a module exports it. */
  | { readonly kind: 'policy'; readonly name: string; readonly policy: Policy }
  | {
      readonly kind: 'profile'
      readonly name: string
      /** As it was read, for who shows lines of it. */
      readonly text: string
      readonly profile: Profile
      readonly dialect: Dialect
      readonly findings: readonly ProfileFinding[]
    }

export interface LoadedPolicy {
  /** What to call it in messages. */
  readonly name: string
  readonly policy: Policy
  readonly source: Source
  /** Of reading it and of resolving it. */
  readonly findings: readonly ProfileFinding[]
}

/** No profile is larger: readProfile refuses it. This is more, so that it is readProfile that says so. */
const MOST = 1_100_000

const MODULES = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']

/** Reads a POLICY and resolves it. @throws InputError, UsageError, UnableError, PolicyError */
export async function loadPolicy(
  argument: string,
  { values, stdin }: { readonly values: PolicyValues; readonly stdin: Stdin },
): Promise<LoadedPolicy> {
  const source = await readSource(argument, { values, stdin })
  return resolveSource(source, targetOf(values))
}

/** Reads a POLICY, and does not resolve it. @throws InputError, UsageError, UnableError */
export async function readSource(
  argument: string,
  { values, stdin }: { readonly values: PolicyValues; readonly stdin: Stdin },
): Promise<Source> {
  const builtIns = builtInPolicies().map(({ name }) => name)
  if (builtIns.includes(argument)) return { kind: 'built-in', name: argument }
  const name = nameOf(argument)
  if (MODULES.includes(extname(argument))) {
    const exported = await loadModule(argument)
    if (isPolicy(exported)) {
      return { kind: 'policy', name, policy: await about(name, () => definePolicy(exported)) }
    }
    return profileSource(name, toJson(name, exported), values)
  }
  let bytes: Uint8Array
  try {
    bytes = await readInput(argument, stdin, MOST)
  } catch (error) {
    throw error instanceof InputError && isAbsent(error) ? neither(argument, builtIns) : error
  }
  return profileSource(name, bytes, values)
}

async function profileSource(
  name: string,
  input: string | Uint8Array,
  { dialect, document }: PolicyValues,
): Promise<Source> {
  // What it does not know, it says, and what it does.
  const options = {
    ...(dialect === undefined ? {} : { dialect: dialect as Dialect }),
    ...(document === undefined ? {} : { document }),
  } satisfies ReadProfileOptions
  const read = await about(name, () => readProfile(input, options))
  const text = typeof input === 'string' ? input : Buffer.from(input).toString()
  return { kind: 'profile', name, text, ...read }
}

/** @throws InputError, PolicyError for a mistake in the target */
export async function resolveSource(source: Source, target: ProfileTarget): Promise<LoadedPolicy> {
  const { name } = source
  switch (source.kind) {
    case 'built-in':
      return {
        name,
        source,
        policy: await about(name, () => builtInPolicy(name, target)),
        findings: [],
      }
    case 'policy':
      return { name, source, policy: source.policy, findings: [] }
    case 'profile': {
      const { policy, findings } = await about(name, () => resolveProfile(source.profile, target))
      return { name, source, policy, findings: [...source.findings, ...findings] }
    }
  }
}

/** The target that the options of a command say. @throws UsageError */
export function targetOf({ arch, caps, kernel, runtime }: PolicyValues): ProfileTarget {
  return {
    ...(arch === undefined ? {} : { arch: arch as Arch }),
    ...(caps === undefined ? {} : { caps: capabilities(caps) }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(runtime === undefined ? {} : { runtime: runtime as Runtime }),
  }
}

/** Says on stderr that there is something to be read about a profile, and where. */
export function mentionFindings(loaded: LoadedPolicy, { err }: Pick<Context, 'err'>): void {
  const { name, findings } = loaded
  const warnings = findings.filter(({ severity }) => severity !== 'info').length
  if (warnings === 0) return
  const [things, are] = warnings === 1 ? ['thing', 'is'] : ['things', 'are']
  err.line(
    `${err.style('yellow', 'note:')} ${warnings} ${things} in ${name} ${are} hardly meant so: seccomp-ts lint shows them`,
  )
}

const isAbsent = ({ cause }: InputError): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? '')

function neither(argument: string, builtIns: readonly string[]): InputError {
  const meant = didYouMean(suggest(argument, builtIns))
  return new InputError(
    argument,
    `is neither a file nor a built-in policy${meant} (built-in: ${builtIns.join(', ')})`,
  )
}

/** Whether a module exports a policy of ours, and not a profile as data. */
const isPolicy = (exported: unknown): exported is Policy =>
  typeof exported === 'object' &&
  exported !== null &&
  'default' in exported &&
  !('defaultAction' in exported)

function toJson(name: string, exported: unknown): string {
  if (typeof exported !== 'object' || exported === null) {
    throw new InputError(name, 'exports no policy: write export default { … }')
  }
  try {
    return JSON.stringify(exported, undefined, 2)
  } catch (cause) {
    throw new InputError(name, 'exports something that is no plain data', cause)
  }
}

async function loadModule(file: string): Promise<unknown> {
  const path = resolve(file)
  const typed = extname(file).endsWith('ts')
  // 'strip' or 'transform' where it can: Node 22.18, 23.6 and later, or --experimental-strip-types.
  const { typescript } = process.features as { readonly typescript?: false | string }
  if (typed && !typescript) {
    throw new UnableError(
      `${file}: Node ${process.versions.node} cannot read TypeScript, Node 22.18 and later can. Compile it first, or write the policy as JSON.`,
    )
  }
  let loaded: unknown
  try {
    loaded = await import(pathToFileURL(path).href)
  } catch (cause) {
    const { code, message, name } = cause as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${path}'`)) {
      throw new InputError(file, 'there is no such file', cause)
    }
    throw new InputError(file, `could not be loaded: ${name}: ${message}`, cause)
  }
  // Of CommonJS, module.exports is the default; there, `exports.default` is what TypeScript writes.
  const { default: exported } = loaded as { default?: unknown }
  const compiled =
    typeof exported === 'object' && exported !== null && '__esModule' in exported
      ? (exported as { default?: unknown }).default
      : exported
  if (compiled === undefined) {
    throw new InputError(file, 'has no default export: write export default { … }')
  }
  return compiled
}
