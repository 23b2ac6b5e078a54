/** Programs under a policy, by the live kernel. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import t from 'tap'
import { nodes } from '../nodes'
import { CLI, seccompTs, workplace } from '../helpers/cli'

const { folder, write } = workplace()
const policy = (name: string, value: object): string => write(name, JSON.stringify(value))
const allow = { action: 'allow' }
const refusing = policy('refusing.json', {
  default: allow,
  syscalls: {
    mkdir: { action: 'errno', errno: 'EXDEV' },
    mkdirat: { action: 'errno', errno: 'EXDEV' },
  },
})
const killing = policy('killing.json', {
  default: allow,
  syscalls: { mkdir: { action: 'kill' }, mkdirat: { action: 'kill' } },
})
const run = (file: string, ...command: string[]) =>
  seccompTs(['run', '--policy', file, '--', ...command])

t.test('the program is under the filter, and this one is gone', (t) => {
  const { code, stdout, stderr } = run(refusing, 'cat', '/proc/self/status')
  t.equal(code, 0)
  t.equal(stderr, '')
  t.match(stdout, /^Name:\tcat$/m)
  t.match(stdout, /^NoNewPrivs:\t1$/m)
  t.match(stdout, /^Seccomp:\t2$/m)
  t.match(stdout, /^Threads:\t1$/m)
  t.match(stdout, /^SigBlk:\t0+$/m)
  t.match(stdout, /^SigIgn:\t0+$/m)
  t.match(stdout, /^SigCgt:\t0+$/m)
  t.end()
})

t.test('no descriptor but the first three is passed on, wherever it is from', (t) => {
  const secret = write('secret', 'secret')
  const command = `exec ${process.execPath} ${CLI} run -p ${refusing} -- ls /proc/self/fd 7<${secret} 100<${secret} 250<${secret}`
  const ran = spawnSync('bash', ['-c', command], { encoding: 'utf8' })
  // The fourth is the folder that ls reads.
  t.equal(ran.stdout, '0\n1\n2\n3\n')
  t.equal(ran.stderr, '')
  t.end()
})

t.test('what the policy refuses is refused, also to what it starts', (t) => {
  const made = `${folder}/made`
  const { code, stderr } = run(refusing, 'sh', '-c', `mkdir ${made} || exit 7`)
  t.equal(code, 7)
  t.match(stderr, /Invalid cross-device link/)
  t.end()
})

t.test('who is killed by it dies of SIGSYS', (t) => {
  t.equal(run(killing, 'mkdir', `${folder}/made`).signal, 'SIGSYS')
  const { code } = run(killing, 'sh', '-c', `mkdir ${folder}/made; exit $?`)
  t.equal(code, 128 + constants.signals.SIGSYS)
  t.end()
})

t.test('a policy needs to permit what the program does, and nothing of Node', (t) => {
  // What a static program would need, and the dynamic loader; no futex, no epoll, no clone.
  const names = [
    ...['execve', 'brk', 'mmap', 'munmap', 'mprotect', 'openat', 'read', 'pread64', 'close'],
    ...['fstat', 'newfstatat', 'access', 'faccessat', 'arch_prctl', 'set_tid_address'],
    ...['set_robust_list', 'rseq', 'prlimit64', 'getrandom', 'exit_group', 'write'],
  ]
  const file = policy('small.json', {
    default: { action: 'kill' },
    syscalls: Object.fromEntries(names.map((name) => [name, allow])),
  })
  const { code, signal, stderr } = run(file, '/bin/true')
  t.strictSame([code, signal, stderr], [0, null, ''])
  t.end()
})

t.test('on every Node', (t) => {
  for (const { major, execPath } of nodes()) {
    const { code, stdout } = seccompTs(
      ['run', '-p', refusing, '--', 'sh', '-c', 'echo $$; exit 3'],
      {
        node: execPath,
      },
    )
    t.equal(code, 3, `Node ${major}`)
    t.match(stdout, /^\d+\n$/)
  }
  t.end()
})

t.test('standard streams, arguments and environment', (t) => {
  const script = 'cat; printf "%s|" "$@"; echo "$GIVEN" >&2'
  const { stdout, stderr } = seccompTs(
    ['run', '-p', refusing, '--', 'sh', '-c', script, 'sh', 'a b', '', '--policy', 'ü'],
    { input: 'in ', env: { GIVEN: 'kept' } },
  )
  t.equal(stdout, 'in a b||--policy|ü|')
  t.equal(stderr, 'kept\n')
  t.end()
})

t.test('signals are the program’s own, and the process the same', async (t) => {
  const script = 'trap "exit 42" TERM; echo $$; while :; do sleep 0.05; done'
  const child = spawn(process.execPath, [CLI, 'run', '-p', refusing, '--', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  })
  const [pid] = (await once(child.stdout, 'data')) as [Buffer]
  t.equal(Number(pid.toString()), child.pid)
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 42)
})

t.test('a policy that refuses execve is refused, before anything is run', (t) => {
  const { code, stdout, stderr } = run('webServer', 'echo', 'here')
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, /refuses execve.*ERR_EXECVE_REFUSED/)
  t.end()
})

t.test('mistakes', (t) => {
  const text = write('text', 'no program')
  const mistakes: [string[], RegExp][] = [
    [['run', '--', 'true'], /--policy is missing/],
    [['run', '-p', refusing], /the program is missing: it comes after --/],
    [['run', '-p', refusing, 'true', '1'], /comes after --\nAs in .* -- true 1$/m],
    [['run', '-p', refusing, '--'], /the program is missing/],
    [['run', '-p', refusing, '--', 'no-such-program'], /no program 'no-such-program' in PATH/],
    [['run', '-p', refusing, '--', text], /is no file that can be executed/],
    [['run', '-p', refusing, '--', folder], /is no file that can be executed/],
    [['run', '-p', '-', '--', 'true'], /standard input is for the program/],
    [['run', '-p', 'absent.json', '--', 'true'], /neither a file nor a built-in policy/],
  ]
  for (const [args, message] of mistakes) {
    const { code, stderr } = seccompTs(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
  t.end()
})
