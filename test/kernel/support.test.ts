/** Where a lockdown cannot be had: a typed error, and a process that is as it was. */
import t from 'tap'
import { nodes, runVictim, UNPRIVILEGED } from '../helpers/victim'

const report = `
  const report = (run) => {
    try { const result = run(); console.log(JSON.stringify({ enforced: result.enforced, risks: result.risks.map((r) => r.code) })) }
    catch (error) { console.log(JSON.stringify({ name: error.name, code: error.code, installed: error.installed, message: error.message })) }
  }
  const { lockdown, status, probe, isSupported, allow, errno, kill, notify, webServer } = require('seccomp-ts')
  const attacker = require('./attacker.node')
`

t.test('a filter already in force that denies seccomp(2)', async (t) => {
  for (const error of ['EPERM', 'EACCES', 'ENOSYS']) {
    const outcome = await runVictim({
      source: `${report}
        lockdown({ default: allow, syscalls: { seccomp: errno('${error}') } })
        report(() => lockdown(webServer))`,
    })
    t.match(
      outcome.json(),
      { name: 'LockdownError', code: 'ERR_SECCOMP_DENIED', installed: false },
      error,
    )
  }
})

t.test('noNewPrivs: false without the privilege', async (t) => {
  const outcome = await runVictim({
    uid: UNPRIVILEGED,
    source: `${report} report(() => lockdown(webServer, { noNewPrivs: false }))`,
  })
  t.match(outcome.json(), { code: 'ERR_NO_NEW_PRIVS', installed: false })
})

t.test('noNewPrivs: false with it', async (t) => {
  const outcome = await runVictim({
    source: `${report} report(() => lockdown(webServer, { noNewPrivs: false }))
      console.error(/NoNewPrivs:\\t(.)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1])`,
  })
  t.match(outcome.json(), { enforced: true, risks: ['new-privileges'] })
  t.equal(outcome.stderr.trim(), '0')
})

t.test('options reach the kernel', async (t) => {
  const outcome = await runVictim({
    source: `${report} report(() => lockdown(webServer, { log: true, specAllow: true }))`,
  })
  t.match(outcome.json(), { enforced: true, risks: ['speculation'] })
})

t.test('another platform', async (t) => {
  const source = (call: string): string => `
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    ${report}
    ${call}`
  t.match((await runVictim({ source: source('report(() => lockdown(webServer))') })).json(), {
    code: 'ERR_UNSUPPORTED_PLATFORM',
    installed: false,
  })
  const warned = await runVictim({
    source: source("report(() => lockdown(webServer, { onUnsupported: 'warn' }))"),
  })
  t.match(warned.json(), { enforced: false, risks: ['not-enforced'] })
  t.match(warned.stderr, 'runs unprotected')
  const asked = await runVictim({
    source: source(
      'console.log(JSON.stringify({ supported: isSupported(), code: probe().reason.code, enforced: status().enforced }))',
    ),
  })
  t.same(asked.json(), { supported: false, code: 'ERR_UNSUPPORTED_PLATFORM', enforced: false })
  const mistaken = await runVictim({
    source: source(
      "report(() => lockdown({ default: allow, syscalls: { opnat: allow } }, { onUnsupported: 'warn' }))",
    ),
  })
  t.match(mistaken.json(), { code: 'ERR_UNKNOWN_SYSCALL' }, 'a mistake is a mistake everywhere')
})

t.test('another architecture', async (t) => {
  const outcome = await runVictim({
    source: `Object.defineProperty(process, 'arch', { value: 'riscv64' })
      ${report.replace("const attacker = require('./attacker.node')", '')}
      report(() => lockdown(webServer))`,
  })
  t.match(outcome.json(), { code: 'ERR_UNSUPPORTED_ARCH', installed: false })
})

t.test('probe() and isSupported()', async (t) => {
  const outcome = await runVictim({
    source: `${report}
      const before = probe()
      lockdown(webServer)
      const after = probe()
      console.log(JSON.stringify({ supported: isSupported(), before, after }))`,
  })
  const answer = outcome.json<{ before: { flags: object; actions: object } }>()
  t.match(answer, {
    supported: true,
    before: { supported: true, mode: 'disabled', noNewPrivs: false, platform: 'linux' },
    after: { supported: true, mode: 'filter', noNewPrivs: true },
  })
  t.match(answer.before.flags, { tsync: true, log: true })
  t.match(answer.before.actions, { kill: true, errno: true, allow: true })
})

t.test('a mistake in the policy changes nothing', async (t) => {
  const outcome = await runVictim({
    source: `${report}
      report(() => lockdown({ default: errno('EPERM'), syscalls: { socket: allow.when({ famly: 2 }) } }))
      console.error(/Seccomp:\\t(.)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1],
        /NoNewPrivs:\\t(.)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1])`,
  })
  t.match(outcome.json(), { name: 'PolicyError' })
  t.equal(outcome.stderr.trim(), '0 0')
})

