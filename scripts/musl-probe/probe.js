// Builds host.c with musl-gcc and loads the addon with it: node scripts/musl-probe/probe.js
'use strict'

const { mkdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { cNames, undefinedSymbols } = require('../check-binary')
const { main, quietly, root } = require('../common')

main(() => {
  const addon = path.join(root, 'prebuilds', `linux-${process.arch}`, 'seccomp-ts.node')
  const build = path.join(root, 'build-musl')
  mkdirSync(build, { recursive: true })
  const ofNode = undefinedSymbols(addon).filter((name) => /^(napi|uv)_/.test(name))
  writeFileSync(
    path.join(build, 'stubs.h'),
    [
      'static int stub_calls;',
      ...ofNode.map((name) => `int ${name}(void) { return stub_calls++, 0; }`),
      `static const char* const kNames[] = {${[...cNames].map((name) => `"${name}"`).join(', ')}};`,
      '',
    ].join('\n'),
  )
  const host = path.join(build, 'host')
  const source = path.join(__dirname, 'host.c')
  quietly('musl-gcc', ['-Wall', '-Wextra', '-Werror', '-rdynamic', '-I', build, '-o', host, source])
  process.stdout.write(quietly(host, [addon]))
})
