/** The tarball as it would be published, and commands run the way a user's shell would. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const root = join(__dirname, '..', '..')

/** A directory outside the checkout that goes when the tests do. */
export function temporaryDirectory(): string {
  const made = mkdtempSync(join(tmpdir(), 'seccomp-ts-package-'))
  process.on('exit', () => {
    rmSync(made, { recursive: true, force: true })
  })
  return made
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly output: string
}

/** Runs a command without the test runner's environment, which it would put into every Node. */
export function run(command: string, args: readonly string[], cwd = root): Ran {
  const kept = ['PATH', 'HOME', 'LANG'].map((name) => `${name}=${process.env[name] ?? ''}`)
  const { status, stdout, stderr } = spawnSync('/usr/bin/env', ['-i', ...kept, command, ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  return { code: status, stdout, output: `${stdout}${stderr}` }
}

export function node(args: readonly string[], cwd = root): Ran {
  return run(process.execPath, args, cwd)
}

export function tool(name: string): string {
  return join(root, 'node_modules/.bin', name)
}

export interface Packed {
  readonly path: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly string[]
}

/** Makes the tarball. */
export function pack(): Packed {
  const folder = temporaryDirectory()
  const { code, stdout, output } = run('npm', [
    ...['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
  ])
  if (code !== 0) throw new Error(output)
  const [packed] = JSON.parse(stdout) as [
    { filename: string; size: number; unpackedSize: number; files: { path: string }[] },
  ]
  return {
    path: join(folder, packed.filename),
    size: packed.size,
    unpackedSize: packed.unpackedSize,
    files: packed.files.map((file) => file.path).sort(),
  }
}

/** A new project with the tarball installed, and what it depends on from here: from no registry. */
export function installPacked(packed: Packed): string {
  const project = temporaryDirectory()
  const { code, output } = run(
    'npm',
    [
      ...['install', '--offline', '--no-audit', '--no-fund', '--loglevel=verbose', packed.path],
      ...['jsonc-parser', 'yaml'].map((name) => join(root, 'node_modules', name)),
    ],
    project,
  )
  if (code !== 0) throw new Error(output)
  return project
}