t.test('a policy too large names what made it so', async (t) => {
  const outcome = await runVictim({
    source: `
      const { lockdown, compile, errno, allow, oneOf } = require('seccomp-ts')
      const values = Array.from({ length: 3000 }, (_, i) => i * 7)
      try { lockdown({ default: errno('EPERM'), syscalls: {
        ioctl: allow.when({ cmd: oneOf(...values) }),
        fcntl: allow.when({ cmd: oneOf(...values.slice(0, 500)) }) } })
      } catch (error) {
        console.log(JSON.stringify({ code: error.code, contributors: error.contributors,
          mode: /Seccomp:\\t(.)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1] }))
      }`,
  })
  const answer = outcome.json<{
    code: string
    contributors: { syscall: string; instructions: number }[]
  }>()
  t.match(answer, { code: 'ERR_PROGRAM_TOO_LARGE', mode: '0' })
  t.equal(answer.contributors[0]?.syscall, 'ioctl')
  t.ok((answer.contributors[0]?.instructions ?? 0) >= 3000)
})

t.test('asking and tightening are safe under policies that kill for it', async (t) => {
  const asked = await runVictim({
    source: `${report}
      // Node opens files when it first prepares stdout.
      process.stdout.write('')
      lockdown({ default: allow, syscalls: { openat: kill, open: kill } })
      process.stdout.write(JSON.stringify({ supported: isSupported(), mode: probe().mode }), () => process.reallyExit(0))`,
  })
  t.same(asked.json(), { supported: true, mode: 'filter' })
  for (const [denied, code] of [
    ['seccomp', 'ERR_SECCOMP_DENIED'],
    ['prctl', 'ERR_NO_NEW_PRIVS'],
  ] as const) {
    const outcome = await runVictim({
      source: `${report}
        lockdown({ default: allow, syscalls: { ${denied}: kill } })
        report(() => lockdown(webServer))`,
    })
    t.match(outcome.json(), { code, installed: false }, denied)
  }
})

t.test('compile() checks its target', async (t) => {
  const outcome = await runVictim({
    source: `
      const { compile, webServer } = require('seccomp-ts')
      const codes = [{ arch: 'x64' }, { arch: 'constructor' }, { pid: -1 }, { pid: 1.5 }, { pid: 'a' }, { cpu: 1 }, 5]
        .map((target) => { try { compile(webServer, target); return 'compiled' } catch (error) { return error.code } })
      console.log(JSON.stringify([...codes, compile(webServer, { arch: 'aarch64', pid: 1 }).length > 100]))`,
  })
  const [option, shape] = ['ERR_OPTION', 'ERR_POLICY_SHAPE']
  t.same(outcome.json(), [option, option, option, option, option, 'ERR_UNKNOWN_KEY', shape, true])
})

t.test('a polluted prototype answers for nobody', async (t) => {
  const outcome = await runVictim({
    source: `${report}
      const { compile, oneOf } = require('seccomp-ts')
      Object.prototype.program = Buffer.from(compile({ default: allow }).bytes)
      Object.prototype.outcome = 'program'
      const values = Array.from({ length: 3000 }, (_, i) => i * 7)
      report(() => lockdown({ default: errno('EPERM'), syscalls: { ioctl: allow.when({ cmd: oneOf(...values) }) } }))`,
  })
  t.match(outcome.json(), { code: 'ERR_PROGRAM_TOO_LARGE' })
})

t.test('no policy at all', async (t) => {
  for (const policy of ['undefined', 'null', "'webServer'", '[]', '7']) {
    const outcome = await runVictim({ source: `${report} report(() => lockdown(${policy}))` })
    t.match(outcome.json(), { name: 'PolicyError', code: 'ERR_POLICY_SHAPE' }, policy)
  }
})

t.test('what is loaded late', async (t) => {
  t.test('under a polluted prototype', async (t) => {
    const outcome = await runVictim({
      source: `${report}
        Object.prototype.polluted = 1
        Object.prototype.compile = () => 'polluted'
        report(() => lockdown({ default: allow, syscalls: { ptrace: errno('EPERM') } }))`,
    })
    t.match(outcome.json(), { enforced: true })
  })

  t.test('where it cannot be read any more', async (t) => {
    const outcome = await runVictim({
      source: `${report}
        lockdown(webServer)
        const fs = require('node:fs')
        fs.readFileSync = () => { throw new Error('EACCES: permission denied') }
        report(() => lockdown({ default: allow, syscalls: { ptrace: errno('EPERM') } }))`,
    })
    t.match(outcome.json(), {
      name: 'LockdownError',
      code: 'ERR_LATE_LOAD',
      installed: false,
      message: /EACCES: permission denied/,
    })
  })
})

t.test('a second lockdown', async (t) => {
  t.test('that the first does not allow', async (t) => {
    const outcome = await runVictim({
      source: `${report}
        lockdown({ default: allow, syscalls: { seccomp: errno('EPERM') } })
        report(() => lockdown(webServer))`,
    })
    t.match(outcome.json(), { code: 'ERR_SECCOMP_DENIED', message: /An earlier lockdown/ })
  })

  t.test('names no risk that the other closed', async (t) => {
    const cases = [
      "lockdown(webServer); report(() => lockdown({ default: allow, name: 'loose' }))",
      "lockdown({ default: allow, name: 'loose' }); report(() => lockdown(webServer))",
      "lockdown(webServer, { ioUring: 'allow-enter' }); report(() => lockdown(webServer))",
    ]
    for (const node of nodes().values()) {
      for (const source of cases) {
        const outcome = await runVictim({ node, source: `${report} ${source}` })
        t.same(outcome.json(), { enforced: true, risks: [] }, source)
      }
    }
  })
})
