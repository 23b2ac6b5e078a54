'use strict'
/**
 * What the installed headers say: values of constants, numbers of system calls, versions. Nothing
 * is run: the compiler turns the names into assembly, and the numbers are read from there, so that
 * a cross compiler is enough.
 */
const { spawnSync } = require('node:child_process')
const { GeneratorError } = require('./facts')

const MACHINE = { x86_64: 'x86_64-linux-gnu', aarch64: 'aarch64-linux-gnu' }

const INSTALL = {
  x86_64: 'gcc, libc6-dev and linux-libc-dev (on another machine gcc-x86-64-linux-gnu)',
  aarch64: 'gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and linux-libc-dev-arm64-cross',
}

function run(command, args, input) {
  // The C locale keeps the compiler's messages parseable.
  return spawnSync(command, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, LC_ALL: 'C' },
  })
}

/** The compiler for an architecture: by Debian's name, else a native `gcc` of that machine. */
function findCompiler(arch) {
  for (const command of [`${MACHINE[arch]}-gcc`, 'gcc']) {
    const { status, stdout } = run(command, ['-dumpmachine'])
    if (status === 0 && stdout.startsWith(`${arch}-`) && stdout.includes('linux')) return command
  }
  throw new GeneratorError(`no C compiler for ${arch} here. On Debian: install ${INSTALL[arch]}`)
}

/** All macros after including the headers, by name. */
function macros(compiler, arch, headers) {
  const source = headers.map((header) => `#include <${header}>\n`).join('')
  const { status, stdout, stderr } = run(compiler, ['-dM', '-E', '-x', 'c', '-'], source)
  if (status !== 0) {
    throw new GeneratorError(
      `${headers.join(', ')} for ${arch}: install ${INSTALL[arch]}\n${stderr}`,
    )
  }
  return new Map(
    [...stdout.matchAll(/^#define (\w+) (.*)$/gm)].map((match) => [match[1], match[2]]),
  )
}

/** `seccomp_ts: .quad 1 …` → the numbers. The last is a mark that nothing was cut off. */
function readAssembly(assembly, count) {
  const values = []
  let inside = false
  for (const line of assembly.split('\n')) {
    if (/^\s*seccomp_ts:/.test(line)) {
      inside = true
      continue
    }
    if (!inside) continue
    const data = /^\s*\.(?:quad|xword|8byte)\s+(-?\d+|0x[0-9a-f]+)\s*$/.exec(line)
    const zeros = /^\s*\.zero\s+(\d+)\s*$/.exec(line)
    if (data !== null) values.push(BigInt.asIntN(64, BigInt(data[1])))
    else if (zeros !== null) for (let i = 0; i < Number(zeros[1]); i += 8) values.push(0n)
    else break
  }
  if (values.length !== count + 1 || values[count] !== 0x5ecc0n) {
    throw new GeneratorError('the assembly of the constants is not what this script can read')
  }
  return values.slice(0, count)
}

/** The values of the names that the headers declare; the others are missing from the map. */
function evaluate(compiler, arch, headers, names) {
  let wanted = names
  for (;;) {
    const source =
      // Some ioctl numbers contain sizeof, hence size_t, which their headers leave to others.
      // Some headers are newer than others, or of one architecture only: what is missing declares
      // nothing. That there are headers at all, versions() has seen.
      ['stddef.h', ...headers]
        .map((header) => `#if __has_include(<${header}>)\n#include <${header}>\n#endif\n`)
        .join('') +
      `const long long seccomp_ts[] = {\n${wanted.map((name) => `  (long long)(${name}),\n`).join('')}  0x5ecc0\n};\n`
    const { status, stdout, stderr } = run(
      compiler,
      ['-S', '-O0', '-D_GNU_SOURCE', '-x', 'c', '-o', '-', '-'],
      source,
    )
    if (status === 0) {
      const values = readAssembly(stdout, wanted.length)
      return new Map(wanted.map((name, index) => [name, values[index]]))
    }
    const undeclared = new Set([...stderr.matchAll(/'(\w+)' undeclared/g)].map((match) => match[1]))
    const rest = wanted.filter((name) => !undeclared.has(name))
    if (rest.length === wanted.length) {
      throw new GeneratorError(
        `${headers.join(', ')} cannot be compiled for ${arch}. Install ${INSTALL[arch]}\n${stderr}`,
      )
    }
    wanted = rest
  }
}

/** Fills in `values` of every constant: one value or undefined for each architecture. */
function resolveConstants(families, compilers) {
  const problems = []
  // By headers, over all families: one run of the compiler answers for all that share them.
  const groups = new Map()
  for (const family of families.values()) {
    for (const [name, constant] of family.constants) {
      constant.values = {}
      const key = constant.include.join(' ')
      if (!groups.has(key)) groups.set(key, [])
      groups.get(key).push({ name, constant })
    }
  }
  for (const [key, members] of groups) {
    for (const [arch, compiler] of Object.entries(compilers)) {
      const names = [...new Set(members.map(({ name }) => name))]
      const found = evaluate(compiler, arch, key.split(' '), names)
      for (const { name, constant } of members) {
        const value = found.get(name)
        const label = `${constant.where}: ${name} on ${arch}`
        if (!constant.on.includes(arch)) {
          if (value !== undefined)
            problems.push(`${label}: it exists there (${value}), the mark is wrong`)
          continue
        }
        if (value === undefined && constant.fact === undefined) {
          problems.push(`${label}: not in ${key}. If newer than these headers, give it as a fact`)
        } else if (value !== undefined && constant.fact !== undefined && value !== constant.fact) {
          problems.push(`${label}: ${value} in ${key}, but ${constant.fact} as a fact`)
        }
        constant.values[arch] = value ?? constant.fact
      }
    }
  }
  if (problems.length > 0) throw new GeneratorError(problems.join('\n'))
}

/** The numbers of the headers. Their own names; a name of ours that they lack is newer. */
function syscallNumbers(compiler, arch) {
  const defined = macros(compiler, arch, ['asm/unistd.h'])
  const numbers = new Map()
  for (const [name, text] of defined) {
    if (
      !name.startsWith('__NR_') ||
      name === '__NR_syscalls' ||
      name === '__NR_arch_specific_syscall'
    ) {
      continue
    }
    // The generic header names a few through another macro: __NR_lseek is __NR3264_lseek.
    let value = text
    while (defined.has(value)) value = defined.get(value)
    if (/^\d+$/.test(value)) numbers.set(name.slice('__NR_'.length), Number(value))
  }
  if (numbers.size < 200) throw new GeneratorError(`asm/unistd.h for ${arch} is not readable`)
  return numbers
}

function versions(compiler, arch) {
  const linux = macros(compiler, arch, ['linux/version.h'])
  const libc = macros(compiler, arch, ['features.h'])
  const kernel = ['MAJOR', 'PATCHLEVEL', 'SUBLEVEL'].map((part) =>
    linux.get(`LINUX_VERSION_${part}`),
  )
  if (kernel.includes(undefined))
    throw new GeneratorError(`linux/version.h for ${arch} is not readable`)
  return {
    kernel: kernel.join('.'),
    release: kernel.slice(0, 2).join('.'),
    libc: `${libc.get('__GLIBC__')}.${libc.get('__GLIBC_MINOR__')}`,
  }
}

module.exports = { evaluate, findCompiler, resolveConstants, syscallNumbers, versions }
