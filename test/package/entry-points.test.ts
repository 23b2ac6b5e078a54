/** The installed package from both module systems, on every Node we support. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nodes } from '../nodes'
import { installPacked, pack, run } from './packed'

const project = installPacked(pack())

function write(name: string, text: string): string {
  writeFileSync(join(project, name), text)
  return name
}

t.test('the command is installed, and runs', (t) => {
  const command = join(project, 'node_modules/.bin/seccomp-ts')
  const version = run(command, ['--version'], project)
  t.equal(version.code, 0, version.output)
  t.match(version.stdout, /^\d+\.\d+\.\d+\n$/)
  const proved = run(command, ['prove', 'webServer'], project)
  t.equal(proved.code, 0, proved.output)
  t.end()
})

const current = { major: process.versions.node.split('.')[0] ?? '', execPath: process.execPath }
const every = [current, ...nodes().filter(({ major }) => major !== current.major)]

for (const { major, execPath } of every) {
  t.test(`Node ${major}`, (t) => {
    const both = write(
      'both.mjs',
      `import { createRequire } from 'node:module'
       import * as esm from 'seccomp-ts'
       const cjs = createRequire(import.meta.url)('seccomp-ts')
       const names = Object.keys(cjs).filter((name) => name !== '__esModule')
       console.log(JSON.stringify({
         names: names.length,
         different: names.filter((name) => cjs[name] !== esm[name]),
       }))`,
    )
    const { code, stdout, output } = run(execPath, [both], project)
    t.equal(code, 0, output)
    const { names, different } = JSON.parse(stdout) as { names: number; different: string[] }
    t.ok(names > 10, `exports ${names} names`)
    t.strictSame(different, [], 'import and require give the same instance of each')

    const addon = run(
      execPath,
      [
        '-p',
        `Object.keys(require('./node_modules/seccomp-ts/prebuilds/linux-${process.arch}/seccomp-ts.node')).length > 0`,
      ],
      project,
    )
    t.equal(addon.stdout, 'true\n', `loads the addon ${addon.output}`)
    t.end()
  })
}

t.test(
  'packages are loaded by whoever reads profiles, each for what it reads, and nothing else',
  (t) => {
    const script = write(
      'late.cjs',
      `const { compile, definePolicy, isSupported, lint, lockdown, prove, readProfile } = require('seccomp-ts')
     const loaded = () => {
       const files = Object.keys(require.cache).join()
       return ['dist/tooling.js', 'dist/logs.js', 'jsonc-parser', 'yaml'].filter((part) => files.includes(part))
     }
     const before = [loaded()]
     const policy = definePolicy({ default: { action: 'log' }, syscalls: { ptrace: { action: 'kill' } } })
     prove(policy, compile(policy))
     if (isSupported()) lockdown(policy)
     before.push(loaded())
     lint(policy)
     before.push(loaded())
     readProfile('{"defaultAction": "SCMP_ACT_ALLOW"}')
     before.push(loaded())
     readProfile('defaultAction: SCMP_ACT_ALLOW')
     before.push(loaded())
     console.log(JSON.stringify(before))`,
    )
    const { code, stdout, output } = run(process.execPath, [script], project)
    t.equal(code, 0, output)
    t.strictSame(JSON.parse(stdout), [
      [],
      [],
      ['dist/tooling.js'],
      ['dist/tooling.js', 'jsonc-parser'],
      ['dist/tooling.js', 'jsonc-parser', 'yaml'],
    ])
    t.end()
  },
)
