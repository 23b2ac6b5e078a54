/** `listener: true`: another process answers the `notify` calls. seccomp_unotify(2), Linux 5.7. */
import { join } from 'node:path'
import t from 'tap'
import { root, runVictim } from '../helpers/victim'

const supervisor = join(root, 'test/kernel/fixtures/supervisor.py')
const GETPPID = process.arch === 'x64' ? 110 : 173

t.test('a supervisor takes the descriptor and decides', async (t) => {
  const outcome = await runVictim({
    source: `
      const { execFile } = require('node:child_process')
      const { lockdown, allow, notify, errno } = require('seccomp-ts')
      const attacker = require('./attacker.node')
      const { listener, threads, enforced } = lockdown(
        { default: allow, syscalls: { getppid: notify } }, { listener: true })
      let answered
      execFile('python3', [${JSON.stringify(supervisor)}, process.pid, listener], (error, stdout, stderr) => {
        answered.then((result) => console.log(JSON.stringify({ result, enforced, stderr,
          fromHere: threads.length > 0 && Number(stdout) > 0 })))
      })
      // It waits, on a thread that may: libuv's pool.
      answered = attacker.syscallOnPool(${GETPPID})`,
  })
  t.match(outcome.json(), { result: -122, enforced: true, fromHere: true, stderr: '' })
})

t.test('one process, one listener', async (t) => {
  const outcome = await runVictim({
    source: `
      const { lockdown, allow, notify } = require('seccomp-ts')
      const policy = { default: allow, syscalls: { getppid: notify } }
      lockdown(policy, { listener: true })
      try { lockdown(policy, { listener: true }) } catch ({ code, installed }) { console.log(JSON.stringify({ code, installed })) }`,
  })
  t.same(outcome.json(), { code: 'ERR_LISTENER', installed: false })
})
