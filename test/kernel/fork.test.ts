/** fork(module, args, { policy }): a child that is locked down before its first line. */
import t from 'tap'
import { nodes, runVictim, writeFile } from '../helpers/victim'

const child = `
  const { status } = require('seccomp-ts')
  const attempt = (run) => { try { run(); return 'ran' } catch (error) { return error.code } }
  process.on('message', (message) => {
    if (message === 'stop') process.disconnect()
    else process.send({
      echo: message,
      args: process.argv.slice(2),
      socket: require('node:dns') && attempt(() => require('node:fs').openSync('/etc/hostname')),
      exec: attempt(() => require('node:child_process').execFileSync('/bin/true')),
      enforced: status().enforced, policies: status().policies, cure: status().ioUring.cure,
    })
  })
  process.send('up')`

for (const [major, node] of nodes()) {
  t.test(`Node ${major}`, async (t) => {
    writeFile('child.cjs', child)
    const outcome = await runVictim({
      node,
      source: `
        const { fork, webServer, errno, status } = require('seccomp-ts')
        const policy = { ...webServer, name: 'plugin', syscalls: { ...webServer.syscalls,
          socket: errno('EACCES'), openat: errno('EACCES'), open: errno('EACCES') } }
        // What the child loads must be loaded before its files are out of reach: it is, by fork.
        const child = fork(__dirname + '/child.cjs', ['a', 'b'], { policy: { ...policy, syscalls: {
          ...policy.syscalls, openat: webServer.syscalls.openat, open: webServer.syscalls.open } } })
        child.on('message', (message) => {
          if (message === 'up') return child.send({ big: 'x'.repeat(100000) })
          child.send('stop')
          child.on('exit', (code, signal) => console.log(JSON.stringify({ ...message,
            echo: message.echo.big.length, code, signal, parent: status().enforced })))
        })`,
    })
    t.match(outcome.json(), {
      echo: 100000,
      args: ['a', 'b'],
      exec: 'EPERM',
      enforced: true,
      policies: ['plugin'],
      code: 0,
      signal: null,
      parent: false,
    })
  })
}

t.test('a child whose lockdown fails runs nothing of its module', async (t) => {
  writeFile('loud.cjs', `process.send('ran')`)
  const outcome = await runVictim({
    source: `
      const { fork, allow } = require('seccomp-ts')
      // notify without a listener is fine; a listener without TSYNC_ESRCH is not: force a failure that
      // only the child meets, by an option that needs a privilege it does not have.
      const child = fork(__dirname + '/loud.cjs', { policy: { default: allow }, lockdown: { noNewPrivs: false },
        uid: 65534, gid: 65534, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
      let stderr = ''
      let ran = false
      child.stderr.on('data', (data) => { stderr += data })
      child.on('message', () => { ran = true })
      child.on('close', (code) => console.log(JSON.stringify({ ran, code, said: /ERR_NO_NEW_PRIVS/.test(stderr) })))`,
  })
  t.same(outcome.json(), { ran: false, code: 1, said: true })
})

t.test('mistakes are found before anything is started', async (t) => {
  const outcome = await runVictim({
    source: `
      const { fork, allow } = require('seccomp-ts')
      const codes = [undefined, { policy: undefined }, { policy: { default: allow, syscalls: { opnat: allow } } },
        { policy: { default: allow }, lockdown: { ioUring: 'x' } }].map((options) => {
          try { fork(__filename, options); return 'started' } catch (error) { return error.code }
        })
      console.log(JSON.stringify(codes))`,
  })
  t.same(outcome.json(), ['ERR_OPTION', 'ERR_OPTION', 'ERR_UNKNOWN_SYSCALL', 'ERR_OPTION'])
})

t.test('the child gets what was checked, whatever the prototypes say', async (t) => {
  writeFile(
    'report.cjs',
    `const { status } = require('seccomp-ts')
     let exec = 'ran'
     try { require('node:child_process').execFileSync('/bin/true') } catch (error) { exec = error.code }
     process.send({ exec, policies: status().policies, risks: status().risks, cure: status().ioUring.cure })
     process.disconnect()`,
  )
  const run = (before: string, options = '{ policy: webServer }'): ReturnType<typeof runVictim> =>
    runVictim({
      node: nodes().get('24') as string,
      source: `
        const { fork, webServer, allow, errno, eq } = require('seccomp-ts')
        ${before}
        fork(__dirname + '/report.cjs', ${options}).on('message', (m) => {
          delete Object.prototype.toJSON
          console.log(JSON.stringify(m))
        })`,
    })
  const whole = { exec: 'EPERM', policies: ['webServer'], risks: [], cure: 'retired' }
  t.same((await run('')).json(), whole)
  t.same((await run("Object.prototype.lockdown = { ioUring: 'allow-enter' }")).json(), whole)
  t.same(
    (
      await run(
        "Object.defineProperty(Object.prototype, 'toJSON', { configurable: true, value: () => ({ default: { action: 'allow' } }) })",
      )
    ).json(),
    whole,
  )
  const big = await run(
    '',
    "{ policy: { ...webServer, syscalls: { ...webServer.syscalls, getppid: allow.when({ arg0: { op: 'eq', value: 2n ** 63n } }) } } }",
  )
  t.match(big.json(), { exec: 'EPERM' }, 'a bigint')
})

t.test('from node -e, the child runs its module and not the source of its parent', async (t) => {
  writeFile('once.cjs', "process.send('module'); process.disconnect()")
  const outcome = await runVictim({
    source: '',
    nodeArgs: [
      '-e',
      `require('seccomp-ts').fork('./once.cjs', { policy: require('seccomp-ts').webServer }).on('message', (m) => console.log(m))`,
    ],
  })
  t.equal(outcome.stdout.trim(), 'module', outcome.stderr)
})
