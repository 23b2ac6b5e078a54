// Brings a checkout to where it can run: packages, addon, dist. Does only what is missing or out of
// date, so it can stand before every `npm test` and `npm run demo`.
//
//   node scripts/setup.js [--test] [--demo]
//
// --test adds the other Node versions the tests run on (test/nodes), --demo what the demo needs.
// Nothing here runs a dependency's install script.
'use strict'

const { existsSync } = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { ScriptError, main, quietly, readJson, root, step } = require('./common')

const oldestNode = 20

/**
 * Whether node_modules is what the lock asks for. npm keeps its own record of what it installed;
 * comparing that says more than times do.
 */
function isInstalledAsLocked(folder) {
  const record = path.join(root, folder, 'node_modules/.package-lock.json')
  if (!existsSync(record)) return false
  const installed = readJson(record).packages
  const wanted = readJson(path.join(folder, 'package-lock.json')).packages
  return Object.entries(wanted).every(([where, entry]) => {
    if (where === '' || !isForThisMachine(entry)) return true
    return where in installed && installed[where].integrity === entry.integrity
  })
}

/** Packages for other machines are in the lock too, as optional ones. */
function isForThisMachine({ os, cpu }) {
  const names = (list, here) => list === undefined || [list].flat().includes(here)
  return names(os, process.platform) && names(cpu, process.arch)
}

function installPackages(folder) {
  if (isInstalledAsLocked(folder)) return 'up to date'
  quietly('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: path.join(root, folder),
  })
  return 'installed'
}

function installNodes() {
  const outcome = installPackages('test/nodes')
  const { nodes } = require('../test/nodes')
  const versions = nodes().map(({ version }) => version)
  return `${versions.join(', ')}: ${outcome}`
}

function build(isStale, make) {
  if (!isStale()) return 'up to date'
  make()
  return 'built'
}

function setup(argv) {
  const { values } = parseArgs({
    args: argv,
    options: { test: { type: 'boolean' }, demo: { type: 'boolean' } },
  })
  if (Number(process.versions.node.split('.')[0]) < oldestNode) {
    throw new ScriptError(
      `seccomp-ts needs Node ${oldestNode} or newer; this is ${process.version}.`,
    )
  }

  console.log('Setting up seccomp-ts')
  step('packages', () => installPackages('.'))
  // Required only now, because it uses packages.
  const native = require('./build-native')
  const { buildTs, distIsStale } = require('./build-ts')
  const hasAddon = process.platform === 'linux' && native.architectures.includes(process.arch)
  const addonStep = (name, isStale, make) =>
    step(name, () =>
      hasAddon ? build(isStale, make) : `none for ${process.platform}-${process.arch}`,
    )
  addonStep('addon', native.addonIsStale, native.buildNative)
  step('dist', () => build(distIsStale, buildTs))
  if (values.test || values.demo) {
    addonStep('attacker', native.attackerIsStale, native.buildAttacker)
  }
  if (values.test) step('test Nodes', installNodes)
  if (values.demo) step('demo packages', () => installPackages('examples/demo'))
}

module.exports = { isInstalledAsLocked }
if (require.main === module) main(setup)
