// What `npm test` runs, after scripts/setup.js --test: the type checker over lib/ and test/, then
// every test. With arguments, only those test files or folders:
//
//   npm test -- test/policy test/kernel/lockdown.test.ts
//
// Reads tap's output itself, to print a line for each file, everything about what failed, every
// skipped test by name, and last `N passed, N failed`.
'use strict'

const { spawn } = require('node:child_process')
const { existsSync } = require('node:fs')
const path = require('node:path')
const { createInterface } = require('node:readline')
const { ScriptError, files, main, root, tool, visibly } = require('./common')

function testFiles(places) {
  for (const place of places) {
    if (!existsSync(path.resolve(root, place))) throw new ScriptError(`There is no ${place}.`)
  }
  const found = files(places, (file) => file.endsWith('.test.ts'))
  if (found.length === 0) throw new ScriptError(`There are no tests in ${places.join(', ')}.`)
  return found.map((file) => path.relative(root, file))
}

/** What is worth reading in the output of a file that failed. */
function failuresIn(lines) {
  const noise = [
    /^\s*(ok \d|\d+\.\.\d|# time=|$)/,
    // How tap started the file.
    /^( {2}(---|\.\.\.|(stdio|cwd|externalID|command|args|jobId):)| {4}- |# No coverage)/,
  ]
  const kept = lines.filter((line) => !noise.some((pattern) => pattern.test(line)))
  const depth = (line) => (line === undefined ? 0 : line.search(/\S/))
  // Headings of subtests of which nothing is left; from the end, because they nest.
  for (let i = kept.length - 1; i >= 0; i--) {
    if (/^\s*# Subtest: /.test(kept[i]) && depth(kept[i + 1]) <= depth(kept[i])) kept.splice(i, 1)
  }
  return kept
}

/** Runs tap and resolves to what it counted. */
async function runTap(tests) {
  const tap = spawn(process.execPath, [tool('tap'), '--reporter=tap', '--no-color', ...tests], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const counts = { pass: 0, fail: 0, skip: 0, todo: 0 }
  const skipped = []
  const unreported = new Set(tests)
  // Files that died after assertions that all passed: tap fails them, but counts no failure.
  let died = 0
  let file
  let lines = []
  let failed = false
  const closeFile = () => {
    if (failed) {
      console.log(failuresIn(lines).join('\n'))
      const any = (pattern) => lines.some((line) => pattern.test(line))
      if (any(/^ +ok \d/) && !any(/^ +not ok \d/)) died++
    }
    lines = []
    failed = false
  }

  for await (const line of createInterface({ input: tap.stdout })) {
    const total = /^# \{ (total: .*) \}$/.exec(line)
    const ended = /^(not )?ok \d+ - (.*?) # (?:time=([\d.]+)ms|(.*))$/.exec(line)
    if (line.startsWith('# Subtest: ')) {
      closeFile()
      file = line.slice('# Subtest: '.length)
    } else if (total) {
      closeFile()
      for (const [, name, count] of total[1].matchAll(/(\w+): (\d+)/g)) counts[name] = Number(count)
    } else if (ended) {
      const [, not, name, milliseconds, directive] = ended
      failed = not !== undefined
      unreported.delete(name)
      const seconds =
        milliseconds === undefined ? directive : `${(milliseconds / 1000).toFixed(1)} s`
      console.log(`  ${failed ? 'FAILED' : 'ok    '} ${name} (${seconds})`)
    } else {
      lines.push(line)
    }
    const skip = /^\s*ok \d+ - (.*) # (?:SKIP|TODO) ?(.*)$/.exec(line)
    if (skip) skipped.push(`${file}: ${skip[1]}${skip[2] ? ` (${skip[2]})` : ''}`)
  }
  closeFile()
  const code = await new Promise((resolve) => {
    if (tap.exitCode !== null || tap.signalCode !== null) resolve(tap.exitCode ?? 1)
    else tap.on('close', (exitCode) => resolve(exitCode ?? 1))
  })
  for (const name of unreported) console.log(`  NOT RUN ${name}`)
  return { ...counts, fail: counts.fail + died + unreported.size, skipped, code }
}

async function test(argv) {
  const tests = testFiles(argv.length > 0 ? argv : ['test'])
  let [passed, failed] = [0, 0]
  if (argv.length === 0) {
    console.log('Checking the types of lib/ and test/')
    if (visibly(tool('tsc'), ['-p', 'tsconfig.json', '--noEmit']) === 0) passed++
    else failed++
  }

  console.log(`Running ${tests.length} test files on Node ${process.versions.node}`)
  const tap = await runTap(tests)
  passed += tap.pass
  failed += tap.fail
  // Should tap fail for a reason of its own, or find no assertion in any file.
  if (tap.fail === 0 && (tap.code !== 0 || tap.pass === 0)) {
    console.log(`tap ended with exit code ${tap.code} after ${tap.pass} passed assertions`)
    failed++
  }

  if (tap.skipped.length > 0) console.log(`Skipped:\n  ${tap.skipped.join('\n  ')}`)
  const skips = tap.skip + tap.todo
  console.log(`${passed} passed, ${failed} failed${skips > 0 ? `, ${skips} skipped` : ''}`)
  return failed > 0 ? 1 : 0
}

main(test)
