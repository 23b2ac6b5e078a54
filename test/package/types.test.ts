/** The published types, from a program that uses them, and two tools that look for known mistakes. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installPacked, node, pack, root, tool } from './packed'

const packed = pack()

t.test('a program in TypeScript', (t) => {
  const project = installPacked(packed)
  const write = (name: string, text: string): string => {
    writeFileSync(join(project, name), text)
    return name
  }
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
