// What the compiler makes of lists of rules, beside libseccomp at both of its levels: how long the
// programs are, how many instructions a call takes, how long the building and the attaching take.
//
// - Executed instructions include the test of the architecture and the RET.
// - `mix` is the mean over the calls of a busy server (MIX), all run by the program: what a kernel
//   without the cache of allowed calls does. Arguments are 0 unless that is denied and some rule
//   asks for others.
// - `longest` is the most instructions for any number from 0 to 470, up to the first look at an
//   argument.
// - `a rule` is the mean over all rules with conditions, each called with arguments that it is for.
// - `build` is from rules in memory, with numbers for names, to bytes: ours encodes and compiles
//   them; libseccomp adds them (seccomp_init, seccomp_rule_add_exact_array) and exports the program.
//   Children take turns, the same as in the section `install`; each builds many times in a row.
// - `proof` is the proof that ours does what the rules say, in milliseconds: the first in a process,
//   and once warm. Nobody else has one.
// - `3 arches` is the same for x86-64, arm64 and i386 (ours: with the rules of x86-64 for i386's),
//   and for x86-64, i386 and x32 (libseccomp).
'use strict'

const { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { compile } = require('..')
const { AUDIT_ARCH, constantAllow, loadProgram, run: runProgram } = require('../dist/on-demand')
const { checkAgreement, compileWithLibseccomp, missingLibseccomp } = require('./contestants')
const { parseParts } = require('./install')
const measuring = require('./measure')
const { RETURN_VALUES, toPolicy, toText } = require('./profile')
const { readRuleList } = require('./rule-lists')
const { ScriptError, built, median, microseconds, milliseconds, parseSamples, program, table } =
  measuring
const { run, takeTurns } = measuring

const LAST_NUMBER = 470
const TIMES_OURS = 300
const TIMES_THEIRS = 5
const TIMES_PROVED = 25

/** Percent of the calls of a server under load, by number on x86-64. */
const MIX = {
  232: 20, // epoll_wait
  0: 20, // read
  1: 15, // write
  202: 15, // futex
  20: 8, // writev
  233: 5, // epoll_ctl
  3: 4, // close
  288: 3, // accept4
  28: 3, // madvise
  9: 2, // mmap
  11: 2, // munmap
  41: 1, // socket
  257: 1, // openat
  332: 0.5, // statx
  56: 0.3, // clone
  435: 0.2, // clone3
}

/** What is asked of ours, by list. `most` is inclusive. */
const EXPECTED = {
  'podman-eperm': {
    ...{ instructions: 72, mix: 6.3, longest: 12, proofWarm: 20e6 },
    ...{ fasterThanO2: 5, build: 250_000, build3: 1_000_000, attach: 1.05 },
  },
  node60: { mix: 7.2, longest: 11 },
  'argsheavy-nr': { instructions: 305, mix: 14.8, rule: 17.7, proof: 200e6 },
  argsheavy: { proof: 200e6 },
  ioctl300: { rule: 22, build: 1_000_000 },
  ioctl1000: { rule: 25, proof: 200e6 },
}

/** Published, measured elsewhere and with other clocks; not run here. Times in microseconds. */
const PUBLISHED = {
  'podman-eperm': [
    { name: 'minijail, frequency file', instructions: 87, mix: 6.26, longest: 32, build: 67827 },
    { name: 'kafel', instructions: 91, mix: 8.94, longest: 14, build: 89 },
    { name: 'gVisor', instructions: 147, mix: 10.5, longest: 21, build: 13120 },
    { name: 'seccompiler', instructions: 1603, mix: 194.3, longest: 631, build: 39 },
  ],
  node60: [
    { name: 'minijail, frequency file', instructions: 38, mix: 6.85, longest: 21, build: 46000 },
    { name: 'kafel', instructions: 59, mix: 9.26, longest: 10, build: 16 },
    { name: 'gVisor', instructions: 67, mix: 10.4, longest: 14, build: 615 },
    { name: 'seccompiler', instructions: 305, mix: 51.8, longest: 124, build: 6 },
  ],
  'argsheavy-nr': [
    { name: 'gVisor', instructions: 309, mix: 14.96, rule: 17.7, build: 4588 },
    { name: 'gVisor, hot calls', instructions: 306, mix: 14.78, rule: 19.4, build: 6381 },
    { name: 'kafel', instructions: 403, mix: 15.2, rule: 21.1, build: 85 },
  ],
  ioctl300: [
    { name: 'gVisor', instructions: 375, rule: 158.5, build: 220000 },
    { name: 'seccompiler', instructions: 2402, rule: 782, build: 90 },
  ],
  ioctl1000: [{ name: 'gVisor', instructions: 1081, rule: 508, build: 2500000 }],
}

/** Arguments for which the rule's conditions hold, unless they contradict each other. */
function argumentsFor({ conditions }) {
  const args = Array(6).fill(0n)
  for (const { index, op, value, valueTwo } of conditions) {
    const operand = BigInt(value)
    const held = {
      eq: operand,
      ne: operand + 1n,
      lt: operand - 1n,
      le: operand,
      ge: operand,
      gt: operand + 1n,
      maskedEq: BigInt(valueTwo),
    }
    args[index] = held[op]
  }
  return args
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Everything that is counted and not timed. */
function count(bytes, { rules }) {
  const code = loadProgram(bytes)
  const arch = AUDIT_ARCH.x86_64
  const call = (number, args) => runProgram(code, { arch, number, args, instructionPointer: 0n })
  const numbers = Array.from({ length: LAST_NUMBER + 1 }, (_, nr) => nr)
  const mixed = Object.entries(MIX).map(([nr, percent]) => {
    const rule = rules.find(({ number }) => number === Number(nr))
    let result = call(Number(nr), [])
    if (result.value !== RETURN_VALUES.allow && rule) result = call(Number(nr), argumentsFor(rule))
    return (percent / 100) * result.executed
  })
  const conditional = rules.filter(({ conditions }) => conditions.length > 0)
  const always = new Set(
    rules.filter(({ conditions }) => conditions.length === 0).map(({ number }) => number),
  )
  const cached = numbers.filter((number) => constantAllow(code, arch, number))
  return {
    instructions: code.length,
    mix: mixed.reduce((sum, each) => sum + each, 0),
    longest: Math.max(...numbers.map((nr) => call(nr, []).dispatch)),
    rule:
      conditional.length === 0
        ? undefined
        : mean(conditional.map((rule) => call(rule.number, argumentsFor(rule)).executed)),
    cached: cached.length,
    allowed: always.size,
  }
}

/** The list in the forms that the contestants take, and their programs, below bench/build. */
function prepareList(name, file, build) {
  const at = (what) => path.join(built, `${name}.${what}`)
  const list = readRuleList(file)
  const policy = toPolicy(list)
  const plain = (_, value) => (typeof value === 'bigint' ? `${value}n` : value)
  writeFileSync(at('json'), JSON.stringify(policy, plain))
  writeFileSync(at('rules'), toText(list))
  const files = { ours: at('ours.bpf') }
  writeFileSync(files.ours, compile(policy, { arch: 'x86_64' }).bytes)
  let refusal
  const theirs = compileWithLibseccomp(build, at('rules'))
  if (theirs.refusal === undefined) {
    for (const [who, bytes] of Object.entries(theirs.programs)) {
      files[who] = at(`${who}.bpf`)
      writeFileSync(files[who], bytes)
    }
  } else {
    refusal = `${list.rules[theirs.refusal.rule]?.name ?? ''}: ${theirs.refusal.why}`
  }
  const programs = Object.fromEntries(
    Object.entries(files).map(([who, each]) => [who, readFileSync(each)]),
  )
  const callsChecked = checkAgreement(list.rules, Object.values(programs))
  return {
    list,
    policyFile: at('json'),
    textFile: at('rules'),
    files,
    programs,
    refusal,
    callsChecked,
  }
}

/** Medians of nanoseconds from rules to bytes, by contestant. */
async function timeBuilds({ policyFile, textFile, files }, build, rounds, parts) {
  const ours = path.join(__dirname, 'install/ours.js')
  const child = (who) =>
    who === 'ours'
      ? run(process.execPath, [ours, policyFile, String(TIMES_OURS), parts])
      : run(build, [parts, textFile, who.slice(1), String(TIMES_THEIRS)])
  const samples = await takeTurns(rounds, Object.keys(files), (who) => {
    const { rules: adding = 0, program: exporting } = parseParts(child(who))
    return adding + exporting
  })
  return Object.fromEntries(Object.entries(samples).map(([who, each]) => [who, median(each)]))
}

/** Medians of nanoseconds: the first proof of a process, and the later ones. */
async function timeProofs({ policyFile }, rounds) {
  const ours = path.join(__dirname, 'install/ours.js')
  const { proof } = await takeTurns(rounds, ['proof'], () =>
    JSON.parse(run(process.execPath, [ours, policyFile, String(TIMES_PROVED), 'proof'])),
  )
  return {
    first: median(proof.map(({ first }) => first)),
    warm: median(proof.map(({ others }) => median(others))),
  }
}

function timeAttachments({ files }, rounds) {
  const contestants = Object.entries(files).map(([who, file]) => `${who}=${file}`)
  const output = run(program('c/filters.c'), ['attach', String(rounds * 10), ...contestants])
  const samples = parseSamples(output)
  return Object.fromEntries(Object.keys(files).map((who) => [who, median(samples[who].attach)]))
}

async function measureCompiler({ rounds = 10, profiles = process.env.SECCOMP_BENCH_PROFILES }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new ScriptError('The comparison with libseccomp is for x86-64.')
  }
  if (profiles === undefined || !existsSync(profiles)) {
    throw new ScriptError(
      `The section 'compiler' takes a folder of rule lists, --profiles DIR or SECCOMP_BENCH_PROFILES: bench/README.md says what is in them.`,
    )
  }
  const build = program('../test/differential/libseccomp.c', {
    libraries: ['-lseccomp'],
    missing: missingLibseccomp,
  })
  mkdirSync(built, { recursive: true })
  const present = readdirSync(profiles)
  const names = Object.keys(EXPECTED).filter((name) => present.includes(`${name}.txt`))
  if (names.length === 0) {
    throw new ScriptError(`There is none of ${Object.keys(EXPECTED).join(', ')} in ${profiles}.`)
  }
  const lists = []
  for (const name of names) {
    const prepared = prepareList(name, path.join(profiles, `${name}.txt`), build)
    const { programs, list, refusal, callsChecked } = prepared
    const counted = Object.fromEntries(
      Object.entries(programs).map(([who, bytes]) => [who, count(bytes, list)]),
    )
    const times = { build: await timeBuilds(prepared, build, rounds, 'parts') }
    // A default profile on several architectures, and in the kernel.
    if (EXPECTED[name].build3) times.build3 = await timeBuilds(prepared, build, rounds, 'parts3')
    if (EXPECTED[name].attach) times.attach = timeAttachments(prepared, rounds)
    times.proof = await timeProofs(prepared, rounds)
    lists.push({ name, refusal, callsChecked, counted, nanoseconds: times })
  }
  return { rounds, libseccomp: run(build, ['version']).trim(), lists }
}

/** What is asked of a list → one line each: `[what, found, asked, whether it is met]`. */
function judge({ name, counted: { ours }, nanoseconds: { build, build3, attach, proof } }) {
  const asked = EXPECTED[name]
  const lines = []
  const atMost = (what, found, limit, format) => {
    if (limit === undefined) return
    lines.push([what, format(found), `<= ${format(limit)}`, found <= limit])
  }
  atMost('instructions', ours.instructions, asked.instructions, String)
  atMost('mix', ours.mix, asked.mix, decimals)
  atMost('longest', ours.longest, asked.longest, String)
  atMost('a rule', ours.rule, asked.rule, decimals)
  atMost('build µs', build.ours, asked.build, microseconds)
  if (asked.fasterThanO2 !== undefined) {
    const times = build.O2 / build.ours
    const wanted = asked.fasterThanO2
    lines.push(['build, O2 / ours', `${times.toFixed(1)} x`, `>= ${wanted} x`, times >= wanted])
  }
  atMost('build, three architectures µs', build3?.ours, asked.build3, microseconds)
  if (attach) {
    const best = Math.min(attach.O1, attach.O2)
    atMost('attach, ours / best of theirs', attach.ours / best, asked.attach, decimals)
  }
  atMost('proof ms, the first', proof.first, asked.proof, milliseconds)
  atMost('proof ms, warm', proof.warm, asked.proofWarm, milliseconds)
  const all = ours.cached === ours.allowed
  lines.push(['cached by the kernel', String(ours.cached), String(ours.allowed), all])
  return lines
}

const decimals = (value) => (value === undefined ? '' : value.toFixed(2))

function printList(list) {
  const { name, counted, nanoseconds, refusal, callsChecked } = list
  const time = (value) => (value === undefined ? '' : microseconds(value))
  const optional = (value) => value ?? ''
  const { first, warm } = nanoseconds.proof
  const proof = `${milliseconds(first)}, ${milliseconds(warm)}`
  const header = [
    'instructions',
    'mix',
    'longest',
    'a rule',
    'cached',
    'build µs',
    '3 arches',
    'attach',
    'proof ms',
  ]
  const rows = Object.entries(counted).map(([who, each]) => [
    who === 'ours' ? 'seccomp-ts' : `libseccomp ${who}`,
    each.instructions,
    decimals(each.mix),
    each.longest,
    decimals(each.rule),
    `${each.cached}/${each.allowed}`,
    time(nanoseconds.build[who]),
    time(nanoseconds.build3?.[who]),
    time(nanoseconds.attach?.[who]),
    who === 'ours' ? proof : '',
  ])
  if (refusal !== undefined)
    rows.push([`libseccomp: refused (${refusal})`, ...header.map(() => '')])
  for (const each of PUBLISHED[name] ?? []) {
    rows.push([
      `(published) ${each.name}`,
      each.instructions,
      optional(each.mix),
      optional(each.longest),
      optional(each.rule),
      '',
      each.build.toLocaleString('en'),
      '',
      '',
      '',
    ])
  }
  const judged = judge(list).map(([what, found, asked, met]) => [
    what,
    found,
    asked,
    met ? '' : 'NO',
  ])
  return [
    `${name}: the same answer to ${callsChecked} calls`,
    table([['', ...header], ...rows]),
    table([['', 'ours', 'expected', ''], ...judged]),
  ].join('\n')
}

function printCompiler({ lists, libseccomp, rounds }) {
  return [
    `libseccomp ${libseccomp}; times are medians of ${rounds} rounds. "Published" was measured elsewhere.`,
    ...lists.map(printList),
  ].join('\n\n')
}

module.exports = { measure: measureCompiler, print: printCompiler }
