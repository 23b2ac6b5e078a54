/** What is installed was proved: nothing else is called so, and nothing else gets in. */
import t from 'tap'
import { runVictim } from '../helpers/victim'

const prelude = `
  const { lockdown, status, allow, errno, hasAny, webServer } = require('seccomp-ts')
  const mode = () => /Seccomp:\\t(.)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1]
  const report = (run) => {
    try {
      const { proved, risks } = run()
      console.log(JSON.stringify({ proved, risks: risks.map((risk) => risk.code), mode: mode() }))
    } catch ({ name, code, installed, message }) {
      console.log(JSON.stringify({ name, code, installed, message, mode: mode() }))
    }
  }
  const custom = { default: errno('EPERM'), syscalls: webServer.syscalls }
`

t.test('what status() says of it', async (t) => {
  const cases = {
    'a ready policy': ['lockdown(webServer)', true],
    'a policy of the program': ['lockdown(custom)', true],
    'a ready policy, without': ['lockdown(webServer, { prove: false })', false],
    'a policy of the program, without': ['lockdown(custom, { prove: false })', false],
    'one with, one without': ['lockdown(custom) && lockdown(webServer, { prove: false })', false],
    'one without, one with': ['lockdown(custom, { prove: false }) && lockdown(webServer)', false],
    "with the rings' hole left open": ["lockdown(custom, { ioUring: 'allow-enter' })", true],
    'no lockdown': ['status()', false],
  } as const
  for (const [name, [call, proved]] of Object.entries(cases)) {
    const outcome = await runVictim({ source: `${prelude} report(() => ${call})` })
    const answer = outcome.json<{ proved: boolean; risks: string[] }>()
    t.equal(answer.proved, proved, name)
    t.equal(answer.risks.includes('unproved'), !proved && name !== 'no lockdown', name)
  }
})

// As a bug of the compiler would: the addon returns a program in which one instruction is another.
const miscompile = `
  const { dlopen } = process
  process.dlopen = (addon, file) => {
    dlopen(addon, file)
    const { compile } = addon.exports
    addon.exports.compile = (words) => {
      const result = compile(words)
      const { program } = result
      for (let at = 0; at < program.length; at += 8) {
        const returns = program.readUInt16LE(at) === 0x06 && program.readUInt32LE(at + 4) === 0x00050001
        if (returns) program.writeUInt32LE(0x7fff0000, at + 4) // EPERM → allow
      }
      return result
    }
  }
`

t.test('a program that does something else is not installed', async (t) => {
  const refuted = await runVictim({
    source: `${prelude} ${miscompile} report(() => lockdown(custom))`,
  })
  t.match(refuted.json(), {
    name: 'LockdownError',
    code: 'ERR_INTERNAL',
    installed: false,
    message: /the policy says errno\(EPERM\) \(\$\.default\), the program allow/,
    mode: '0',
  })

  const unasked = await runVictim({
    source: `${prelude} ${miscompile} report(() => lockdown(custom, { prove: false }))`,
  })
  t.match(unasked.json(), { proved: false, mode: '2' }, 'it is the proof that notices')
})

t.test('what can be neither proved nor refuted is not installed', async (t) => {
  // Whether two arguments have a bit in common: no order of their bits makes that a small diagram.
  const entangled = `
    const pairs = Array.from({ length: 32 }, (_, bit) => 2 ** bit)
    const brk = pairs.map((bit) => allow.when({ arg0: hasAny(bit), arg1: hasAny(bit) }))
    const policy = { default: allow, syscalls: { personality: [...brk, errno('EPERM')] } }
  `
  const outcome = await runVictim({
    source: `${prelude} ${entangled} report(() => lockdown(policy))`,
  })
  t.match(outcome.json(), {
    name: 'LockdownError',
    code: 'ERR_UNPROVED',
    installed: false,
    message: /prove: false/,
    mode: '0',
  })
  const unasked = await runVictim({
    source: `${prelude} ${entangled} report(() => lockdown(policy, { prove: false }))`,
  })
  t.match(unasked.json(), { proved: false, mode: '2' })
})
