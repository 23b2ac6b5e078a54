// From a Docker-sized default profile to a filter on the process: seccomp-ts and libseccomp.
//
// What is fair here:
// - Both start from the same list of rules (profile.js) in memory, with names of system calls: a
//   policy object here, an array of structs there. Both look the names up. Neither reads a file or
//   is loaded within the time. Both programs are then run on the same calls, and must agree.
// - Ours includes what lockdown() does around seccomp(2): it asks whether kernel and actions are
//   supported, looks at every thread in /proc before and after, and syncs the threads that Node has
//   (some ten; the harness in C has one). libseccomp's includes seccomp_load(3) as it is.
// - `cold` is what a process pays, which does this once: for us, with JavaScript that was never run.
//   `warm` is after many times: for us, with JavaScript that was optimised. libseccomp is C, and
//   differs by page faults only.
// - The attachment alone is seccomp(2) with a finished program from the same process in C. The
//   kernel takes time there in proportion to the program.
'use strict'

const path = require('node:path')
const { prepare } = require('./contestants')
const { median, microseconds, parseSamples, program, run, table, takeTurns } = require('./measure')

const TIMES_OURS = 300
const TIMES_THEIRS = 30

/** The lines of either harness. */
function parse(output) {
  const lines = Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name, ...numbers]) => [name, numbers.map(Number)]),
  )
  if (lines.parts && !('installed' in lines)) throw new Error(`not installed: ${output.slice(-80)}`)
  const [wall, cpu] = lines.total ?? []
  const [, , install] = lines.parts ?? []
  const parts = lines.program?.length > 0 && {
    ...(lines.rules && { rules: median(lines.rules) }),
    program: median(lines.program),
  }
  return { ...parts, wall, cpu, ...(install && { install }), once: lines.parts }
}

async function measureInstall({ rounds = 20, profile }) {
  const { harness, policyFile, textFile, programs, info } = prepare(profile)
  const ours = path.join(__dirname, 'install/ours.js')
  const child = {
    ours: (times) => run(process.execPath, [ours, policyFile, String(times && TIMES_OURS)]),
    O1: (times) => run(harness, ['time', textFile, '1', String(times && TIMES_THEIRS)]),
    O2: (times) => run(harness, ['time', textFile, '2', String(times && TIMES_THEIRS)]),
  }
  const names = Object.keys(child)
  const warm = await takeTurns(rounds, names, (name) => parse(child[name](1)))
  const cold = await takeTurns(rounds, names, (name) => parse(child[name](0)))
  const files = names.map((name) => `${name}=${programs[name].file}`)
  const attach = parseSamples(run(program('c/filters.c'), ['attach', String(rounds * 5), ...files]))

  const of = (samples, name, what) => median(samples[name].map((each) => each[what]))
  const part = (what, measure) => ({
    what,
    ...Object.fromEntries(names.map((name) => [name, measure(name)])),
  })
  const rows = [
    part('rules, warm', (name) => of(warm, name, 'rules')),
    part('program, warm', (name) => of(warm, name, 'program')),
    part('attach: seccomp(2) alone', (name) => median(attach[name].attach)),
    part('all, warm: clock', (name) => of(warm, name, 'wall')),
    part('all, warm: processor', (name) => of(warm, name, 'cpu')),
    part('all, cold: clock', (name) => of(cold, name, 'wall')),
    part('all, cold: processor', (name) => of(cold, name, 'cpu')),
  ]
  const compileAndAttach = (name) =>
    of(warm, name, 'rules') + of(warm, name, 'program') + median(attach[name].attach)
  rows.splice(3, 0, part('sum of these three', compileAndAttach))
  const oursOnce = (samples, index) => median(samples.ours.map(({ once }) => once[index]))
  const onceParts = ['rules', 'program', 'install'].map((what, index) => ({
    what,
    warm: oursOnce(warm, index),
    cold: oursOnce(cold, index),
  }))
  return {
    ...info,
    rounds,
    instructions: Object.fromEntries(names.map((name) => [name, programs[name].length])),
    nanoseconds: rows,
    oursOnce: onceParts,
    expected: '>= 5 times as fast as libseccomp',
  }
}

function printInstall(result) {
  const { instructions, rounds, rules, callsChecked, libseccomp, nanoseconds, oursOnce } = result
  const times = (row, name) => `${(row[name] / row.ours).toFixed(1)} x`
  const headline = new Set(['sum of these three', 'all, warm: processor', 'all, cold: processor'])
  return [
    `${rules} rules. Instructions: ours ${instructions.ours}, libseccomp ${libseccomp} O1 ${instructions.O1}, O2 ${instructions.O2}; the same answer to ${callsChecked} calls.`,
    `Medians of ${rounds} rounds, in microseconds:`,
    table([
      ['', 'ours', 'O1', 'O2', 'O1 / ours', 'O2 / ours', 'expected'],
      ...nanoseconds.map((row) => [
        row.what,
        ...['ours', 'O1', 'O2'].map((name) => microseconds(row[name])),
        times(row, 'O1'),
        times(row, 'O2'),
        headline.has(row.what) ? '>= 5 x' : '',
      ]),
    ]),
    'Ours, of "all" (the installation includes every check of lockdown()):',
    table([
      ['', 'warm', 'cold'],
      ...oursOnce.map(({ what, warm, cold }) => [what, microseconds(warm), microseconds(cold)]),
    ]),
  ].join('\n')
}

module.exports = { measure: measureInstall, parseParts: parse, print: printInstall }
