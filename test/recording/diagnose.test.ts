/** Why it died: the sentences were printed by runc, glibc, libuv and Node with a call denied. */
import t from 'tap'
import { diagnose, readLog, SIGNATURES } from '../../lib/recording'
import { isSyscallName } from '../../lib/syscalls'
import { runVictim } from '../helpers/victim'

t.test('what is printed', (t) => {
  const rows: readonly (readonly [text: string, calls: readonly string[], who: string])[] = [
    ['The futex facility returned an unexpected error code.', ['futex'], 'program'],
    [
      'node: error while loading shared libraries: libdl.so.2: cannot read file data: Operation not permitted',
      ['read', 'pread64'],
      'program',
    ],
    [
      'node: error while loading shared libraries: libdl.so.2: cannot apply additional memory protection after relocation: Operation not permitted',
      ['mprotect'],
      'program',
    ],
    ['open exec fifo /proc/self/fd/5: operation not permitted', ['openat'], 'runtime'],
    ['close log pipe fd 4: operation not permitted', ['close'], 'runtime'],
    ['exec /usr/bin/node: operation not permitted', ['execve'], 'runtime'],
    ['exec user process caused: operation not permitted', ['execve'], 'runtime'],
    ['OCI runtime start failed: cannot start a stopped process: unknown', [], 'runtime'],
    ['libuv: io_uring_enter(getevents): Operation not permitted', ['io_uring_enter'], 'program'],
    ['Fatal glibc error: rseq registration failed', ['rseq'], 'program'],
  ]
  for (const [text, calls, who] of rows) {
    t.match(
      diagnose({ text: `before\n${text}\nafter`, exitCode: 139 }),
      [{ by: 'text', calls, who }],
      text,
    )
  }
  t.strictSame(diagnose({ text: 'all is well', exitCode: 0 }), [])
  t.strictSame(diagnose({}), [])
  t.end()
})

t.test('an exit code alone', (t) => {
  t.match(diagnose({ exitCode: 159 }), [{ by: 'exit', what: /SIGSYS/ }])
  t.match(diagnose({ signal: 'SIGSYS' }), [{ by: 'exit', what: /SIGSYS/ }])
  t.match(diagnose({ exitCode: 133 }), [{ by: 'exit', calls: ['madvise'] }])
  t.strictSame(diagnose({ exitCode: 1 }), [])
  t.end()
})

t.test('the kernel’s own line is better than any of it', async (t) => {
  const { summary } = await readLog(
    'type=1326 audit(1.0:1): auid=0 uid=0 gid=0 ses=1 pid=1 comm="runc:[2:INIT]" exe="/" sig=31 arch=c000003e syscall=110 compat=0 ip=0x1 code=0x80000000',
  )
  const found = diagnose({ exitCode: 159, summary })
  t.match(found, [{ by: 'kernel', calls: ['getppid'], who: 'runtime' }])
  t.equal(found.length, 1)
})

t.test('the table', (t) => {
  for (const { calls, text, exitCodes, source, what, fix } of SIGNATURES) {
    t.ok(text !== undefined || exitCodes !== undefined, what)
    t.ok(source.length > 10 && fix.length > 10, what)
    for (const call of calls) t.ok(isSyscallName(call), call)
  }
  t.end()
})

t.test('a Node that really dies of it', async (t) => {
  const dies = (syscall: string, action: string, source: string): ReturnType<typeof runVictim> =>
    runVictim({
      source: `
        const { lockdown, allow, errno, kill } = require('seccomp-ts')
        lockdown({ default: allow, syscalls: { ${syscall}: ${action} } })
        ${source}`,
    })
  const killed = await dies('getppid', 'kill', 'process.ppid')
  t.match(diagnose({ signal: killed.signal ?? undefined, text: killed.stderr }), [
    { what: /SIGSYS/ },
  ])
  const futex = await dies(
    'futex',
    `errno('EPERM')`,
    `require('node:fs').readFile('/etc/hostname', () => {})`,
  )
  t.match(
    diagnose({ signal: futex.signal ?? undefined, text: futex.stderr })[0]?.calls,
    ['futex'],
    `${String(futex.signal)} ${futex.stderr}`,
  )
})
