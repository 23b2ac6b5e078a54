#!/usr/bin/env node
'use strict'
/**
 * Writes lib/syscalls/generated/, and the tables of docs/syscall-tables.md, from the facts in this
 * directory and the installed headers.
 *
 *   node scripts/syscalls/generate.js           writes
 *   node scripts/syscalls/generate.js --check   compares instead, and compares the facts with the
 *                                               headers' numbers and the running kernel's tracepoints
 *
 * Exit status: 0 fine, 1 drift, an error in the facts, or a compiler or header that is missing.
 */
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const emit = require('./emit')
const facts = require('./facts')
const toolchain = require('./toolchain')
const { traceArguments } = require('./tracefs')

const { ARCHES, GeneratorError } = facts

const ROOT = path.join(__dirname, '..', '..')
const OUTPUT = 'lib/syscalls/generated'
const DOCUMENT = 'docs/syscall-tables.md'
const [TABLE_START, TABLE_END] = ['<!-- generated: widths -->', '<!-- end -->']

/** The kernel whose declarations syscalls.tsv gives; another may legitimately spell them otherwise. */
const TRACED_RELEASE = '6.18'

function build() {
  const syscalls = facts.readSyscalls(__dirname)
  const declared = new Map(
    [...syscalls].map(([name, { x86_64, aarch64 }]) => [
      name,
      // A copy: the widths below are what the kernel uses, not what it declares.
      {
        x86_64: x86_64?.args.map((a) => ({ ...a })),
        aarch64: aarch64?.args.map((a) => ({ ...a })),
      },
    ]),
  )
  const widths = facts.applyWidths(__dirname, syscalls)
  const families = facts.readConstants(__dirname)
  facts.attachConstants(__dirname, syscalls, families)

  const compilers = Object.fromEntries(ARCHES.map((arch) => [arch, toolchain.findCompiler(arch)]))
  const versions = {}
  const auditArch = {}
  for (const arch of ARCHES) {
    versions[arch] = toolchain.versions(compilers[arch], arch)
    const name = `AUDIT_ARCH_${arch.toUpperCase()}`
    auditArch[arch] = toolchain.evaluate(compilers[arch], arch, ['linux/audit.h'], [name]).get(name)
    if (auditArch[arch] === undefined) throw new GeneratorError(`linux/audit.h has no ${name}`)
  }
  toolchain.resolveConstants(families, compilers)
  checkValuesFit(syscalls, families)
  return { syscalls, declared, widths, families, auditArch, versions, compilers }
}

/** Every constant must be a value that its argument can have: a slip in the lists shows here. */
function checkValuesFit(syscalls, families) {
  for (const syscall of syscalls.values()) {
    for (const arch of ARCHES) {
      for (const { name, width, signed, constants } of syscall[arch]?.args ?? []) {
        if (constants === undefined) continue
        const least = signed ? -(1n << BigInt(width - 1)) : 0n
        const greatest = (1n << BigInt(width)) - 1n
        for (const [constant, { values }] of families.get(constants).constants) {
          const value = values[arch]
          if (value !== undefined && (value < least || value > greatest)) {
            throw new GeneratorError(
              `${constant} is ${value}: ${syscall.name}.${name} cannot have it`,
            )
          }
        }
      }
    }
  }
}

/** The first kernel `a` is after kernel `b`. */
function isNewer(a, b) {
  const [aMajor, aMinor] = a.split('.').map(Number)
  const [bMajor, bMinor] = b.split('.').map(Number)
  return aMajor !== bMajor ? aMajor > bMajor : aMinor > bMinor
}

function compareNumbers({ syscalls, compilers, versions }, problems) {
  for (const arch of ARCHES) {
    const numbers = toolchain.syscallNumbers(compilers[arch], arch)
    const { kernel, release } = versions[arch]
    for (const [name, number] of numbers) {
      const ours = syscalls.get(name)?.[arch]
      if (ours === undefined) {
        problems.push(
          `${arch}: ${name} is ${number} in the headers of Linux ${kernel}, and not in syscalls.tsv`,
        )
      } else if (ours.number !== number) {
        problems.push(
          `${arch}: ${name} is ${number} in the headers of Linux ${kernel}, but ${ours.number} in syscalls.tsv`,
        )
      }
    }
    for (const [name, syscall] of syscalls) {
      const ours = syscall[arch]
      if (ours !== undefined && !numbers.has(name) && !isNewer(ours.since, release)) {
        problems.push(
          `${arch}: ${name} is since ${ours.since} in syscalls.tsv, but not in the headers of Linux ${kernel}`,
        )
      }
    }
    console.log(`${arch}: ${numbers.size} numbers compared with the headers of Linux ${kernel}`)
  }
}

/** What decides how a register is compared: of another kernel, too, only this must be the same. */
const shape = (args) =>
  args
    .map(({ width, signed, pointer }) => (pointer ? 'p' : `${width}${signed ? 's' : 'u'}`))
    .join(' ')
const spell = (args) => args.map(({ ctype, name }) => `${ctype} ${name}`).join('; ') || '(none)'

