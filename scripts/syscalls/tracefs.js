'use strict'
/** What the running kernel says of its system calls: the format files of their tracepoints. */
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { spawnSync } = require('node:child_process')

/** Calls whose function in the kernel has another name than the call. */
const FUNCTION_NAMES = {
  x86_64: {
    fstat: 'newfstat',
    lstat: 'newlstat',
    sendfile: 'sendfile64',
    stat: 'newstat',
    umount2: 'umount',
    uname: 'newuname',
  },
  aarch64: {
    fadvise64: 'fadvise64_64',
    fstat: 'newfstat',
    personality: 'arm64_personality',
    sendfile: 'sendfile64',
    umount2: 'umount',
    uname: 'newuname',
  },
}

/** Calls `use` with the directory of the tracepoints, or returns why there is none. */
function withTracepoints(use) {
  const mounted = '/sys/kernel/tracing/events/syscalls'
  if (fs.existsSync(mounted)) return use(mounted)
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'seccomp-ts-tracefs-'))
  try {
    const mount = spawnSync('mount', ['-t', 'tracefs', 'none', directory], { encoding: 'utf8' })
    if (mount.status !== 0) return (mount.stderr ?? String(mount.error)).trim()
    try {
      const events = path.join(directory, 'events', 'syscalls')
      if (!fs.existsSync(events)) return 'this kernel has no syscall tracepoints'
      return use(events)
    } finally {
      spawnSync('umount', [directory])
    }
  } finally {
    fs.rmdirSync(directory)
  }
}

/** The arguments a tracepoint shows, as syscalls.tsv writes them. */
function readFormat(text) {
  const fields = [...text.matchAll(/^\tfield:(.+?);\toffset:(\d+);/gm)]
    .filter((match) => !/\b(common_\w+|__syscall_nr)$/.test(match[1]))
    // Newer kernels add fields of their own (__data_loc, strings they copied): no arguments.
    .filter((match) => !match[1].startsWith('__data_loc'))
    .map((match) => match[1])
  return fields.length === 0 ? '(none)' : fields.join('; ')
}

/** name → arguments of every call the running kernel traces; or a string: why that cannot be had. */
function traceArguments(arch, names) {
  return withTracepoints((directory) => {
    const found = new Map()
    for (const name of names) {
      const file = path.join(directory, `sys_enter_${FUNCTION_NAMES[arch][name] ?? name}`, 'format')
      if (fs.existsSync(file)) found.set(name, readFormat(fs.readFileSync(file, 'utf8')))
    }
    return found
  })
}

module.exports = { traceArguments }
