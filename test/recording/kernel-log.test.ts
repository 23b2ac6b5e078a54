/**
 * The kernel's own lines: a child whose filter logs what it does not name makes a few calls, and the
 * policy that is made of the log lets it do the same again, locked down.
 */
import { execFileSync } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { policyFromLog, readLog, type SeenProgram } from '../../lib/recording'
import { webServer } from '../../lib/promises'
import { runVictim } from '../helpers/victim'

const kernelLog = (): string | undefined => {
  try {
    return execFileSync('dmesg', {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    return undefined
  }
}

/** Three calls that a web server has no use for, and that Node does not make by itself. */
const NUMBERS = process.arch === 'x64' ? [124, 140, 121] : [156, 141, 155]
const NAMES = ['getpgid', 'getpriority', 'getsid']

const victim = (lockdown: string): string => `
  const { lockdown, webServer, log, kill } = require('seccomp-ts')
  const { syscall } = require('./attacker.node')
  ${lockdown}
  for (const number of ${JSON.stringify(NUMBERS)}) syscall(number, 0, 0, 0)
  console.log(process.pid)`

const skip = kernelLog() === undefined && 'reading the kernel’s log is not permitted'

t.test('from the kernel’s log to a policy', { skip }, async (t) => {
  const everything = JSON.stringify({
    ...webServer.syscalls,
    getpriority: undefined,
    setpriority: { action: 'allow' },
  })
  // Ten lines in five seconds and no more (kernel/audit.c), and other tests write some too.
  for (let attempt = 0; attempt < 15; attempt++) {
    const observed = await runVictim({
      source: victim(`lockdown({ default: log, syscalls: ${everything} })`),
    })
    t.equal(observed.code, 0, observed.stderr)
    const pid = Number(observed.stdout.trim())
    // Other processes' lines stand in the same log.
    const lines = (kernelLog() ?? '').split('\n').filter((line) => line.includes(` pid=${pid} `))
    if (lines.length === 0) {
      await wait(2500)
      continue
    }
    const { summary, lines: counts, lost } = await readLog(lines)
    t.equal(counts.events, lines.length, 'every line is an event')
    t.equal(lost.lines, 0)
    const [program] = summary.programs as [SeenProgram]
    t.equal(program.node, true)
    const seen = new Set(program.calls.map(({ syscall }) => syscall))
    if (!NAMES.every((name) => seen.has(name as never))) {
      await wait(2500)
      continue
    }
    for (const { syscall, action } of program.calls) t.equal(action, 'log', syscall ?? '')

    const { policy, origins } = policyFromLog(summary, { default: { action: 'kill' } })
    for (const name of NAMES)
      t.match(
        origins.find(({ syscall }) => syscall === name),
        { from: 'log' },
      )
    const again = await runVictim({ source: victim(`lockdown(${JSON.stringify(policy)})`) })
    t.match(again, { code: 0, signal: null }, `${again.stderr} under ${JSON.stringify(policy)}`)
    const without = policyFromLog(summary, {
      default: { action: 'kill' },
      programs: () => false,
      node: true,
    })
    const refused = await runVictim({
      source: victim(`lockdown(${JSON.stringify(without.policy)})`),
    })
    t.equal(refused.signal, 'SIGSYS', 'without what was seen, it dies')
    return
  }
  t.fail('not logged')
})