function compareTracepoints({ syscalls, declared }, problems) {
  const arch = { x64: 'x86_64', arm64: 'aarch64' }[process.arch]
  if (process.platform !== 'linux' || arch === undefined) {
    console.log('tracepoints: NOT compared, this machine has none of ours')
    return
  }
  const names = [...syscalls.values()]
    .filter((syscall) => syscall[arch] !== undefined)
    .map(({ name }) => name)
  const traced = traceArguments(arch, names)
  if (typeof traced === 'string') {
    console.log(`tracepoints: NOT compared, tracefs cannot be mounted here: ${traced}`)
    return
  }
  const release = os.release().split('.').slice(0, 2).join('.')
  const exact = release === TRACED_RELEASE
  let spelled = 0
  for (const [name, text] of traced) {
    const live = facts.parseArguments(text, `sys_enter_${name} of Linux ${release}`)
    const ours = declared.get(name)[arch]
    if (shape(live) !== shape(ours) || (exact && spell(live) !== spell(ours))) {
      problems.push(
        `${name} on ${arch}: Linux ${release} declares ${spell(live)}\n  but syscalls.tsv says ${spell(ours)}`,
      )
    } else if (spell(live) !== spell(ours)) {
      spelled++
      console.log(
        `tracepoints: note: ${name} is spelled otherwise in Linux ${release}: ${spell(live)}`,
      )
    }
  }
  console.log(
    `tracepoints: ${traced.size} of ${names.length} calls compared with Linux ${release} on ${arch}` +
      (spelled > 0 ? `, ${spelled} spelled otherwise` : ''),
  )
}

/** The lines that only one text has, each with its number: enough for tables of sorted lines. */
function difference(file, before, after) {
  const [old, now] = [before, after].map((text) => text.split('\n'))
  const [inOld, inNow] = [new Set(old), new Set(now)]
  const lines = [`--- ${file} as checked in`, `+++ ${file} as generated now`]
  old.forEach((line, index) => inNow.has(line) || lines.push(`-${index + 1}: ${line}`))
  now.forEach((line, index) => inOld.has(line) || lines.push(`+${index + 1}: ${line}`))
  if (lines.length === 2) lines.push('the same lines in another order')
  return lines.join('\n')
}

/** File (from the root of the repository) → its text. */
function render(model) {
  const document = fs.readFileSync(path.join(ROOT, DOCUMENT), 'utf8')
  const [start, end] = [document.indexOf(TABLE_START), document.indexOf(TABLE_END)]
  if (start < 0 || end < start) {
    throw new GeneratorError(`${DOCUMENT}: no ${TABLE_START} … ${TABLE_END}`)
  }
  return {
    [`${OUTPUT}/tables.ts`]: emit.tables(model),
    [`${OUTPUT}/types.ts`]: emit.types(model),
    [DOCUMENT]:
      document.slice(0, start + TABLE_START.length) +
      `\n\n${emit.widths(model.widths)}\n\n` +
      document.slice(end),
  }
}

function compareOutput(files, problems) {
  const comparable = (text) =>
    text
      .split('\n')
      .filter((line) => !line.startsWith(emit.VERSIONS_MARK))
      .join('\n')
  for (const [file, text] of Object.entries(files)) {
    const target = path.join(ROOT, file)
    if (!fs.existsSync(target)) {
      problems.push(`${file} is missing`)
      continue
    }
    const [before, after] = [fs.readFileSync(target, 'utf8'), text].map(comparable)
    if (before !== after) problems.push(difference(file, before, after))
  }
  const directory = path.join(ROOT, OUTPUT)
  const present = fs.existsSync(directory) ? fs.readdirSync(directory) : []
  for (const file of present.map((name) => `${OUTPUT}/${name}`)) {
    if (!(file in files)) problems.push(`${file} is not generated by this script`)
  }
}

function summary({ syscalls, families }) {
  const count = (arch) =>
    [...syscalls.values()].filter((syscall) => syscall[arch] !== undefined).length
  const constants = [...families.values()].reduce((sum, family) => sum + family.constants.size, 0)
  return (
    `${syscalls.size} system calls (x86-64 ${count('x86_64')}, aarch64 ${count('aarch64')}), ` +
    `${constants} constants in ${families.size} families`
  )
}

function main(args) {
  if (args.some((arg) => arg !== '--check')) {
    console.error('usage: node scripts/syscalls/generate.js [--check]')
    return 1
  }
  const model = build()
  const files = render(model)
  if (args.length === 0) {
    fs.mkdirSync(path.join(ROOT, OUTPUT), { recursive: true })
    for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(ROOT, file), text)
    console.log(`wrote ${summary(model)}`)
    return 0
  }
  const problems = []
  compareOutput(files, problems)
  compareNumbers(model, problems)
  compareTracepoints(model, problems)
  if (problems.length === 0) {
    console.log(`no drift: ${summary(model)}`)
    return 0
  }
  console.error(problems.join('\n'))
  console.error(`${problems.length} ${problems.length === 1 ? 'difference' : 'differences'}`)
  return 1
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof GeneratorError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
