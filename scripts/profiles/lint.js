// Lints every file of a folder of profiles, and counts what is found by rule: for looking at collections of
// real profiles, which are not part of this repository.
//
//   node scripts/profiles/lint.js FOLDER [--findings] [--rule ID]
'use strict'

const { readFileSync, readdirSync, statSync } = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { ScriptError, main } = require('../common')

const TARGET = { arch: 'x86_64', kernel: '6.1' }

/** Findings of a file, or why it cannot be read. */
function look(file) {
  const { ProfileError, lint } = require('../..')
  try {
    return { findings: lint(readFileSync(file), TARGET) }
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error
    return { unread: `${error.code} ${error.message}`, findings: [] }
  }
}

function lintAll(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { findings: { type: 'boolean' }, rule: { type: 'string' } },
  })
  const [folder] = positionals
  if (folder === undefined) throw new ScriptError('Which folder of profiles?')
  const byRule = new Map()
  let read = 0
  for (const name of readdirSync(folder).sort()) {
    const file = path.join(folder, name)
    if (!statSync(file).isFile()) continue
    const { findings, unread } = look(file)
    if (unread === undefined) read++
    else if (values.findings) console.log(`${name}: not read: ${unread}`)
    for (const { rule, severity, line, column, message } of findings) {
      if (values.rule !== undefined && values.rule !== rule) continue
      const known = byRule.get(rule) ?? { severities: new Set(), count: 0, files: new Set() }
      byRule.set(rule, known)
      known.count++
      known.severities.add(severity)
      known.files.add(name)
      if (values.findings) console.log(`${name}:${line}:${column}: ${severity} ${rule}: ${message}`)
    }
  }
  console.log(`${read} files read as profiles`)
  console.log('| rule | severity | findings | files |')
  console.log('| --- | --- | --- | --- |')
  for (const [rule, { severities, count, files }] of [...byRule].sort()) {
    console.log(`| ${rule} | ${[...severities].join(', ')} | ${count} | ${files.size} |`)
  }
}

main(() => lintAll(process.argv.slice(2)))
