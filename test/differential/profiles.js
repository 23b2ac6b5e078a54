// Every seccomp profile of a folder, for every runtime and with no, Docker's and all capabilities: our program
// and the one that the runtime has libseccomp make. Profiles are other people's files, so they are read where
// they are:
//
//   node test/differential/profiles.js FOLDER
//
// Reads what is JSON or a SeccompProfile in YAML, and prints how many of the combinations of each file came to
// what. Exits with 1 if any of ours is not what the runtime does.
'use strict'

require('../../scripts/require-ts')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const yaml = require('yaml')
const { readProfile } = require('../../lib/profiles')
const { ProfileError } = require('../../lib/errors')
const { ScriptError, main } = require('../../scripts/common')
const { libseccompVersion } = require('./libseccomp')
const { Comparison } = require('./profile-programs')

/** The profiles of a file as cases, none if it has none. */
function casesOf(file, text) {
  if (!file.endsWith('.yaml')) return isProfile(text) ? [{ name: file, text }] : []
  return yaml
    .parseAllDocuments(text, { intAsBigInt: true })
    .map((document) => document.toJS() ?? {})
    .filter(({ kind }) => kind === 'SeccompProfile')
    .map(({ metadata, spec }) => {
      const written = JSON.stringify(
        { apiVersion: `${SPO}/v1`, kind: 'SeccompProfile', metadata, spec },
        plain,
      )
      return { name: `${file} ${metadata.name}`, text: JSON.stringify(spec, plain), written }
    })
}

const SPO = 'security-profiles-operator.x-k8s.io'

/** Integers of YAML are bigints, and none of these is beyond a number. */
const plain = (_, value) => (typeof value === 'bigint' ? Number(value) : value)

function isProfile(text) {
  try {
    readProfile(text)
    return true
  } catch (error) {
    if (error instanceof ProfileError) return false
    throw error
  }
}

function profiles([folder]) {
  if (folder === undefined) {
    throw new ScriptError('usage: node test/differential/profiles.js FOLDER')
  }
  const files = readdirSync(folder).sort()
  const cases = files.flatMap((file) =>
    casesOf(file, readFileSync(path.join(folder, file), 'utf8')),
  )
  const { counts, rows, problems, theirs, combinations, pairs, calls } = new Comparison(cases)
  for (const [name, row] of rows) console.log(`${name}: ${print(row)}`)
  for (const line of [...problems.slice(0, 20), ...theirs.slice(0, 5)]) console.log(line)
  console.log(
    `libseccomp ${libseccompVersion()}: ${cases.length} profiles, ${combinations} combinations, ${print(counts)}; ${calls} calls at the borders of ${pairs} pairs of programs`,
  )
  return combinations > 0 && counts.problem === 0 ? 0 : 1
}

const print = (counts) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')

main(profiles)
