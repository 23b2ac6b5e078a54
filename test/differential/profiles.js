// Every seccomp profile of a folder, compiled by seccomp-ts and by libseccomp: the programs do the
// same. Profiles are other people's files, so they are read where they are:
//
//   node test/differential/profiles.js FOLDER
//
// Reads *.json of moby's, containers' and OCI's formats, for x86-64 and a container without
// capabilities (bench/profile.js). Exits with 1 if any program differs from what its profile says.
'use strict'

require('../../scripts/require-ts')
const { readdirSync } = require('node:fs')
const path = require('node:path')
const { readProfile } = require('../../bench/profile')
const { findSyscall } = require('../../lib/syscalls')
const { ScriptError, main } = require('../../scripts/common')
const libseccomp = require('./libseccomp')

const isKnown = (name) => findSyscall(name, 'x86_64') !== undefined

const COLUMNS = ['file', 'rules', 'ours', 'O1', 'O2', 'calls', 'mismatches', 'every call']

/** One row of the table, or why there is none. */
function compare(file) {
  let list
  try {
    list = readProfile(file, isKnown)
  } catch (error) {
    if (!(error instanceof ScriptError || error instanceof SyntaxError)) throw error
    return { refused: error.message.split('\n')[0] }
  }
  const [theirs] = libseccomp.compileTheirs([list])
  if (theirs.outcome === 'endless') return { refused: 'libseccomp comes to no end' }
  if (theirs.outcome === 'refused') {
    const { rule, errno } = theirs
    return { refused: `libseccomp refuses ${rule.name}, action ${rule.action}: errno ${errno}` }
  }
  const ours = libseccomp.compileOurs(list)
  const compared = libseccomp.compareOnCalls(list, ours, theirs, libseccomp.boundaryCalls(list))
  const difference = libseccomp.findDifference(ours, theirs)
  for (const mismatch of [...compared.ours, ...compared.theirs].slice(0, 3)) {
    console.log(`${path.basename(file)}: ${libseccomp.describeMismatch(mismatch)}`)
  }
  const length = (bytes) => bytes.length / 8
  return {
    rules: list.rules.length,
    ours: length(ours.bytes),
    O1: length(theirs.O1),
    O2: length(theirs.O2),
    calls: compared.calls,
    mismatches: new Set([...compared.ours, ...compared.theirs].map(({ call }) => call)).size,
    'every call': difference === undefined ? 'proved equal' : libseccomp.describe(difference),
  }
}

function print(rows) {
  const widths = COLUMNS.map((name) =>
    Math.max(name.length, ...rows.map((row) => String(row[name] ?? '').length)),
  )
  const line = (cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
  console.log(line(COLUMNS))
  for (const row of rows) {
    if (row.refused === undefined) console.log(line(COLUMNS.map((name) => String(row[name]))))
    else console.log(`${row.file.padEnd(widths[0])}  ${row.refused}`)
  }
}

function profiles([folder]) {
  if (folder === undefined)
    throw new ScriptError('usage: node test/differential/profiles.js FOLDER')
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  const rows = files.sort().map((file) => ({ file, ...compare(path.join(folder, file)) }))
  print(rows)
  const compared = rows.filter(({ refused }) => refused === undefined)
  const sum = (name) => compared.reduce((total, row) => total + row[name], 0)
  const equal = compared.filter((row) => row['every call'] === 'proved equal').length
  console.log(
    `libseccomp ${libseccomp.libseccompVersion()}: ${compared.length} of ${rows.length} files compared, ${sum('calls')} calls, ${sum('mismatches')} mismatches, ${equal} proved equal`,
  )
  return compared.length > 0 && equal === compared.length && sum('mismatches') === 0 ? 0 : 1
}

main(profiles)
