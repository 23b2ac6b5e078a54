/** Every snippet of the README runs, and does what its comments say. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { definePolicy, type Policy } from '../lib/policy'
import { parseOptions } from '../lib/lockdown/options'
import { CLI, workplace } from './helpers/cli'
import { nodes, root, runVictim, sandboxDirectory, writeFile, type Outcome } from './helpers/victim'

interface Snippet {
  readonly language: string
  readonly text: string
}

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const snippets: readonly Snippet[] = [...readme.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(
  ([, language, text]) => ({ language: language as string, text: text as string }),
)

/** A snippet is found by a line of its own, so that the README can be rearranged. */
const find = (language: string, containing: string): string => {
  const found = snippets.filter(
    (each) => each.language === language && each.text.includes(containing),
  )
  if (found.length !== 1) throw new Error(`${found.length} ${language} snippets with ${containing}`)
  tried.add(found[0] as Snippet)
  return (found[0] as Snippet).text
}
const tried = new Set<Snippet>()

const toModule = (typescript: string): string =>
  ts.transpileModule(typescript, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  }).outputText

const runModule = (source: string): Promise<Outcome> => runVictim({ source, extension: 'mjs' })

t.test('the first thirty seconds', async (t) => {
  const outcome = await runModule(toModule(find('ts', 'createServer')))
  t.equal(outcome.code, 0, outcome.stderr)
  t.equal(outcome.stdout, 'true []\nEPERM\n')
})

t.test('a policy of one’s own', async (t) => {
  const source = find('ts', "name: 'uploads'")
  for (const node of nodes().values()) {
    const outcome = await runVictim({
      node,
      extension: 'mjs',
      source: `${toModule(source)}
        import dns from 'node:dns'
        import fs from 'node:fs'
        import { createRequire } from 'node:module'
        import { status } from 'seccomp-ts'
        const attacker = createRequire(import.meta.url)('./attacker.node')
        const directory = '/tmp/seccomp-ts-readme-' + process.pid
        fs.mkdirSync(directory)
        await fs.promises.writeFile(directory + '/a', 'x')
        fs.copyFileSync(directory + '/a', directory + '/b')
        fs.renameSync(directory + '/b', directory + '/c')
        const files = fs.readdirSync(directory)
        fs.rmSync(directory, { recursive: true })
        const { address } = await dns.promises.lookup('localhost')
        const SOCKET = process.arch === 'x64' ? 41 : 198
        const socket = (...args) => attacker.syscall(SOCKET, ...args) >= 0
        console.log(JSON.stringify({ files, left: fs.existsSync(directory), name: address.length > 0,
          policies: status().policies, tcp: socket(2, 1, 6), unix: socket(1, 1, 0), udp: socket(2, 2, 0),
          raw: socket(2, 3, 6), oldRaw: socket(2, 10, 0), packet: socket(17, 3, 0) }))`,
    })
    t.same(outcome.json(), {
      ...{ files: ['a', 'c'], left: false, name: true, policies: ['uploads'] },
      ...{ tcp: true, unix: true, udp: true, raw: false, oldRaw: false, packet: false },
    })
  }
})

t.test('checking policies', async (t) => {
  const source = find('ts', 'comparePolicies')
  const outcome = await runModule(toModule(source))
  const answers = [...source.matchAll(/(?:console\.log\(.*\) |^)\/\/ (.*)$/gm)].map(
    ([, text]) => text,
  )
  t.equal(answers.length, 4)
  t.equal(outcome.stdout, `${answers.join('\n')}\n`, outcome.stderr)
})

t.test('a mistake', async (t) => {
  const outcome = await runModule(find('js', 'opnat'))
  t.equal(outcome.stdout.trim(), 'ERR_UNKNOWN_SYSCALL $.syscalls.opnat openat', outcome.stderr)
})

t.test('a policy file', async (t) => {
  const policy = JSON.parse(find('json', '"setpriority"')) as Policy
  t.same(JSON.parse(JSON.stringify(definePolicy(policy))), policy)
  const outcome = await runVictim({
    source: `
      const { lockdown } = require('seccomp-ts')
      lockdown(${JSON.stringify(policy)})
      const error = (run) => { try { run(); return 'ran' } catch (error) { return error.code } }
      console.log(JSON.stringify([
        error(() => require('node:os').setPriority(0, 1)),
        require('./attacker.node').syscall(process.arch === 'x64' ? 141 : 140, 2, 0, 0),
        error(() => require('node:child_process').execFileSync('/bin/true')),
      ]))`,
  })
  t.same(outcome.json(), ['ran', -1, 'EACCES'])
})

t.test('before the first line', async (t) => {
  const command = find('sh', 'register app.js').trim()
  writeFile(
    'app.js',
    "try { require('child_process').execSync('id') } catch (e) { console.log(e.code) }",
  )
  const run = (line: string, cwd: string): string =>
    execFileSync(
      '/usr/bin/env',
      ['-i', `PATH=${join(process.execPath, '..')}:/usr/bin:/bin`, 'sh', '-c', line],
      {
        cwd,
        encoding: 'utf8',
      },
    )
  t.equal(run(command, sandboxDirectory()).trim(), 'EPERM')

  const manifest = find('json', '"seccomp-ts": {')
  const { policy, ...options } = (JSON.parse(manifest) as { 'seccomp-ts': { policy: string } })[
    'seccomp-ts'
  ]
  t.equal(parseOptions(options).log, true)
  writeFile('readme-app/package.json', manifest)
  writeFile(join('readme-app', policy), find('json', '"setpriority"'))
  writeFile(
    'readme-app/app.js',
    "try { require('child_process').execFileSync('/bin/true') } catch (e) { console.log(e.code) }",
  )
  const preloaded = command.replace('SECCOMP_TS_POLICY=webServer ', '')
  t.equal(run(preloaded, join(sandboxDirectory(), 'readme-app')).trim(), 'EACCES')
})

