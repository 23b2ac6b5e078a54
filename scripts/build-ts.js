// lib/ → dist/: declarations by tsc, and JavaScript by esbuild: one file with everything (main.js),
// and the entry points, which only refer to it. Removes what was there first, so that a deleted
// source leaves nothing to publish, and emits nothing when there are type errors, so that a failed
// build never looks up to date.
'use strict'

const { mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { files, isStale, main, quietly, root, tool } = require('./common')

function distIsStale() {
  return isStale('dist/index.js', files(['lib', 'tsconfig.json', 'tsconfig.build.json']))
}

function buildTs() {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true })
  quietly(tool('tsc'), ['-p', 'tsconfig.build.json', '--noEmitOnError', '--pretty', 'false'])
  const common = { platform: 'node', format: 'cjs', target: 'node20', outdir: 'dist', bundle: true }
  const { buildSync } = require('esbuild')
  buildSync({
    ...common,
    absWorkingDir: root,
    entryPoints: ['lib/main.ts'],
    // What is loaded only when it is needed: the addon, the tables, what prepare() writes below, and
    // the package by its own name.
    external: ['*.node', './generated/tables', './prepared.js', 'seccomp-ts/register'],
  })
  buildTables()
  buildSync({
    ...common,
    absWorkingDir: root,
    entryPoints: ['lib/index.ts', 'lib/register.ts'],
    external: ['./main'],
  })
  prepare()
}

/**
 * By TypeScript and not by esbuild, whose way of exporting enumerates inherited properties: these are
 * loaded late, when a prototype may have been polluted.
 */
function buildTables() {
  const ts = require('typescript')
  const source = readFileSync(path.join(root, 'lib/syscalls/generated/tables.ts'), 'utf8')
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 }
  mkdirSync(path.join(root, 'dist/generated'))
  writeFileSync(
    path.join(root, 'dist/generated/tables.js'),
    ts.transpileModule(source, { compilerOptions }).outputText,
  )
}

/**
 * Resolves and encodes the ready policies, so that no start has to (lib/compiler/prepared.ts). The
 * process id that 'SELF' stands for is found by encoding twice.
 */
function prepare() {
  const { encodeRules, letsThrough, preparedPolicies, rulesOf } = require('../dist/main')
  const prepared = {}
  for (const policy of preparedPolicies) {
    const { name } = policy
    prepared[name] = {}
    for (const arch of ['x86_64', 'aarch64']) {
      const rules = rulesOf(policy, { arch, pid: 1 })
      const words = encodeRules([rules])
      const others = encodeRules([rulesOf(policy, { arch, pid: 2 })])
      prepared[name][arch] = {
        words: Buffer.from(words.buffer).toString('base64'),
        pid: [...words.keys()].filter((index) => words[index] !== others[index]),
        letsIoUringEnter: letsThrough(rules, 'io_uring_enter'),
      }
    }
  }
  const text = `module.exports = ${JSON.stringify(prepared, null, 2)}\n`
  writeFileSync(path.join(root, 'dist/prepared.js'), `'use strict'\n\n${text}`)
}

module.exports = { buildTs, distIsStale }
if (require.main === module) main(buildTs)
