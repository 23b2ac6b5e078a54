// Lets a script of plain Node require the TypeScript of lib/ and test/: types are stripped and not
// checked.
'use strict'

const { readFileSync } = require('node:fs')

require.extensions['.ts'] = (module, file) => {
  const options = { loader: 'ts', format: 'cjs', target: 'node20', sourcefile: file }
  const { code } = require('esbuild').transformSync(readFileSync(file, 'utf8'), options)
  module._compile(code, file)
}
