// From the text of a profile to BPF, TIMES times in one process: nanoseconds, a line for each part; the
// total in processor time, of all threads of the process.
//
//   node ours.js FILE TIMES RUNTIME
'use strict'

const { readFileSync } = require('node:fs')
const { compile, readProfile, resolveProfile } = require('../..')

const [file, times, runtime] = process.argv.slice(2)
const text = readFileSync(file, 'utf8')
const taken = { parse: [], rules: [], program: [], total: [] }
for (let i = 0; i < Number(times); i++) {
  const used = process.cpuUsage()
  const start = process.hrtime.bigint()
  const { profile } = readProfile(text)
  const parsed = process.hrtime.bigint()
  const { policy } = resolveProfile(profile, { arch: 'x86_64', kernel: '6.1', runtime })
  const resolved = process.hrtime.bigint()
  compile(policy, { arch: 'x86_64' })
  const built = process.hrtime.bigint()
  taken.parse.push(parsed - start)
  taken.rules.push(resolved - parsed)
  taken.program.push(built - resolved)
  const { user, system } = process.cpuUsage(used)
  taken.total.push((user + system) * 1000)
}
for (const [part, samples] of Object.entries(taken)) console.log(part, samples.join(' '))