t.test('child processes', async (t) => {
  writeFile(
    'plugin.mjs',
    `
    import { connect } from 'node:net'
    process.once('message', (message) => {
      try { connect(80, '127.0.0.1').on('error', (error) => process.send(message + ' ' + error.code)) }
      catch (error) { process.send(message + ' ' + error.code) }
    })`,
  )
  const outcome = await runModule(find('js', "fork('./plugin.mjs'"))
  t.equal(outcome.stdout.trim(), 'hello EACCES', outcome.stderr)
})

t.test('errors', async (t) => {
  const denied = `
    import { lockdown as first, allow, errno } from 'seccomp-ts'
    first({ default: allow, syscalls: { seccomp: errno('EPERM') } })\n`
  const outcome = await runModule(toModule(denied + find('ts', 'ERR_SECCOMP_DENIED')))
  t.equal(outcome.code, 1)
  t.match(outcome.stderr, 'The container does not allow seccomp(2).')
})

t.test('on the command line', async (t) => {
  const { write, folder } = workplace()
  const allowing = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] }
  write('profile.json', JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [] }))
  write('mine.json', JSON.stringify(allowing))
  write('any-program', '#!/bin/sh\necho it ran\n')
  chmodSync(join(folder, 'any-program'), 0o755)
  write('container.log', 'Bad system call (core dumped)\n')
  const answers: Readonly<Record<string, readonly [code: number, said: RegExp]>> = {
    explain: [0, /^ptrace\(.*errno\(EPERM\)/],
    diff: [1, /mine\.json lets through what docker-default refuses/],
    run: [0, /^it ran$/m],
    logs: [0, /"default"/],
    diagnose: [1, /SIGSYS/],
  }
  const lines = find('sh', 'npx seccomp-ts explain').trim().split('\n')
  t.equal(lines.length, Object.keys(answers).length)
  for (const line of lines) {
    const [, words = ''] = /^npx seccomp-ts (.*?)( *#.*)?$/.exec(line) ?? []
    const child = spawn(process.execPath, [CLI, ...words.split(' ')], {
      cwd: folder,
      env: { PATH: process.env['PATH'] },
    })
    let said = ''
    const hear = (data: Buffer): void => {
      said += data.toString()
      // --live goes on until it is interrupted, and is to have something to write.
      if (!said.includes('listening') || child.killed) return
      spawnSync(process.execPath, [CLI, 'run', '-p', 'audit', '--', '/bin/true'])
      child.kill('SIGINT')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    const [code] = (await once(child, 'close')) as [number]
    const [command = ''] = words.split(' ')
    if (command === 'logs') said += readFileSync(join(folder, 'mine.json'), 'utf8')
    t.same(code, answers[command]?.[0], `${line}: ${said}`)
    t.match(said, answers[command]?.[1])
  }
})

t.test('installing', async (t) => {
  const command = find('sh', 'npm install')
  t.equal(command.trim(), 'npm install seccomp-ts', 'test/package installs the packed tarball')
})

t.test('the example of untrusted code', async (t) => {
  t.match(readme, 'examples/untrusted/main.mjs')
  const outcome = await runVictim({
    source: `
      const { spawnSync } = require('node:child_process')
      const run = spawnSync(process.execPath, [${JSON.stringify(join(root, 'examples/untrusted/main.mjs'))}], { encoding: 'utf8' })
      process.stdout.write(run.stdout + run.stderr)`,
  })
  const lines: Record<string, string> = {
    compute: '42',
    'read a file': 'EACCES',
    'look at a file': 'EACCES',
    'write a file': 'EACCES',
    connect: 'EACCES',
    'start a program': 'EPERM',
    'signal the parent': 'EPERM',
  }
  for (const [what, result] of Object.entries(lines)) {
    t.match(outcome.stdout, new RegExp(`'?${what}'?: '${result}'`), outcome.stdout)
  }
})

t.test('the TypeScript compiles', async (t: Test) => {
  const sources = snippets.filter((each) => each.language === 'ts')
  const files = new Map(
    sources.map((each, index) => [join(root, `test/readme-${index}.ts`), each.text]),
  )
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) =>
    ts.sys.readFile(path),
  ) as {
    config: { compilerOptions: object }
  }
  const { options } = ts.parseJsonConfigFileContent(
    { compilerOptions: config.compilerOptions, files: [] },
    ts.sys,
    root,
  )
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists } = host
  host.readFile = (path) => files.get(path) ?? readFile.call(host, path)
  host.fileExists = (path) => files.has(path) || fileExists.call(host, path)
  const program = ts.createProgram([...files.keys()], options, host)
  const messages = ts
    .getPreEmitDiagnostics(program)
    .map((each) => ts.flattenDiagnosticMessageText(each.messageText, '\n'))
  t.same(messages, [])
})

t.test('no snippet was left out', async (t) => {
  t.same(
    snippets.filter((each) => !tried.has(each)).map((each) => each.text),
    [],
  )
  t.ok(snippets.length >= 9)
})
