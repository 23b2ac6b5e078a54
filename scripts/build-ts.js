// lib/ → dist/. Removes what was there first, so that a deleted source leaves nothing to publish,
// and emits nothing when there are type errors, so that a failed build never looks up to date.
'use strict'

const { rmSync } = require('node:fs')
const path = require('node:path')
const { files, isStale, main, quietly, root, tool } = require('./common')

function distIsStale() {
  return isStale('dist/index.js', files(['lib', 'tsconfig.json', 'tsconfig.build.json']))
}

function buildTs() {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true })
  quietly(tool('tsc'), ['-p', 'tsconfig.build.json', '--noEmitOnError', '--pretty', 'false'])
}

module.exports = { buildTs, distIsStale }
if (require.main === module) main(buildTs)
