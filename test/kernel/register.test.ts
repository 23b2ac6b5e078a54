/** node --import seccomp-ts/register: the policy named from outside, and fail closed. */
import { join } from 'node:path'
import t from 'tap'
import { runVictim, sandboxDirectory, writeFile } from '../helpers/victim'

const program = `
  const { status } = require('seccomp-ts')
  let exec = 'ran'
  try { require('node:child_process').execFileSync('/bin/true') } catch (error) { exec = error.code }
  console.log(JSON.stringify({ exec, policies: status().policies, enforced: status().enforced }))`

for (const nodeArgs of [
  ['--import', 'seccomp-ts/register'],
  ['-r', 'seccomp-ts/register'],
]) {
  t.test(nodeArgs.join(' '), async (t) => {
    const run = (env: Record<string, string>): ReturnType<typeof runVictim> =>
      runVictim({ source: program, nodeArgs, env })

    t.test('a ready policy', async (t) => {
      const outcome = await run({ SECCOMP_TS_POLICY: 'webServer' })
      t.same(outcome.json(), { exec: 'EPERM', policies: ['webServer'], enforced: true })
    })

    t.test('files', async (t) => {
      const policy = {
        name: 'mine',
        default: { action: 'allow' },
        syscalls: {
          execve: { action: 'errno', errno: 'EACCES' },
        },
      }
      writeFile('policy.json', JSON.stringify(policy))
      writeFile('policy.cjs', `module.exports = ${JSON.stringify(policy)}`)
      writeFile('policy.mjs', `export default ${JSON.stringify(policy)}`)
      for (const file of ['./policy.json', './policy.cjs', './policy.mjs']) {
        const outcome = await run({ SECCOMP_TS_POLICY: file })
        t.same(outcome.json(), { exec: 'EACCES', policies: ['mine'], enforced: true }, file)
      }
    })

    t.test('JSON in the variable, and options', async (t) => {
      const outcome = await run({
        SECCOMP_TS_POLICY: JSON.stringify({
          default: { action: 'allow' },
          syscalls: { execve: { action: 'errno', errno: 'EACCES' } },
        }),
        SECCOMP_TS_OPTIONS: JSON.stringify({ log: false }),
      })
      t.match(outcome.json(), { exec: 'EACCES', enforced: true })
    })

    t.test('package.json', async (t) => {
      for (const setting of ['webServer', { policy: 'webServer', ioUring: 'retire' }]) {
        writeFile('app/package.json', JSON.stringify({ name: 'app', 'seccomp-ts': setting }))
        const file = writeFile('app/main.cjs', program)
        const outcome = await runVictim({
          source: '',
          nodeArgs: [...nodeArgs, file],
        })
        t.match(outcome.json(), { exec: 'EPERM', enforced: true }, JSON.stringify(setting))
      }
    })

    t.test('what goes wrong starts nothing', async (t) => {
      const wrong: Record<string, [env: Record<string, string>, message: RegExp]> = {
        'no policy': [{}, /ERR_POLICY_NOT_FOUND/],
        'a policy that does not exist': [
          { SECCOMP_TS_POLICY: 'webServr' },
          /Did you mean 'webServer'/,
        ],
        'no JSON': [{ SECCOMP_TS_POLICY: '{' }, /ERR_POLICY_SHAPE/],
        'a mistake': [
          {
            SECCOMP_TS_POLICY:
              '{"default":{"action":"allow"},"syscalls":{"opnat":{"action":"allow"}}}',
          },
          /ERR_UNKNOWN_SYSCALL/,
        ],
        'a wrong option': [
          { SECCOMP_TS_POLICY: 'webServer', SECCOMP_TS_OPTIONS: '{"ioUring":"off"}' },
          /ERR_OPTION/,
        ],
      }
      for (const [name, [env, message]] of Object.entries(wrong)) {
        const outcome = await run(env)
        t.equal(outcome.code, 1, name)
        t.match(outcome.stderr, message, name)
        t.equal(outcome.stdout, '', `${name}: the program did not run`)
      }
    })

    t.test('Workers of a registered program start', async (t) => {
      const outcome = await runVictim({
        nodeArgs,
        env: { SECCOMP_TS_POLICY: 'webServer' },
        source: `
          const { Worker, isMainThread, parentPort } = require('node:worker_threads')
          if (isMainThread) new Worker(__filename).once('message', (m) => console.log(m))
          else parentPort.postMessage(require('seccomp-ts').status().lockdowns)`,
      })
      t.equal(outcome.stdout.trim(), '1')
    })
  })
}

t.test('a directory as the program: its own package.json counts, not its parent’s', async (t) => {
  writeFile(
    'mono/package.json',
    JSON.stringify({ 'seccomp-ts': { policy: { default: { action: 'allow' } } } }),
  )
  writeFile(
    'mono/app/package.json',
    JSON.stringify({ main: 'main.cjs', 'seccomp-ts': 'webServer' }),
  )
  writeFile('mono/app/main.cjs', program)
  const directory = join(sandboxDirectory(), 'mono/app')
  for (const entry of [directory, join(directory, 'main.cjs')]) {
    const outcome = await runVictim({ source: '', nodeArgs: ['-r', 'seccomp-ts/register', entry] })
    t.same(outcome.json(), { exec: 'EPERM', policies: ['webServer'], enforced: true }, entry)
  }
})

t.test('given to a Worker of a process that is not locked down, it stops the Worker', async (t) => {
  const outcome = await runVictim({
    source: `
      const { Worker, isMainThread } = require('node:worker_threads')
      if (!isMainThread) console.log('ran')
      else new Worker(__filename, { execArgv: ['--require', 'seccomp-ts/register'] })
        .once('error', (error) => console.log(error.code))`,
    env: { SECCOMP_TS_POLICY: 'webServer' },
  })
  t.equal(outcome.stdout.trim(), 'ERR_WORKER_PRELOAD')
})
