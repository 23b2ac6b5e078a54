/** What a user downloads, and what installing it does: run nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { pack, root } from './packed'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
  string,
  unknown
> & { scripts: Record<string, string> }

t.test('the tarball', (t) => {
  const { files, size, unpackedSize } = pack()

  const needed = [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'package.json',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/register.js',
    'dist/register.d.ts',
    'dist/cli.js',
    `prebuilds/linux-${process.arch}/seccomp-ts.node`,
  ]
  for (const file of needed) t.ok(files.includes(file), `has ${file}`)

  const expected = [
    /^(CHANGELOG\.md|LICENSE|README\.md|package\.json)$/,
    /^dist\/[\w/-]+(\.js|\.d\.ts)$/,
    /^docs\/[\w-]+\.md$/,
    /^prebuilds\/linux-(x64|arm64)\/seccomp-ts\.node$/,
  ]
  const stray = files.filter((file) => !expected.some((pattern) => pattern.test(file)))
  t.strictSame(stray, [], 'has nothing else')

  for (const entry of ['index', 'register']) {
    t.ok(files.includes(`dist/${entry}.js`), `has ${entry}`)
    t.ok(files.includes(`dist/${entry}.d.ts`), `has types for ${entry}`)
  }

  t.notOk(
    files.some((file) => file.startsWith('dist/cli/')),
    'no declarations for the command: nobody imports it',
  )

  t.ok(size < 600_000, `is ${size} bytes`)
  t.ok(unpackedSize < 2_000_000, `is ${unpackedSize} bytes unpacked`)
  t.end()
})

t.test('the manifest', (t) => {
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
    t.notOk(name in manifest.scripts, `has no ${name} script`)
  }
  // Without this, npm would run node-gyp where it finds a binding.gyp.
  t.equal(manifest['gypfile'], false)
  // A project that develops on another system must be able to install it there.
  t.notOk('os' in manifest)
  t.notOk('cpu' in manifest)
  // docs/dependencies.md says what for. Nothing that a lockdown loads: entry-points.test.ts.
  t.strictSame(Object.keys(manifest['dependencies'] as object), ['jsonc-parser', 'yaml'])
  for (const kind of ['optionalDependencies', 'peerDependencies', 'bundleDependencies']) {
    t.notOk(kind in manifest, `has no ${kind}`)
  }
  t.end()
})

t.test('the locks name packages and their hashes, not where they were downloaded', (t) => {
  for (const folder of ['.', 'test/nodes', 'examples/demo']) {
    const lock = readFileSync(join(root, folder, 'package-lock.json'), 'utf8')
    t.notMatch(lock, /https?:\/\/[^"]*\.tgz/, folder)
    const { packages } = JSON.parse(lock) as {
      packages: Record<string, { integrity?: string; link?: boolean }>
    }
    const loose = Object.entries(packages).filter(
      ([path, entry]) => path.startsWith('node_modules/') && !entry.integrity && !entry.link,
    )
    t.strictSame(loose, [], `${folder}: every package has a hash`)
  }
  t.end()
})
