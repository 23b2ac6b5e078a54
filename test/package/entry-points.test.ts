/** The installed package from both module systems, from TypeScript, and on every Node we support. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nodes } from '../nodes'
import { installPacked, node, pack, root, run, tool } from './packed'

const packed = pack()
const project = installPacked(packed)

function write(name: string, text: string): string {
  writeFileSync(join(project, name), text)
  return name
}

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

t.test('types', (t) => {
  const program = `
    import { definePolicy, errno, lockdown } from 'seccomp-ts'
    export const policy = definePolicy({ default: errno('EPERM') })
    export const lock: typeof lockdown = lockdown
    // @ts-expect-error no such errno
    errno('ENOTHING')
  `
  const sources = [write('consumer.cts', program), write('consumer.mts', program)]
  // No skipLibCheck: the declarations themselves must be sound.
  const options = [
    ...['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'],
    ...['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'],
  ]
  for (const [module, resolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ] as const) {
    const { code, output } = node(
      [tool('tsc'), ...options, '--module', module, '--moduleResolution', resolution, ...sources],
      project,
    )
    t.equal(code, 0, `moduleResolution ${resolution} ${output}`)
  }
  t.end()
})

t.test('attw', (t) => {
  const { code, output } = node([tool('attw'), packed.path, '--profile', 'node16', '--no-emoji'])
  t.equal(code, 0, output)
  t.end()
})

t.test('publint', (t) => {
  const { code, output } = node([tool('publint'), 'run', packed.path, '--strict'])
  t.equal(code, 0, output)
  t.match(output, /All good!/)
  t.end()
})
