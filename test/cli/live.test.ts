/** The kernel's own records, from a program under a policy that logs. Takes CAP_AUDIT_READ. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { CLI, seccompTs, workplace } from '../helpers/cli'

const { write } = workplace()
const logging = write(
  'logging.json',
  '{ "default": { "action": "allow" }, "syscalls": { "getsid": { "action": "log" }, "getpgid": { "action": "errno", "errno": "EPERM" } } }',
)

/** Listens while `work` goes on, and resolves to what was told. */
async function listening(
  args: readonly string[],
  work: () => void,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, 'logs', '--live', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (data: Buffer) => (said.stdout += data.toString()))
  const ready = new Promise<void>((resolve) => {
    child.stderr.on('data', (data: Buffer) => {
      said.stderr += data.toString()
      if (said.stderr.includes('listening')) resolve()
    })
  })
  await ready
  work()
  child.kill('SIGINT')
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...said }
}

/** Of Python, which calls what it is told to. */
const calls = (log: boolean, script: string): void => {
  const flags = log ? ['--log'] : []
  const args = ['run', '-p', logging, ...flags, '--', 'python3', '-c', `import os\n${script}`]
  const { code, stderr } = seccompTs(args)
  t.equal(code, 0, stderr)
}

t.test('gets every record, of which the kernel’s log would have ten', async (t) => {
  const { code, stdout, stderr } = await listening(['--json', '--program', 'python3'], () => {
    calls(false, 'for i in range(5000): os.getsid(0)')
  })
  t.equal(code, 0, stderr)
  const { summary, lost } = JSON.parse(stdout) as {
    summary: { programs: { calls: { syscall: string; count: number }[] }[] }
    lost: { records: number }
  }
  const [{ calls: seen } = { calls: [] }] = summary.programs
  t.match(seen, [{ syscall: 'getsid', count: 5000 }])
  t.equal(lost.records, 0)
})

t.test('tells each as it comes, and which rule would permit it', async (t) => {
  const { code, stdout } = await listening([], () => {
    calls(true, 'try: os.getpgid(1)\nexcept PermissionError: pass')
  })
  t.equal(code, 1)
  t.match(stdout, /^\d{4}-.*Z python3\[\d+\] getpgid refused with an errno$/m)
  t.match(stdout, /"getpgid": \{/)
})

t.test('--live reads no file', (t) => {
  const { code, stderr } = seccompTs(['logs', '--live', logging])
  t.equal(code, 2)
  t.match(stderr, /--live reads no FILE/)
  t.end()
})
