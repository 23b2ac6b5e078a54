// lib/ → dist/: declarations by tsc, and JavaScript by esbuild: what every start needs in one file
// (index.js), the rest in others (on-demand.js, tooling.js, logs.js, manifests.js), the preload, and the command. Removes what was there first,
// so that a deleted source leaves nothing to publish, and emits nothing when there are type errors,
// so that a failed build never looks up to date.
'use strict'

const { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { files, isStale, main, quietly, root, tool } = require('./common')

function distIsStale() {
  // Finished programs are in it: it is as old as the compiler that made them.
  const sources = ['lib', 'tsconfig.json', 'tsconfig.build.json', 'native/compiler', __filename]
  return isStale('dist/index.js', files(sources))
}

async function buildTs() {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true })
  quietly(tool('tsc'), ['-p', 'tsconfig.build.json', '--noEmitOnError', '--pretty', 'false'])
  // Nobody imports it.
  rmSync(path.join(root, 'dist/cli'), { recursive: true })
  buildTables()
  await bundle('on-demand', [takeFromIndex])
  await bundle('tooling', [takeFromIndex])
  await bundle('logs', [takeFromIndex])
  await bundle('manifests', [takeProfilesFromIndex])
  await bundle('register', [takeFromIndex])
  await bundle('cli', [takeFromIndex], 'cli/main')
  chmodSync(path.join(root, 'dist/cli.js'), 0o755)
  // Twice: it takes a compiler to prepare what the second one contains.
  await bundle('index', [plainExports, preparedPolicies({})])
  await bundle('index', [plainExports, preparedPolicies(prepare())])
  checkReferences(['on-demand', 'tooling', 'logs', 'manifests', 'register', 'cli'])
}

async function bundle(name, plugins, source = name) {
  await require('esbuild').build({
    absWorkingDir: root,
    entryPoints: { [name]: `lib/${source}.ts` },
    outdir: 'dist',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // Loaded only when it is needed: the addon, the tables, what reads profiles with the packages it
    // takes, and the package by its own name.
    external: [
      ...['*.node', './generated/tables', './on-demand', './tooling', './logs', './manifests'],
      ...['jsonc-parser/*', 'yaml', 'seccomp-ts/register', 'seccomp-ts/package.json'],
    ],
    plugins,
  })
}

/**
 * What users hold instances of must be the same in every file: whoever catches a PolicyError has the
 * class from index.js. All that is exported there; the rest has no state and may be there twice.
 */
const SHARED = [
  'index',
  'errors',
  'lockdown/lockdown',
  'lockdown/status',
  'policy/actions',
  'policy/conditions',
  'promises/web-server',
]

const taking = (names) => {
  const taken = names.map((name) => path.join(root, `lib/${name}.ts`))
  return {
    name: 'take from index',
    setup(build) {
      build.onResolve({ filter: /^\./ }, async ({ path: request, pluginData, ...args }) => {
        if (pluginData === 'resolving') return undefined
        const resolved = await build.resolve(request, { ...args, pluginData: 'resolving' })
        return taken.includes(resolved.path) ? { path: './index', external: true } : undefined
      })
    },
  }
}

const takeFromIndex = taking(SHARED)

/** For who has little to do with profiles: what reads and writes them is large, and loaded when it is called. */
const takeProfilesFromIndex = taking([...SHARED, 'profiles/read', 'profiles/write/convert'])

/** `export { … } from` becomes one object: a getter for each name takes a start longer than all of them do. */
const plainExports = {
  name: 'plain exports',
  setup(build) {
    build.onLoad({ filter: /\blib\/index\.ts$/ }, ({ path: file }) => {
      const source = readFileSync(file, 'utf8')
      const values = [...source.matchAll(/^export (\{[^}]*\}) from (.*)$/gm)]
      const names = values.flatMap(([, list]) => list.match(/\w+/g))
      const imports = values.map(([, list, from]) => `import ${list} from ${from}`)
      return {
        contents: [...imports, `export = { ${names.join(', ')} }`].join('\n'),
        loader: 'ts',
      }
    })
  },
}

/** No compiler has checked that index.js exports what the other files take from it. */
function checkReferences(names) {
  const exported = require('../dist/index')
  for (const name of names) {
    const code = readFileSync(path.join(root, `dist/${name}.js`), 'utf8')
    const imports = [...code.matchAll(/\b(import_\w+) = require\("\.\/index"\)/g)]
    const names = imports.map(([, variable]) => variable)
    for (const [, wanted] of code.matchAll(RegExp(`\\b(?:${names.join('|')})\\.(\\w+)`, 'g'))) {
      if (!Object.hasOwn(exported, wanted)) {
        throw new Error(`dist/${name}.js takes ${wanted} from index.js, which does not export it`)
      }
    }
  }
}

/** Puts them in the place of `./prepared.js` (lib/compiler/prepared.ts). */
const preparedPolicies = (prepared) => ({
  name: 'prepared policies',
  setup(build) {
    const place = { path: 'prepared', namespace: 'prepared' }
    build.onResolve({ filter: /\/prepared\.js$/ }, () => place)
    build.onLoad({ filter: /./, namespace: 'prepared' }, () => ({
      contents: JSON.stringify(prepared),
      loader: 'json',
    }))
  },
})

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
 * Compiles and proves the ready policies, so that no start has to (lib/compiler/prepared.ts). The
 * process id that 'SELF' stands for is found by compiling for several.
 */
function prepare() {
  if (process.platform !== 'linux') return {}
  const { compileUnprepared, preparedPolicies } = require('../dist/on-demand')
  const prepared = {}
  for (const policy of preparedPolicies) {
    const { name } = policy
    prepared[name] = {}
    for (const arch of ['x86_64', 'aarch64']) {
      const [one, two] = [1, 2].map((pid) => compileUnprepared(policy, { arch, pid }, true))
      const constants = [one, two].map(({ program }) => constantsOf(program.bytes))
      prepared[name][arch] = {
        program: Buffer.from(one.program.bytes).toString('base64'),
        pid: [...constants[0].keys()].filter(
          (index) => constants[0][index] !== constants[1][index],
        ),
        letsIoUringEnter: one.letsIoUringEnter,
      }
    }
  }
  return prepared
}

/** `k` of every instruction: the last four of the eight bytes of struct sock_filter. */
const constantsOf = (bytes) =>
  Array.from({ length: bytes.length / 8 }, (_, index) =>
    Buffer.from(bytes).readUInt32LE(8 * index + 4),
  )

module.exports = { buildTs, distIsStale, prepare }
if (require.main === module) main(buildTs)
