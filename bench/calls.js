// What a system call costs under a filter, in nanoseconds: one loop in C for all, in forked children
// that take turns, each under the program of one contestant.
'use strict'

const { prepare } = require('./contestants')
const { median, parseSamples, program, run, table } = require('./measure')

const KINDS = {
  allowed: 'getppid()',
  conditional: 'personality(0xffffffff)',
  denied: 'bpf(-1, NULL, 0)',
}

async function measureCalls({ rounds = 20, profile }) {
  const { programs, info } = prepare(profile)
  const names = Object.keys(programs)
  const files = names.map((name) => `${name}=${programs[name].file}`)
  const output = run(program('c/filters.c'), ['calls', String(rounds), 'none=', ...files])
  const samples = parseSamples(output)
  const nanoseconds = Object.keys(KINDS).map((kind) => ({
    kind,
    ...Object.fromEntries(['none', ...names].map((name) => [name, median(samples[name][kind])])),
  }))
  return { ...info, rounds, nanoseconds }
}

function printCalls({ nanoseconds, rounds, libseccomp }) {
  return [
    `Medians of ${rounds} rounds, in nanoseconds a call (libseccomp ${libseccomp}):`,
    table([
      ['', 'no filter', 'ours', 'O1', 'O2', 'O1 / ours', 'O2 / ours'],
      ...nanoseconds.map((row) => [
        `${row.kind}: ${KINDS[row.kind]}`,
        ...['none', 'ours', 'O1', 'O2'].map((name) => Math.round(row[name])),
        ...['O1', 'O2'].map((name) => (row[name] / row.ours).toFixed(2)),
      ]),
    ]),
    'A denied call does nothing, so it can be faster than the same call without a filter.',
  ].join('\n')
}

module.exports = { measure: measureCalls, print: printCalls }
