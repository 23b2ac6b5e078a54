// What the sections share: taking turns, medians, the C programs, children with a clean environment,
// and tables.
'use strict'

const { spawnSync } = require('node:child_process')
const os = require('node:os')
const path = require('node:path')
const { cProgram } = require('../scripts/c-program')
const { ScriptError } = require('../scripts/common')

const root = path.join(__dirname, '..')
const built = path.join(__dirname, 'build')

/** Nothing of this shell's reaches a child: no NODE_OPTIONS, no policy, no locale. */
const cleanEnvironment = (more = {}) => ({ PATH: '/usr/bin:/bin', ...more })

function run(command, args, environment = {}) {
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }
  const ran = spawnSync(command, args, { ...options, env: cleanEnvironment(environment) })
  if (ran.error) throw new ScriptError(`${command} could not be started: ${ran.error.message}`)
  if (ran.status !== 0) {
    const how = ran.signal ?? `exit code ${ran.status}`
    const name = [path.basename(command), ...args].join(' ')
    throw new ScriptError(`${name} failed (${how}):\n${ran.stdout}${ran.stderr}`)
  }
  return ran.stdout
}

/** The path of a program built from one C file, named from bench/. */
const program = (source, options) => cProgram(path.join(__dirname, source), options)

/**
 * Lets contestants take turns, the order turned round every other round, so that what else the
 * machine does meanwhile falls on all of them alike. Resolves to the samples of each.
 */
async function takeTurns(rounds, contestants, measure) {
  const samples = Object.fromEntries(contestants.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? contestants : contestants.toReversed()) {
      samples[name].push(await measure(name))
    }
  }
  return samples
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return low + (high - low) * (at - Math.floor(at))
}

const median = (values) => quantile(values, 0.5)

/** `NAME WHAT NUMBER` lines → name → what → numbers. */
function parseSamples(text) {
  const samples = {}
  for (const line of text.trim().split('\n')) {
    const [name, what, number] = line.split(' ')
    const list = ((samples[name] ??= {})[what] ??= [])
    list.push(Number(number))
  }
  return samples
}

function table(rows) {
  const cells = rows.map((row) => row.map(String))
  const widths = cells[0].map((_, i) => Math.max(...cells.map((row) => row[i].length)))
  const pad = (cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))
  return cells.map((row) => `  ${row.map(pad).join('  ').trimEnd()}`).join('\n')
}

/** 1234567 → '1,235' microseconds. */
const microseconds = (nanoseconds) =>
  nanoseconds < 100_000
    ? (nanoseconds / 1000).toFixed(1)
    : Math.round(nanoseconds / 1000).toLocaleString('en')

const milliseconds = (nanoseconds) => (nanoseconds / 1e6).toFixed(1)

const machine = () => ({
  processor: os.cpus()[0]?.model ?? os.arch(),
  cores: os.cpus().length,
  kernel: os.release(),
  node: process.versions.node,
  load: os.loadavg()[0],
})

module.exports = {
  ScriptError,
  built,
  cleanEnvironment,
  machine,
  median,
  microseconds,
  milliseconds,
  parseSamples,
  program,
  quantile,
  root,
  run,
  table,
  takeTurns,
}
