// The child of install.js and compiler.js: `node ours.js POLICY.json TIMES [parts|parts3|proof]`. As
// test/differential/libseccomp.c does, it builds the program TIMES times, then once more and attaches it; and
// prints the same lines. With `parts` it resolves the policy once and builds the program TIMES times;
// `parts3` is for three architectures: x86-64, arm64, and the rules of x86-64 as i386's. `proof` proves the
// program TIMES times, and prints how long the first time took and all the others.
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
const {
  compileRules,
  encodeRules,
  hostTarget,
  native,
  normalise,
  proveRules,
} = require('../../dist/on-demand')

const [file, times, only] = process.argv.slice(2)
// Integers that a number does not hold are written as '123n'.
const policy = JSON.parse(readFileSync(file, 'utf8'), (_, value) =>
  typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
)
const target = hostTarget()
/** linux/audit.h: AUDIT_ARCH_I386 */
const AUDIT_ARCH_I386 = 0x40000003
const now = () => Number(process.hrtime.bigint())
const addon = native()
if (only === undefined) addon.retireRings()

/** As `only` says: nothing but programs, for one architecture or three. */
function timePrograms() {
  const resolved = [normalise(policy, target)]
  if (only === 'parts3') {
    resolved.push(normalise(policy, { ...target, arch: 'aarch64' }))
    resolved.push({ ...resolved[0], auditArch: AUDIT_ARCH_I386 })
  }
  const program = []
  for (let i = 0; i < Number(times); i++) {
    const start = now()
    const { outcome } = addon.compile(encodeRules(resolved))
    program.push(now() - start)
    if (outcome !== 'program') throw new Error(outcome)
  }
  writeSync(1, `program ${program.join(' ')}\n`)
  process.exit()
}
function timeProofs() {
  const resolved = normalise(policy, target)
  const { bytes } = compileRules(resolved)
  const taken = Array.from({ length: Number(times) }, () => {
    const start = now()
    if (!proveRules([resolved], bytes).proved) throw new Error('refuted')
    return now() - start
  })
  const [first, ...others] = taken
  writeSync(1, JSON.stringify({ first, others }))
  process.exit()
}
if (only === 'proof') timeProofs()
if (only !== undefined) timePrograms()

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
