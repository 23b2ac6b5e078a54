/** The kernel's log has a line for `log`, and with `log: true` for what is refused. audit(7), 1326. */
import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { runVictim } from '../helpers/victim'

const GETPPID = process.arch === 'x64' ? 110 : 173

const kernelLog = (): string | undefined => {
  try {
    return execFileSync('dmesg', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined
  }
}

const cases = [
  ['log', 'log', '{}', '0x7ffc0000'],
  ["errno('EACCES') with log: true", "errno('EACCES')", '{ log: true }', '0x50000'],
] as const

for (const [name, action, options, code] of cases) {
  const skip = kernelLog() === undefined && 'reading the kernel’s log is not permitted'
  t.test(name, { skip }, async (t) => {
    // Ten lines in five seconds and no more (kernel/audit.c), and other tests write some too.
    for (let attempt = 0; attempt < 15; attempt++) {
      const outcome = await runVictim({
        source: `
          const { lockdown, allow, errno, log } = require('seccomp-ts')
          lockdown({ default: allow, syscalls: { getppid: ${action} } }, ${options})
          require('./attacker.node').syscall(${GETPPID})
          console.log(process.pid)`,
      })
      const line = new RegExp(
        `type=1326 .* pid=${outcome.stdout.trim()} .* syscall=${GETPPID} .* code=${code}`,
      )
      if (line.test(kernelLog() ?? '')) return t.pass(`logged in attempt ${attempt + 1}`)
      await wait(2500)
    }
    t.fail('not logged')
  })
}

t.test(
  'without log: true, a refusal is not logged',
  { skip: kernelLog() === undefined },
  async (t) => {
    const outcome = await runVictim({
      source: `
      const { lockdown, allow, errno } = require('seccomp-ts')
      lockdown({ default: allow, syscalls: { getppid: errno('EACCES') } })
      require('./attacker.node').syscall(${GETPPID})
      console.log(process.pid)`,
    })
    t.notMatch(kernelLog(), new RegExp(`type=1326 .* pid=${outcome.stdout.trim()} `))
  },
)
