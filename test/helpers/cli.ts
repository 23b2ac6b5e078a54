/** The command as a user's shell runs it: dist/cli.js in a process of its own, its output piped. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const CLI = join(__dirname, '..', '..', 'dist', 'cli.js')

export interface Ran {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string | Uint8Array
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly node?: string
}

/** Without the test runner's environment, which it would put into every Node. */
export function seccompTs(args: readonly string[], options: RunOptions = {}): Ran {
  const { input = '', env = {}, cwd, node = process.execPath } = options
  const kept = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
  const ran = spawnSync(node, [CLI, ...args], {
    input,
    env: { ...kept, ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    ...(cwd === undefined ? {} : { cwd }),
  })
  if (ran.error !== undefined) throw ran.error
  return { code: ran.status, signal: ran.signal, stdout: ran.stdout, stderr: ran.stderr }
}

/** A folder that goes when the tests do, and a way to put files into it. */
export function workplace(): {
  readonly folder: string
  write(name: string, content: string | Uint8Array): string
} {
  const folder = mkdtempSync(join(tmpdir(), 'seccomp-ts-cli-'))
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    folder,
    write(name, content) {
      const path = join(folder, name)
      writeFileSync(path, content)
      return path
    },
  }
}
