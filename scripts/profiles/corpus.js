// Reads every file of a folder as a profile, resolves what can be resolved, compiles and proves it, and
// prints a table: for looking at collections of real profiles, which are not part of this repository.
//
//   node scripts/profiles/corpus.js FOLDER [--runtime NAME] [--findings]
'use strict'

const { existsSync, readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { parseAllDocuments } = require('yaml')
const { ScriptError, main } = require('../common')

const tally = (findings) => {
  const count = (severity) => findings.filter((each) => each.severity === severity).length
  return `${count('error')}/${count('warning')}/${count('info')}`
}

/** Of a file with several profiles, their names; else one that is read without being named. */
function documentsIn(text) {
  const { ProfileError, readProfile } = require('../..')
  try {
    readProfile(text)
    return [undefined]
  } catch (error) {
    if (!(error instanceof ProfileError) || error.code !== 'ERR_PROFILE_DIALECT') return [undefined]
    if (!/there are \d+ profiles in it/.test(error.message)) return [undefined]
  }
  return parseAllDocuments(text)
    .map((document) => document.toJS() ?? {})
    .filter(({ kind }) => kind === 'SeccompProfile')
    .map(({ metadata }) => metadata.name)
}

/** Where files are from: `file`, repository, path and commit, by tabs, in a file INDEX.tsv beside them. */
function origins(folder) {
  const file = path.join(folder, 'INDEX.tsv')
  if (!existsSync(file)) return new Map()
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return new Map(
    lines.map((line) => line.split('\t')).map(([name, ...parts]) => [name, parts.join(' ')]),
  )
}

function look(name, text, document, runtime) {
  const {
    ProfileError,
    PolicyError,
    compile,
    prove,
    readProfile,
    resolveProfile,
  } = require('../..')
  const file = document === undefined ? name : `${name}, ${document}`
  const row = { file, dialect: '-', entries: '-', findings: '-', outcome: '' }
  const all = []
  try {
    const options = document === undefined ? {} : { document }
    const { profile, dialect, findings } = readProfile(text, options)
    row.dialect = dialect
    row.entries = profile.policy === undefined ? profile.entries.length : 'policy'
    row.findings = tally(findings)
    all.push(...findings)
    const target = { arch: 'x86_64', kernel: '6.1', ...(runtime === undefined ? {} : { runtime }) }
    const { policy, findings: more } = resolveProfile(profile, target)
    row.findings += ` ${tally(more)}`
    all.push(...more)
    const program = compile(policy, { arch: 'x86_64' })
    const { proved } = prove(policy, program)
    row.outcome = `${Object.keys(policy.syscalls ?? {}).length} calls, ${program.length} instructions, ${proved ? 'proved' : 'REFUTED'}`
  } catch (error) {
    if (!(error instanceof ProfileError || error instanceof PolicyError)) throw error
    // Without what to do about it.
    const [place] = error.message.split('. ')
    row.outcome = `${error.code} ${place}`.replaceAll('|', '\\|')
    if (error.findings !== undefined) row.findings += ` (${error.findings.length} errors)`
  }
  return { row, all }
}

function corpus(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { runtime: { type: 'string' }, findings: { type: 'boolean' } },
  })
  const [folder] = positionals
  if (folder === undefined) throw new ScriptError('Which folder of profiles?')
  console.log(
    '| file | from | dialect | entries | findings: read, resolved (error/warning/info) | outcome |',
  )
  console.log('| --- | --- | --- | --- | --- | --- |')
  const sources = origins(folder)
  const names = readdirSync(folder).filter((name) => name !== 'INDEX.tsv')
  for (const name of names.sort()) {
    const text = readFileSync(path.join(folder, name), 'utf8')
    for (const document of documentsIn(text)) {
      const { row, all } = look(name, text, document, values.runtime)
      const { file: shown, ...rest } = row
      const cells = [shown, sources.get(name) ?? '-', ...Object.values(rest)]
      console.log(`| ${cells.join(' | ')} |`)
      if (!values.findings) continue
      for (const { severity, code, line, column, message } of all) {
        console.log(`    ${line}:${column} ${severity} ${code}: ${message}`)
      }
    }
  }
}

main(() => corpus(process.argv.slice(2)))
