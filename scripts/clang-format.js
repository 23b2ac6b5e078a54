// Formats the project's C and C++, or with --check tells what is not formatted.
// Other versions of clang-format decide some things differently, so it must be Debian 12's, 14.
'use strict'

const { spawnSync } = require('node:child_process')
const { ScriptError, files, main, visibly } = require('./common')

const wanted = '14'

function findClangFormat() {
  for (const command of [`clang-format-${wanted}`, 'clang-format']) {
    const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' })
    if (stdout?.includes(`version ${wanted}.`)) return command
  }
  throw new ScriptError(
    `clang-format ${wanted} not found. On Debian 12: apt-get install clang-format`,
  )
}

function clangFormat(argv) {
  const command = findClangFormat()
  const sources = files(['native', 'scripts', 'examples', 'bench', 'test'], (file) =>
    /\.(h|c|cc)$/.test(file),
  )
  const mode = argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i']
  return visibly(command, ['--style=file', ...mode, ...sources])
}

main(clangFormat)
