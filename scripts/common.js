// What the scripts share: running a command without its chatter, and asking whether a product is
// older than what it is made from. Plain Node, because they run before anything is installed.
'use strict'

const { spawnSync } = require('node:child_process')
const { readdirSync, readFileSync, statSync } = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')

class ScriptError extends Error {}

/** Runs a command and returns its output, which is shown only if the command fails. */
function quietly(command, args, options = {}) {
  const ran = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  if (ran.error) throw new ScriptError(`${command} could not be started: ${ran.error.message}`)
  const output = `${ran.stdout}${ran.stderr}`
  if (ran.status !== 0) {
    const how = ran.signal ? `was ended by ${ran.signal}` : `failed with exit code ${ran.status}`
    throw new ScriptError(
      `${output.trimEnd()}\n\n${[path.basename(command), ...args].join(' ')} ${how}`,
    )
  }
  return output
}

/** Runs a command in view of the user and returns its exit code. */
function visibly(command, args, options = {}) {
  const ran = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (ran.error) throw new ScriptError(`${command} could not be started: ${ran.error.message}`)
  return ran.status ?? 1
}

/** The command of a development dependency, run by the Node that runs the script. */
function tool(name) {
  return path.join(root, 'node_modules', '.bin', name)
}

function isInstalled(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0
}

/** Prints one line: the step's name, then what `work` returns and how long it took. */
function step(name, work) {
  process.stdout.write(`  ${name.padEnd(15)}`)
  const start = process.hrtime.bigint()
  try {
    const outcome = work()
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    console.log(seconds < 0.5 ? outcome : `${outcome} (${seconds.toFixed(1)} s)`)
  } catch (error) {
    console.log('failed')
    throw error
  }
}

/** Folders of installed and built files. */
const notOurs = new Set(['node_modules', 'build'])

/** Every file below these places that `accept` takes, sorted. A place may itself be a file. */
function files(places, accept = () => true) {
  const found = []
  const visit = (place) => {
    if (!statSync(place).isDirectory()) found.push(place)
    else
      for (const name of readdirSync(place)) if (!notOurs.has(name)) visit(path.join(place, name))
  }
  for (const place of places) visit(path.resolve(root, place))
  return found.filter(accept).sort()
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity
}

/** Whether the product is missing or older than a source, or than a source's removal. */
function isStale(product, sources) {
  const built = modified(path.resolve(root, product))
  const folders = sources.map((source) => path.dirname(source)).filter((folder) => folder !== root)
  return [...sources, ...new Set(folders)].some((place) => modified(place) > built)
}

function readJson(file) {
  return JSON.parse(readFileSync(path.resolve(root, file), 'utf8'))
}

/** Runs a script's main function and turns what it throws into a message and exit code 1. */
async function main(run) {
  try {
    process.exitCode = (await run(process.argv.slice(2))) ?? 0
  } catch (error) {
    console.error(error instanceof ScriptError ? error.message : error)
    process.exitCode = 1
  }
}

module.exports = {
  ScriptError,
  files,
  isInstalled,
  isStale,
  main,
  quietly,
  readJson,
  root,
  step,
  tool,
  visibly,
}
