// What importing the package and locking down add to the start of Node, as wall and processor time
// of whole processes. On the Node that runs this and on those of test/nodes.
'use strict'

const { existsSync } = require('node:fs')
const path = require('node:path')
const { median, milliseconds, program, root, run, table, takeTurns } = require('./measure')

const lockdown = (policy, options = '') =>
  `const { lockdown, webServer } = require('seccomp-ts'); lockdown(${policy}${options})`

/** Read, compiled and proved at every start; `webServer` itself was when the package was built. */
const CHANGED = "{ ...webServer, name: 'changed' }"

const REGISTER = { SECCOMP_TS_POLICY: 'webServer' }

/** [name, arguments, environment]; `node -e 0` comes first: the others are compared with it. */
const starts = [
  ['node -e 0', ['-e', '0']],
  ["require('seccomp-ts')", ['-e', "require('seccomp-ts')"]],
  ['require, lockdown(webServer)', ['-e', lockdown('webServer')]],
  ['require, lockdown(changed)', ['-e', lockdown(CHANGED)]],
  ['the same, prove: false', ['-e', lockdown(CHANGED, ', { prove: false }')]],
  ['-r seccomp-ts/register', ['-r', 'seccomp-ts/register', '-e', '0'], REGISTER],
  // What --import alone costs: Node starts its loader of modules for it.
  ['(--import of nothing)', ['--import', 'data:text/javascript,', '-e', '0']],
  ['--import seccomp-ts/register', ['--import', 'seccomp-ts/register', '-e', '0'], REGISTER],
]

/** Node 22 and later have io_urings, so there is a second way to be rid of them. */
const reexec = ["ioUring: 'reexec'", ['-e', lockdown('webServer', ", { ioUring: 'reexec' }")]]

const EXPECTED = new Map([
  ["require('seccomp-ts')", '<= 1.15'],
  ['require, lockdown(webServer)', '<= 1.15'],
])

function installedNodes() {
  const current = { version: process.versions.node, execPath: process.execPath }
  const aliases = require('../test/nodes/package.json').optionalDependencies
  const others = Object.keys(aliases).flatMap((alias) => {
    const folder = path.join(root, 'test/nodes/node_modules', alias)
    const execPath = path.join(folder, 'bin/node')
    if (!existsSync(execPath)) return []
    return [{ version: require(path.join(folder, 'package.json')).version, execPath }]
  })
  const rest = others.filter(({ version }) => version !== current.version)
  return [current, ...rest.sort((a, b) => Number.parseInt(a.version) - Number.parseInt(b.version))]
}

async function measureNode({ version, execPath }, rounds) {
  const hasRings = Number.parseInt(version) >= 22
  const contestants = [...starts, ...(hasRings ? [reexec] : [])]
  const timed = program('c/timed.c')
  const start = ([, args, environment]) => {
    const [wall, cpu] = run(timed, [execPath, ...args], environment)
      .split(' ')
      .map(Number)
    return { wall, cpu }
  }
  // So that every file is in the page cache.
  for (const each of contestants) start(each)
  const names = contestants.map(([name]) => name)
  const samples = await takeTurns(rounds, names, (name) =>
    start(contestants.find(([each]) => each === name)),
  )
  const of = (name, what) => median(samples[name].map((each) => each[what]))
  const [bare] = names
  return {
    node: version,
    starts: names.map((name) => ({
      name,
      nanoseconds: { wall: of(name, 'wall'), cpu: of(name, 'cpu') },
      ratio: {
        wall: of(name, 'wall') / of(bare, 'wall'),
        // Of the same round: less moved by what else runs on the machine.
        pairs: median(samples[name].map((each, i) => each.wall / samples[bare][i].wall)),
        cpu: of(name, 'cpu') / of(bare, 'cpu'),
      },
    })),
  }
}

async function measureStart({ rounds = 30 }) {
  const nodes = []
  for (const node of installedNodes()) nodes.push(await measureNode(node, rounds))
  return { rounds, nodes }
}

function printStart({ rounds, nodes }) {
  const blocks = nodes.map(({ node, starts }) =>
    [
      `Node ${node}, medians of ${rounds} rounds:`,
      table([
        ['', 'clock ms', 'ratio', 'of pairs', 'processor ms', 'ratio', 'expected'],
        ...starts.map(({ name, nanoseconds, ratio }) => [
          name,
          milliseconds(nanoseconds.wall),
          ratio.wall.toFixed(2),
          ratio.pairs.toFixed(2),
          milliseconds(nanoseconds.cpu),
          ratio.cpu.toFixed(2),
          EXPECTED.get(name) ?? '',
        ]),
      ]),
    ].join('\n'),
  )
  return blocks.join('\n\n')
}

module.exports = { measure: measureStart, print: printStart }
