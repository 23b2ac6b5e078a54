// The child of install.js: `node ours.js POLICY.json TIMES`. As test/differential/libseccomp.c does, it builds
// the program TIMES times, then once more and attaches it; and prints the same lines.
//
//   rules …          policy object → parsed, checked, names and values resolved
//   program …        those rules → the words for C++ → BPF → bytes
//   total WALL CPU   policy object → rules → program → every thread shown to be under it
//   parts N N N      that one time's rules, program and installation
//
// The installation is lockdown()'s: support probes, two looks at every thread and the check
// afterwards are in it. Not in it: loading this package (see the section `start`) and io_uring's
// retirement.
'use strict'

const { readFileSync, writeSync } = require('node:fs')
const { compileRules, hostTarget, native, normalise } = require('../../dist/on-demand')

const [file, times] = process.argv.slice(2)
const policy = JSON.parse(readFileSync(file, 'utf8'))
const target = hostTarget()
const now = () => Number(process.hrtime.bigint())
const addon = native()
addon.retireRings()

const rules = []
const program = []
for (let i = 0; i < Number(times); i++) {
  const start = now()
  const resolved = normalise(policy, target)
  const normalised = now()
  compileRules(resolved)
  rules.push(normalised - start)
  program.push(now() - normalised)
}

now()
process.cpuUsage(process.cpuUsage())
const options = { noNewPrivs: true, log: false, specAllow: false, listener: false }
const used = process.cpuUsage()
const start = now()
const resolved = normalise(policy, target)
const normalised = now()
const { bytes } = compileRules(resolved)
const compiled = now()
const { outcome } = addon.install(bytes, options)
const end = now()
const { user, system } = process.cpuUsage(used)

const parts = [normalised - start, compiled - normalised, end - compiled]
writeSync(
  1,
  [
    ['rules', ...rules],
    ['program', ...program],
    ['total', end - start, (user + system) * 1000],
    ['parts', ...parts],
    [outcome],
    '',
  ]
    .map((line) => [line].flat().join(' '))
    .join('\n'),
)
// At once: the profile was not written for Node.
process.reallyExit(0)
