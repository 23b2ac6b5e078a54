// Ten thousand damaged policies against the addon built with AddressSanitizer and UBSan (cmake-js,
// CONTRIBUTING.md). A sanitizer's report, a crash, or an error that is not a PolicyError fails.
//
//   node scripts/asan-policies.js [ADDON]      default: build-asan/Release/seccomp-ts.node
'use strict'

const { execFileSync, spawnSync } = require('node:child_process')
const path = require('node:path')

const root = path.join(__dirname, '..')
const COUNT = 10_000

function child(addon) {
  const { dlopen } = process
  const sanitized = { exports: {} }
  dlopen(sanitized, addon)
  // lib/native.ts asks for the prebuild; it gets the sanitized one.
  process.dlopen = (module) => dlopen(module, addon)
  const { PolicyError, compile, webServer } = require('../dist')
  const { encodeRules, rulesOf } = require('../dist/on-demand')
  const { damagedPolicies } = require('../test/damage/damage')
  let compiled = 0
  let refused = 0
  for (const policy of damagedPolicies(webServer, 3, COUNT)) {
    try {
      compile(policy)
      compiled++
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      refused++
    }
  }
  // The decoder, too, on words that no encoder would write.
  const good = encodeRules([rulesOf(webServer, { arch: 'x86_64', pid: 1 })])
  let seed = 1
  const random = (n) => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % n
  for (let i = 0; i < COUNT; i++) {
    const words = Uint32Array.from(good).subarray(
      0,
      random(2) === 0 ? random(good.length) : good.length,
    )
    for (let j = 0; j <= random(4) && words.length > 0; j++)
      words[random(words.length)] = random(2 ** 32)
    sanitized.exports.compile(words)
  }
  console.log(
    `${COUNT} damaged policies: ${compiled} compiled, ${refused} refused; ${COUNT} damaged rule sets`,
  )
}

function main() {
  const addon = path.resolve(
    process.argv[2] ?? path.join(root, 'build-asan/Release/seccomp-ts.node'),
  )
  if (process.env.SECCOMP_TS_ASAN_CHILD === '1') return child(addon)
  const compiler = process.env.CXX ?? 'g++'
  const library = execFileSync(compiler, ['-print-file-name=libasan.so'], {
    encoding: 'utf8',
  }).trim()
  const { status, signal } = spawnSync(process.execPath, [__filename, addon], {
    stdio: 'inherit',
    env: {
      ...process.env,
      SECCOMP_TS_ASAN_CHILD: '1',
      LD_PRELOAD: library,
      // Node itself leaks at exit by design.
      ASAN_OPTIONS: 'detect_leaks=0:halt_on_error=1',
      UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1',
    },
  })
  if (signal !== null) console.error(`died of ${signal}`)
  process.exitCode = status ?? 1
}

main()
