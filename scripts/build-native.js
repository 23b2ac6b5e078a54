// native/ → prebuilds/linux-<arch>/seccomp-ts.node, the one file lib/native.ts loads.
//
//   node scripts/build-native.js [--arch x64|arm64]
//
// One file per architecture serves every Node >= 20 and both C libraries: see binding.gyp, and
// scripts/check-binary.js, which runs here so that a build that breaks that fails at once.
// CXXFLAGS is honoured (CI adds -Werror).
'use strict'

const { existsSync } = require('node:fs')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { checkBinary } = require('./check-binary')
const { ScriptError, files, isInstalled, isStale, main, quietly, root, tool } = require('./common')

const architectures = ['x64', 'arm64']

/** Debian's names for the tools that build for the other architecture. */
const crossPrefix = { x64: 'x86_64-linux-gnu-', arm64: 'aarch64-linux-gnu-' }

function prebuilt(arch) {
  return `prebuilds/linux-${arch}/seccomp-ts.node`
}

function addonIsStale(arch = process.arch) {
  const sources = files(['native'], (file) => /\.(cc|h)$/.test(file) && !isTestCode(file))
  return isStale(prebuilt(arch), [
    ...sources,
    path.join(root, 'binding.gyp'),
    path.join(root, 'node_modules/node-addon-api/napi.h'),
  ])
}

function isTestCode(file) {
  return ['native/test', 'native/fuzz'].some((folder) =>
    file.startsWith(path.join(root, folder, '/')),
  )
}

/** The folder that holds include/node, so that node-gyp need not download headers. */
function nodeHeaders() {
  const beside = path.resolve(process.execPath, '../..')
  if (existsSync(path.join(beside, 'include/node/node_api.h'))) return beside
  return process.env.npm_config_nodedir ?? process.env.NODEDIR
}

function toolchain(arch) {
  const prefix = arch === process.arch ? '' : crossPrefix[arch]
  const commands = {
    CC: (prefix === '' && process.env.CC) || `${prefix}gcc`,
    CXX: (prefix === '' && process.env.CXX) || `${prefix}g++`,
    strip: `${prefix}strip`,
  }
  const needed = [...Object.values(commands), 'make', process.env.PYTHON || 'python3']
  const absent = needed.filter((command) => !isInstalled(command))
  if (absent.length > 0) {
    const packages = prefix === '' ? 'g++ make python3' : 'g++-aarch64-linux-gnu make python3'
    throw new ScriptError(
      `The addon cannot be built: ${absent.join(', ')} not found.\n` +
        `On Debian and Ubuntu: apt-get install ${packages}`,
    )
  }
  return commands
}

function gypEnvironment({ CC, CXX }) {
  const env = { ...process.env, CC, CXX, JOBS: 'max', npm_config_loglevel: 'error' }
  const headers = nodeHeaders()
  if (headers !== undefined) env.npm_config_nodedir = headers
  return env
}

function printWarnings(output) {
  const warnings = output.split('\n').filter((line) => /\bwarning: /.test(line))
  if (warnings.length > 0) console.error(`\n${warnings.join('\n')}`)
}

function buildNative(arch = process.arch) {
  if (!architectures.includes(arch)) {
    throw new ScriptError(`There is no addon for ${arch}: choose ${architectures.join(' or ')}.`)
  }
  if (process.platform !== 'linux') throw new ScriptError('The addon is built on Linux only.')
  const { strip, ...compilers } = toolchain(arch)
  const output = quietly(
    tool('prebuildify'),
    [
      ...['--napi', '--name', 'seccomp-ts', '--platform', 'linux', '--arch', arch],
      ...['--target', process.versions.node, '--strip', '--strip-bin', strip],
    ],
    { env: gypEnvironment(compilers) },
  )
  printWarnings(output)

  const offences = checkBinary(path.join(root, prebuilt(arch)), arch)
  if (offences.length > 0) throw new ScriptError(`${prebuilt(arch)}:\n  ${offences.join('\n  ')}`)
  return prebuilt(arch)
}

/** The demo's and the tests' adversary: an addon of its own, for this machine and never shipped. */
const attackerFolder = 'examples/demo/attacker'

function attackerIsStale() {
  const sources = files([attackerFolder], (file) => /\.(cc|h|gyp)$/.test(file))
  return isStale(`${attackerFolder}/build/Release/attacker.node`, sources)
}

function buildAttacker() {
  const env = gypEnvironment(toolchain(process.arch))
  printWarnings(quietly(tool('node-gyp'), ['rebuild', '--directory', attackerFolder], { env }))
}

module.exports = {
  addonIsStale,
  architectures,
  attackerIsStale,
  buildAttacker,
  buildNative,
}
if (require.main === module) {
  main((argv) => {
    const { values } = parseArgs({ args: argv, options: { arch: { type: 'string' } } })
    console.log(buildNative(values.arch))
  })
}
