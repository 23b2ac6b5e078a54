/**
 * Victims: child processes that lock themselves down, and may die of it.
 *
 * They are started through `env -i`: the test runner puts itself into every node child through its
 * environment, and its hooks open files, start threads and run at exit, which would make a victim
 * die of what the runner did. They live in a directory of their own that an unprivileged user can
 * read, with the built package as an installed one.
 */
import { spawn } from 'node:child_process'
import { cpSync, chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodes as others } from '../nodes'

export const root = join(__dirname, '..', '..')

export const attackerPath = join(root, 'examples/demo/attacker/build/Release/attacker.node')

/** Node binaries by major version: this one, and those of test/nodes. Throws if one is absent. */
export function nodes(): Map<string, string> {
  const found = new Map(others().map(({ major, execPath }) => [major, execPath]))
  found.set(process.versions.node.split('.')[0] as string, process.execPath)
  return found
}

let directory: string | undefined

/** A readable directory with `node_modules/seccomp-ts` as it would be published. */
export function sandboxDirectory(): string {
  if (directory !== undefined) return directory
  const made = mkdtempSync(join(tmpdir(), 'seccomp-ts-test-'))
  chmodSync(made, 0o755)
  const installed = join(made, 'node_modules/seccomp-ts')
  mkdirSync(installed, { recursive: true })
  for (const part of ['dist', 'prebuilds', 'package.json']) {
    cpSync(join(root, part), join(installed, part), { recursive: true })
  }
  cpSync(attackerPath, join(made, 'attacker.node'))
  process.on('exit', () => {
    rmSync(made, { recursive: true, force: true })
  })
  directory = made
  return made
}

export interface Victim {
  /** The program. `require('./attacker.node')` and `require('seccomp-ts')` work in it. */
  readonly source: string
  readonly extension?: 'cjs' | 'mjs'
  /** Path of the node binary. */
  readonly node?: string
  readonly nodeArgs?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Run as this user and group id. */
  readonly uid?: number
  readonly input?: string
  readonly timeout?: number
}

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
  /** stdout as JSON, for victims that print one value. */
  json<T = Record<string, unknown>>(): T
}

/** nobody, on Debian and most others; any id without rights will do. */
export const UNPRIVILEGED = 65534

let count = 0

export function writeFile(name: string, text: string): string {
  const path = join(sandboxDirectory(), name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

export function runVictim(victim: Victim): Promise<Outcome> {
  const file = writeFile(`victim-${++count}.${victim.extension ?? 'cjs'}`, victim.source)
  const variables = Object.entries({ PATH: '/usr/bin:/bin', HOME: '/tmp', ...victim.env })
  const command = [
    '-i',
    ...variables.map(([name, value]) => `${name}=${value}`),
    victim.node ?? process.execPath,
    ...(victim.nodeArgs ?? []),
    file,
    ...(victim.args ?? []),
  ]
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/env', command, {
      cwd: sandboxDirectory(),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(victim.uid === undefined ? {} : { uid: victim.uid, gid: victim.uid }),
    })
    const out: Buffer[] = []
    const err: Buffer[] = []
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, victim.timeout ?? 30_000)
    child.stdout.on('data', (data: Buffer) => out.push(data))
    child.stderr.on('data', (data: Buffer) => err.push(data))
    child.stdin.on('error', () => undefined)
    child.stdin.end(victim.input ?? '')
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const stdout = Buffer.concat(out).toString()
      const stderr = Buffer.concat(err).toString()
      resolve({
        code,
        signal,
        stdout,
        stderr,
        timedOut,
        json: <T>() => {
          try {
            return JSON.parse(stdout) as T
          } catch {
            throw new Error(
              `victim printed no JSON (code ${String(code)}, signal ${String(signal)}): ${stdout}${stderr}`,
            )
          }
        },
      })
    })
  })
}
