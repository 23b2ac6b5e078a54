// A container with Node in it, from nothing but what is on this machine: its node, the libraries that
// needs, and runc.
'use strict'

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')

/** Every file that the dynamic loader takes for a program. */
function librariesOf(program) {
  const { stdout, status, stderr } = spawnSync('ldd', [program], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ldd ${program}: ${stderr}`)
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, file]) => file)
}

class Container {
  #folder
  #id

  /** @param id names the container, and its program: so the kernel's records of it are known */
  constructor(folder, id, files) {
    this.#folder = folder
    this.#id = id
    this.program = `/srv/${id}/node`
    const rootfs = path.join(folder, 'rootfs')
    const copy = (from, to) => {
      const target = path.join(rootfs, to)
      fs.mkdirSync(path.dirname(target), { recursive: true })
      fs.copyFileSync(fs.realpathSync(from), target)
    }
    copy(process.execPath, this.program)
    for (const library of librariesOf(process.execPath)) copy(library, library)
    for (const file of files) copy(file, `/srv/${id}/${path.basename(file)}`)
    for (const name of ['proc', 'dev', 'tmp']) fs.mkdirSync(path.join(rootfs, name))
  }

  /**
   * Starts it under a profile (`linux.seccomp` of the OCI runtime-spec). Resolves when it printed its
   * first line, or ended without.
   */
  async start(seccomp) {
    const config = path.join(this.#folder, 'config.json')
    fs.writeFileSync(config, JSON.stringify(this.#spec(seccomp), undefined, 2))
    const child = spawn('runc', ['run', '--bundle', this.#folder, this.#id], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const running = { printed: '', exitCode: undefined, ended: undefined }
    running.ended = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => {
        running.exitCode = code ?? signal
        resolve(running.exitCode)
      })
    })
    const firstLine = new Promise((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data) => {
          running.printed += data
          if (/^listening on \d+$/m.test(running.printed)) resolve()
        })
      }
    })
    await Promise.race([firstLine, running.ended])
    return running
  }

  /** Ends it, in whatever state it is: who asks may be late. */
  stop() {
    const { status } = spawnSync('runc', ['kill', this.#id, 'TERM'], { stdio: 'ignore' })
    if (status !== 0) this.remove()
  }

  remove() {
    spawnSync('runc', ['delete', '--force', this.#id], { stdio: 'ignore' })
  }

  /** runtime-spec, config.md. The network is the machine's, so that the service can be asked. */
  #spec(seccomp) {
    return {
      ociVersion: '1.0.2',
      process: {
        user: { uid: 0, gid: 0 },
        args: [this.program, `/srv/${this.#id}/server.js`],
        env: ['PATH=/usr/bin:/bin'],
        cwd: '/',
        capabilities: {},
        noNewPrivileges: true,
      },
      root: { path: 'rootfs', readonly: true },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
        { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
      ],
      linux: {
        namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
        seccomp,
      },
    }
  }
}

module.exports = { Container }
