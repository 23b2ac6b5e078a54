// From the JSON of a container's default profile to BPF: seccomp-ts, and the way of runc.
//
// What is fair here:
// - runc is Go, calls libseccomp, and is no library: `c/profile.c` does in C what it does, with json-c for
//   Go's encoding/json, which is several times slower.
// - Docker and Podman resolve the conditions of a profile, write it into a config.json, and runc parses that.
//   The C program is handed the result and parses once. Ours takes the profile as it is, conditions and
//   all, and reports what it finds; reading it as OCI is measured besides.
// - libseccomp makes a program for every architecture that the profile lists, as under runc; for the
//   native one alone is measured besides, since that is all that ours is for.
// - `cold` is the first time in a process, `warm` the median of many; a file is read and a package
//   loaded before the time, but for the part of ours that the first profile loads. The total is in processor
//   time, which another process cannot lengthen.
'use strict'

const { mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { missingLibseccomp } = require('./contestants')
const { built, median, microseconds, program, run, table, takeTurns } = require('./measure')
const { appliesHere } = require('./profile')

const TIMES_OURS = 300
const TIMES_THEIRS = 20
const PARTS = ['parse', 'rules', 'program', 'total']

/** What a runtime is handed: OCI, for a container without capabilities on x86-64. */
function flatten({ archMap, architectures, defaultAction, defaultErrnoRet, syscalls }) {
  const native = archMap?.find(({ architecture }) => architecture === 'SCMP_ARCH_X86_64')
  return {
    defaultAction,
    defaultErrnoRet,
    architectures: native
      ? [native.architecture, ...(native.subArchitectures ?? [])]
      : (architectures ?? []),
    syscalls: syscalls
      .filter(appliesHere)
      .map(({ name, names = [name], action, errnoRet, args }) => ({
        names,
        action,
        errnoRet,
        args,
      })),
  }
}

/** `PART NUMBER…` lines → part → numbers. */
const parse = (output) =>
  Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([part, ...numbers]) => [part, numbers.map(Number)]),
  )

async function measureProfiles({ rounds = 10, profile }) {
  mkdirSync(built, { recursive: true })
  const flat = path.join(built, 'profile.json')
  writeFileSync(flat, JSON.stringify(flatten(JSON.parse(readFileSync(profile, 'utf8')))))
  const harness = program('c/profile.c', {
    libraries: ['-lseccomp', '-ljson-c'],
    missing: `${missingLibseccomp} libjson-c-dev`,
  })
  const ours = (file, runtime) =>
    run(process.execPath, [path.join(__dirname, 'profiles/ours.js'), file, TIMES_OURS, runtime])
  const contestants = {
    ours: () => ours(profile, 'podman'),
    'ours, OCI': () => ours(flat, 'runc'),
    runc: () => run(harness, [flat, String(TIMES_THEIRS)]),
    'runc, native': () => run(harness, [flat, String(TIMES_THEIRS), 'native']),
  }
  const names = Object.keys(contestants)
  const samples = await takeTurns(rounds, names, (name) => parse(contestants[name]()))
  const of = (name, part, pick) => median(samples[name].map((each) => pick(each[part])))
  const rows = (pick) =>
    PARTS.map((what) => ({
      what,
      ...Object.fromEntries(names.map((name) => [name, of(name, what, pick)])),
    }))
  return { rounds, names, warm: rows(median), cold: rows(([first]) => first) }
}

function printProfiles({ rounds, names, warm, cold }) {
  const times = (row) => `${(row.runc / row.ours).toFixed(1)} x`
  const line = (when) => (row) => [
    `${row.what}, ${when}${row.what === 'total' ? ': processor' : ''}`,
    ...names.map((name) => microseconds(row[name])),
    times(row),
    row.what === 'total' && when === 'warm' ? '>= 3 x' : '',
  ]
  return [
    `Medians of ${rounds} rounds, in microseconds:`,
    table([
      ['', ...names, 'runc / ours', 'expected'],
      ...warm.map(line('warm')),
      ...cold.map(line('cold')),
    ]),
  ].join('\n')
}

module.exports = { measure: measureProfiles, print: printProfiles }
