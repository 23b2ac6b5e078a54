/** Starts programs in containers of runc, crun and Podman, and in bubblewrap's sandbox. */
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cProgram } from '../../scripts/c-program'
import { PROBE_INPUT } from './calls'

export type Engine = 'runc' | 'crun' | 'podman'

export interface Ended {
  readonly status: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export const probe = (): string =>
  cProgram(join(__dirname, 'probe.c'), {
    libraries: ['-static'],
    missing: 'It takes a C compiler and libc.a: apt-get install gcc libc6-dev',
  })

let scratch: string | undefined

/** A root file system with the probe and, bound into it, what Node needs; removed at the end. */
function folder(): string {
  if (scratch !== undefined) return scratch
  const made = mkdtempSync(join(tmpdir(), 'seccomp-ts-containers-'))
  process.on('exit', () => {
    rmSync(made, { recursive: true, force: true })
  })
  chmodSync(made, 0o755)
  for (const name of ['dev', 'etc', 'lib', 'lib64', 'node', 'proc', 'sys', 'tmp', 'usr']) {
    mkdirSync(join(made, 'rootfs', name), { recursive: true })
  }
  copyFileSync(probe(), join(made, 'rootfs', 'probe'))
  chmodSync(join(made, 'rootfs', 'probe'), 0o755)
  scratch = made
  return made
}

/** Docker's default bounding set. */
export const CAPS = [
  ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID'],
  ...['SETFCAP', 'SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
].map((name) => `CAP_${name}`)

export const NODE = '/node/node'

function configOf(args: readonly string[], seccomp: unknown): object {
  const bound = (destination: string, source: string): object => ({
    ...{ destination, source, type: 'bind', options: ['rbind', 'ro'] },
  })
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args,
      env: ['PATH=/usr/bin:/bin'],
      cwd: '/',
      capabilities: { bounding: CAPS, effective: CAPS, permitted: CAPS },
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      ...['/usr', '/lib', '/lib64'].map((path) => bound(path, path)),
      bound('/node', join(process.execPath, '..')),
    ],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  }
}

function run(command: string, args: readonly string[], input: string, cwd: string): Ended {
  const ended = spawnSync(command, args, { input, cwd, encoding: 'utf8', timeout: 120_000 })
  if (ended.error === undefined) return ended
  const hint = 'apt-get install --no-install-recommends bubblewrap runc crun podman'
  throw new Error(`${command} was not run: ${hint}`, { cause: ended.error })
}

/** crun refuses cgroups of both versions at once, so it gets a tree of its own with version 2 alone. */
const CGROUP2 =
  'umount -R /sys/fs/cgroup 2>/dev/null; mount -t cgroup2 none /sys/fs/cgroup && exec "$@"'
const withCgroup2 = (command: readonly string[]): readonly [string, readonly string[]] => [
  'unshare',
  ['-m', '--propagation', 'private', 'sh', '-c', CGROUP2, 'sh', ...command],
]

let started = 0

/**
 * @param profile the profile's JSON: of the OCI for runc and crun, in the form of containers-common for Podman;
 * undefined for no filter
 */
export function contain(
  engine: Engine,
  profile: string | undefined,
  args: readonly string[],
  input = '',
): Ended {
  const base = folder()
  const id = `seccomp-ts-${process.pid}-${++started}`
  if (engine === 'podman') return podman(base, id, profile, args, input)
  // Kept as text: JSON.parse would round what is above 2^53.
  const config = JSON.stringify(configOf(args, profile === undefined ? undefined : '@'))
  writeFileSync(
    join(base, 'config.json'),
    config.replace('"@"', () => profile ?? ''),
  )
  if (engine === 'runc') return run('runc', ['run', '-b', base, id], input, base)
  const [command, wrapped] = withCgroup2([
    ...['crun', '--root', join(base, 'crun'), '--cgroup-manager=disabled', 'run', '-b', base, id],
  ])
  return run(command, wrapped, input, base)
}

function podman(
  base: string,
  id: string,
  profile: string | undefined,
  args: readonly string[],
  input: string,
): Ended {
  const file = join(base, `${id}.json`)
  if (profile !== undefined) writeFileSync(file, profile)
  const [command, wrapped] = withCgroup2([
    ...['podman', '--root', join(base, 'podman'), '--runroot', join(base, 'podman-run')],
    ...['--cgroup-manager=cgroupfs', '--runtime', 'crun', '--events-backend=none'],
    ...['run', '--rm', '--interactive', '--network=none', '--cgroups=disabled', '--name', id],
    ...['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000', '--log-driver=none'],
    ...['--cap-drop=ALL', ...CAPS.map((cap) => `--cap-add=${cap}`)],
    ...['--security-opt=no-new-privileges'],
    `--security-opt=seccomp=${profile === undefined ? 'unconfined' : file}`,
    ...['/usr', '/lib', '/lib64'].map((path) => `--volume=${path}:${path}:ro`),
    `--volume=${join(process.execPath, '..')}:/node:ro`,
    ...['--rootfs', join(base, 'rootfs'), ...args],
  ])
  return run(command, wrapped, input, base)
}

/** The probe's answers in a container. */
export const probeIn = (engine: Engine, profile: string | undefined): Ended =>
  contain(engine, profile, ['/probe'], PROBE_INPUT)

/** The probe's answers under `bwrap --seccomp`, which takes a program as it is. */
export function probeInBubblewrap(program: Uint8Array | undefined): Ended {
  const base = folder()
  const file = join(base, 'program.bpf')
  writeFileSync(file, program ?? '')
  const seccomp = program === undefined ? '' : '--seccomp 9'
  const command = `exec bwrap --ro-bind / / --proc /proc --unshare-pid ${seccomp} "$0" 9<"$1"`
  return run('sh', ['-c', command, probe(), file], PROBE_INPUT, base)
}
