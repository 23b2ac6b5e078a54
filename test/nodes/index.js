// The Node versions installed here by `node scripts/setup.js --test`.
'use strict'

const { existsSync } = require('node:fs')
const path = require('node:path')

exports.nodes = function nodes() {
  const { optionalDependencies } = require('./package.json')
  const aliases = Object.keys(optionalDependencies)
    .filter((alias) => alias.endsWith(`-${process.arch}`))
    .sort()
  return aliases.map((alias) => {
    const folder = path.join(__dirname, 'node_modules', alias)
    const execPath = path.join(folder, 'bin/node')
    if (!existsSync(execPath)) {
      throw new Error(`${alias} is not installed: node scripts/setup.js --test`)
    }
    const { version } = require(path.join(folder, 'package.json'))
    return { major: version.split('.')[0], version, execPath }
  })
}
