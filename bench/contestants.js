// The same profile compiled by seccomp-ts and by libseccomp at both of its levels.
'use strict'

const { existsSync, mkdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { compile } = require('..')
const { AUDIT_ARCH, findSyscall, native, syscallName } = require('../dist/on-demand')
const { ScriptError, built, program, run } = require('./measure')
const { foldErrnos, readProfile, toPolicy, toText } = require('./profile')

const missingProfile = (file) =>
  `There is no ${file}. On Debian and Ubuntu: apt-get install golang-github-containers-common
(or only take the file out of it: apt-get download, dpkg -x); or name a profile of Docker's, Podman's
or OCI's format with --profile FILE or SECCOMP_PROFILE.`

const missingLibseccomp = 'It takes libseccomp: apt-get install libseccomp-dev'

const number = (name) => findSyscall(name, 'x86_64')?.number

/** The kernel's number of everything the rules name, and values at and around every operand. */
function* callsToCheck(rules) {
  const interesting = new Map()
  for (const { name, conditions } of rules) {
    const values = interesting.get(number(name)) ?? new Set()
    for (const { value, valueTwo } of conditions) {
      for (const each of [value, valueTwo]) values.add(BigInt(each))
    }
    interesting.set(number(name), values)
  }
  const extremes = [0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0xffffffffffffffffn]
  for (let nr = 0; nr < 600; nr++) {
    const values = new Set(extremes)
    for (const value of interesting.get(nr) ?? []) {
      for (const near of [value - 1n, value, value + 1n]) values.add(BigInt.asUintN(64, near))
      values.add(value | (1n << 32n))
    }
    for (const value of values) yield { nr, args: Array(6).fill(value) }
    if ((interesting.get(nr)?.size ?? 0) === 0) continue
    for (const value of values) {
      for (let index = 0; index < 6; index++) {
        yield { nr, args: Array(6).fill(0n).with(index, value) }
      }
    }
  }
}

/** Contestants that do different things cannot be compared. */
function checkAgreement(rules, programs) {
  let checked = 0
  for (const { nr, args } of callsToCheck(rules)) {
    const words = BigUint64Array.from(args)
    const answers = programs.map((bytes) => native().evaluate(bytes, AUDIT_ARCH.x86_64, nr, words))
    if (new Set(answers).size !== 1) {
      const call = `${syscallName(nr, 'x86_64') ?? nr}(${args.map((each) => `0x${each.toString(16)}`).join(', ')})`
      const list = answers.map((each) => `0x${each.toString(16)}`).join(', ')
      throw new ScriptError(`The programs disagree about ${call}: ${list} (ours, O1, O2)`)
    }
    checked++
  }
  return checked
}

/** @returns `{ programs: { O1, O2 } }`, or `{ refusal: { rule, why } }` */
function compileWithLibseccomp(harness, textFile) {
  const [outcome, one, two] = run(harness, ['compile', textFile]).trim().split(' ')
  if (outcome === 'program') {
    return { programs: { O1: Buffer.from(one, 'hex'), O2: Buffer.from(two, 'hex') } }
  }
  return { refusal: { rule: Number(one), why: `${outcome}, errno ${two}` } }
}

/** @returns the profile in both forms and all three programs, in files below bench/build */
function prepare(profile) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new ScriptError('The comparison with libseccomp is for x86-64.')
  }
  if (!existsSync(profile)) throw new ScriptError(missingProfile(profile))
  const harness = program('../test/differential/libseccomp.c', {
    libraries: ['-lseccomp'],
    missing: missingLibseccomp,
  })
  mkdirSync(built, { recursive: true })
  const at = (name) => path.join(built, name)
  const list = foldErrnos(readProfile(profile, (name) => number(name) !== undefined))
  const policy = toPolicy(list)
  const policyFile = at('policy.json')
  const textFile = at('rules.txt')
  writeFileSync(policyFile, JSON.stringify(policy))
  writeFileSync(textFile, toText(list))

  const theirs = compileWithLibseccomp(harness, textFile)
  if (theirs.refusal !== undefined) {
    throw new ScriptError(`libseccomp refused rule ${theirs.refusal.rule}: ${theirs.refusal.why}`)
  }
  const bytes = { ours: compile(policy).bytes, ...theirs.programs }
  const programs = {}
  for (const [name, each] of Object.entries(bytes)) {
    programs[name] = { file: at(`${name}.bpf`), length: each.length / 8 }
    writeFileSync(programs[name].file, each)
  }
  return {
    harness,
    policyFile,
    textFile,
    programs,
    info: {
      profile,
      rules: list.rules.length,
      callsChecked: checkAgreement(list.rules, Object.values(bytes)),
      libseccomp: run(harness, ['version']).trim(),
    },
  }
}

module.exports = { checkAgreement, compileWithLibseccomp, missingLibseccomp, prepare }
