/** Where a preloaded lockdown finds its policy. */
import { PolicyError } from '../errors'
import type { Policy } from '../policy'
import { describeValue } from '../policy/snapshot'
import { readyPolicies } from '../promises'
import { suggest } from '../syscalls'
import type { LockdownOptions } from './options'

// Only preloads come here: nobody else should wait for these.
const node = {
  get fs() {
    return require('node:fs') as typeof import('node:fs')
  },
  get module() {
    return require('node:module') as typeof import('node:module')
  },
  get path() {
    return require('node:path') as typeof import('node:path')
  },
}

export interface PolicySource {
  readonly policy: Policy
  readonly options: LockdownOptions
  /** For messages: where it came from. */
  readonly origin: string
}

const HOW =
  'Set SECCOMP_TS_POLICY to the name of a ready policy, a file (.json, .js, .cjs, .mjs) or JSON; or give package.json a "seccomp-ts": { "policy": … }.'

/**
 * SECCOMP_TS_POLICY, else `"seccomp-ts"` in the package.json nearest to the program (or, without
 * one, to the working directory).
 *
 * @throws PolicyError ERR_POLICY_NOT_FOUND, ERR_POLICY_SHAPE
 */
export function findPolicy(
  environment: NodeJS.ProcessEnv,
  entry: string | undefined,
): PolicySource {
  const given = environment['SECCOMP_TS_POLICY']
  if (given !== undefined && given !== '') {
    const origin = 'SECCOMP_TS_POLICY'
    const options = parseEnvironmentOptions(environment)
    const policy = readPolicy(given, process.cwd(), origin)
    return { policy, options, origin: `${origin} (${describeValue(given)})` }
  }
  const manifest = findManifest(entry)
  if (manifest !== undefined) {
    const origin = `"seccomp-ts" in ${manifest.path}`
    const { policy, ...settings } = manifest.settings
    const options = { ...settings, ...parseEnvironmentOptions(environment) }
    if (typeof policy === 'string') {
      return {
        policy: readPolicy(policy, node.path.dirname(manifest.path), origin),
        options,
        origin: `${origin} (${describeValue(policy)})`,
      }
    }
    if (policy !== undefined) return { policy: policy as Policy, options, origin }
    throw new PolicyError('ERR_POLICY_NOT_FOUND', {
      path: origin,
      problem: 'names no policy',
      hint: HOW,
    })
  }
  throw new PolicyError('ERR_POLICY_NOT_FOUND', {
    path: 'SECCOMP_TS_POLICY',
    problem: 'no policy was named, so nothing was started',
    hint: HOW,
  })
}

/** SECCOMP_TS_OPTIONS: the options of lockdown() as JSON. */
function parseEnvironmentOptions(environment: NodeJS.ProcessEnv): LockdownOptions {
  const given = environment['SECCOMP_TS_OPTIONS']
  return given === undefined || given === ''
    ? {}
    : (parseJson(given, 'SECCOMP_TS_OPTIONS') as LockdownOptions)
}

function readPolicy(given: string, directory: string, origin: string): Policy {
  if (given.trimStart().startsWith('{')) return parseJson(given, origin) as Policy
  const ready = readyPolicies.get(given)
  if (ready !== undefined) return ready
  const path = node.path.resolve(directory, given)
  if (!node.fs.existsSync(path)) {
    throw new PolicyError('ERR_POLICY_NOT_FOUND', {
      path: origin,
      problem: `'${given}' is neither a ready policy nor a file (${path})`,
      suggestion: suggest(given, [...readyPolicies.keys()]),
      hint: `Ready policies: ${[...readyPolicies.keys()].join(', ')}.`,
    })
  }
  if (node.path.extname(path) === '.json')
    return parseJson(node.fs.readFileSync(path, 'utf8'), path) as Policy
  const loaded = load(path)
  // A module says it with `export default`; CommonJS may also export the policy itself.
  if (!isModule(loaded)) return loaded as Policy
  const { default: policy } = loaded as { default?: Policy }
  if (policy !== undefined) return policy
  throw new PolicyError('ERR_POLICY_NOT_FOUND', {
    path,
    problem: 'has no default export',
    hint: 'Write export default { … }.',
  })
}

function load(path: string): object {
  try {
    return node.module.createRequire(path)(path) as object
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PolicyError('ERR_POLICY_SHAPE', {
      path,
      problem: `could not be loaded (${reason})`,
      cause,
    })
  }
}

const isModule = (loaded: object): boolean =>
  '__esModule' in loaded || Object.prototype.toString.call(loaded) === '[object Module]'

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PolicyError('ERR_POLICY_SHAPE', { path, problem: `is not JSON (${reason})`, cause })
  }
}

interface Manifest {
  readonly path: string
  readonly settings: Record<string, unknown>
}

function findManifest(entry: string | undefined): Manifest | undefined {
  let directory =
    entry === undefined ? process.cwd() : directoryOf(realOrSame(node.path.resolve(entry)))
  for (;;) {
    const path = node.path.join(directory, 'package.json')
    if (node.fs.existsSync(path)) {
      const manifest = parseJson(node.fs.readFileSync(path, 'utf8'), path) as Record<
        string,
        unknown
      > | null
      const own = Object.getOwnPropertyDescriptor(manifest ?? {}, 'seccomp-ts')?.value as unknown
      if (typeof own === 'string') return { path, settings: { policy: own } }
      if (typeof own === 'object' && own !== null) {
        return { path, settings: own as Record<string, unknown> }
      }
      return undefined
    }
    const parent = node.path.dirname(directory)
    if (parent === directory) return undefined
    directory = parent
  }
}

/** `node .` and `node app` name a directory. */
const directoryOf = (path: string): string =>
  node.fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    ? path
    : node.path.dirname(path)

function realOrSame(path: string): string {
  try {
    return node.fs.realpathSync(path)
  } catch {
    return path
  }
}
