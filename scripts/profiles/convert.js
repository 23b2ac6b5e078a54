// Writes every profile of a folder for every target, reads what was written again and compares it with
// the profile by what it means, for several containers: for looking at collections of real profiles,
// which are not part of this repository.
//
//   node scripts/profiles/convert.js FOLDER [--losses]
//
// Exits with 1 if anything was written that permits more, or says something else of a call with a name
// without a warning.
'use strict'

require('../require-ts')
const { readFileSync, readdirSync } = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { comparePolicies, prove } = require('../../lib/analysis')
const { capabilities } = require('../../lib/cli/capabilities')
const { PolicyError, ProfileError } = require('../../lib/errors')
const { CONVERSION_TARGETS, convert, readProfile, resolveProfile } = require('../../lib/profiles')
const { ScriptError, main } = require('../common')

const DIALECTS = {
  docker: 'moby',
  json: 'seccomp-ts',
  kubernetes: 'containerd',
  oci: 'oci',
  podman: 'containers-common',
  spo: 'spo',
  systemd: 'systemd',
}

const TARGETS = ['none', 'docker', 'all'].flatMap((caps) =>
  ['x86_64', 'aarch64'].map((arch) => ({ arch, kernel: '6.1', caps: capabilities(caps) })),
)

/** What became of one profile, for one target and container. */
function look(profile, to, target) {
  const { policy } = resolveProfile(profile, target)
  const result = convert(profile, { to, name: 'corpus', ...target })
  if (to === 'bpf') {
    const { proved } = prove(policy, result.bytes, { arch: target.arch })
    return { ...result, outcome: proved ? 'exact' : 'WRONG' }
  }
  if (to === 'ts') return { ...result, outcome: 'written' }
  const back = resolveProfile(readProfile(result.text, { dialect: DIALECTS[to] }).profile, target)
  const compared = comparePolicies(policy, back.policy, { arch: target.arch })
  const named = compared.differences.filter(({ syscall }) => syscall !== undefined)
  const warned = result.losses.some(({ severity }) => severity === 'warning')
  const silent = named.length > 0 && !warned
  if (!compared.narrows || silent) return { ...result, outcome: 'WRONG' }
  return { ...result, outcome: compared.equal ? 'exact' : 'less, as was said' }
}

function row(profile, to, show) {
  const outcomes = new Set()
  for (const target of TARGETS) {
    try {
      const { outcome, losses } = look(profile, to, target)
      outcomes.add(outcome)
      if (!show) continue
      for (const { severity, code, path: where, message } of losses) {
        console.log(`    ${to} ${target.arch} ${severity} ${code} ${where}: ${message}`)
      }
    } catch (error) {
      if (!(error instanceof PolicyError || error instanceof ProfileError)) throw error
      outcomes.add(`refused (${error.code})`)
      if (show) console.log(`    ${to} ${target.arch} ${error.code}: ${error.message}`)
    }
  }
  return [...outcomes].sort().join(', ')
}

function corpus(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { losses: { type: 'boolean' } },
  })
  const [folder] = positionals
  if (folder === undefined) throw new ScriptError('Which folder of profiles?')
  console.log(`| file | ${CONVERSION_TARGETS.join(' | ')} |`)
  console.log(`| --- |${' --- |'.repeat(CONVERSION_TARGETS.length)}`)
  let wrong = false
  for (const name of readdirSync(folder).sort()) {
    let profile
    try {
      profile = readProfile(readFileSync(path.join(folder, name))).profile
    } catch (error) {
      if (!(error instanceof ProfileError)) throw error
      continue
    }
    const cells = CONVERSION_TARGETS.map((to) => row(profile, to, values.losses))
    wrong ||= cells.some((cell) => cell.includes('WRONG'))
    console.log(`| ${name} | ${cells.join(' | ')} |`)
  }
  return wrong ? 1 : 0
}

main(corpus)
