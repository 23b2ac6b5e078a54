// node bench/run.js [compiler|install|calls|server|start|cli …] [--rounds N] [--profile FILE]
//   [--profiles DIR] [--json]
'use strict'

const { parseArgs } = require('node:util')
const { main } = require('../scripts/common')
const { ScriptError, machine } = require('./measure')
const { defaultProfile } = require('./profile')

const SECTIONS = ['compiler', 'install', 'calls', 'server', 'start', 'cli']

function describe({ processor, cores, kernel, node, load }) {
  return `${processor}, ${cores} cores, Linux ${kernel}, Node ${node}, load ${load.toFixed(1)}`
}

async function bench(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      profile: { type: 'string' },
      profiles: { type: 'string' },
      json: { type: 'boolean' },
    },
  })
  const unknown = positionals.find((name) => !SECTIONS.includes(name))
  if (unknown !== undefined) {
    throw new ScriptError(`There is no '${unknown}': choose from ${SECTIONS.join(', ')}.`)
  }
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
    throw new ScriptError('--rounds takes a positive number')
  }
  const profile = values.profile ?? process.env.SECCOMP_PROFILE ?? defaultProfile
  const { profiles } = values
  const options = { profile, ...(profiles && { profiles }), ...(rounds && { rounds }) }

  const results = { machine: machine() }
  if (!values.json) console.log(describe(results.machine))
  for (const name of positionals.length > 0 ? positionals : SECTIONS) {
    const section = require(`./${name}`)
    results[name] = await section.measure(options)
    if (!values.json) console.log(`\n${name}\n${section.print(results[name])}`)
  }
  if (values.json) console.log(JSON.stringify(results, null, 2))
}

main(bench)
