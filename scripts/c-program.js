// C programs of one file, built when they are needed: those of the bench and of test/differential.
'use strict'

const { mkdirSync } = require('node:fs')
const path = require('node:path')
const { ScriptError, isStale, quietly } = require('./common')

/** What they share. */
const CLOCK = path.join(__dirname, '../test/differential/clock.h')

/**
 * @param file path of the source
 * @param missing what to install where it does not build
 * @returns the path of the program: in `build`, beside the source
 */
function cProgram(file, { libraries = [], missing = '' } = {}) {
  const output = path.join(path.dirname(file), 'build', path.basename(file, '.c'))
  if (isStale(output, [file, CLOCK])) {
    mkdirSync(path.dirname(output), { recursive: true })
    const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra']
    try {
      quietly(process.env.CC ?? 'cc', [...flags, '-o', output, file, ...libraries])
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error
      throw new ScriptError(`${error.message}\n${path.basename(file)} cannot be built. ${missing}`)
    }
  }
  return output
}

module.exports = { cProgram }
