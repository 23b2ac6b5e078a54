// What a command costs beside the start of Node: whole processes, one after the other in turns.
'use strict'

const { mkdirSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const { built, median, milliseconds, program, root, run, table, takeTurns } = require('./measure')

const cli = path.join(root, 'dist/cli.js')

/** Forty calls and one condition, as containers have them. Made here: a bench needs no other file. */
const PROFILE = {
  defaultAction: 'SCMP_ACT_ERRNO',
  architectures: ['SCMP_ARCH_X86_64'],
  syscalls: [
    {
      names: [
        ...['accept4', 'bind', 'brk', 'clock_nanosleep', 'close', 'connect', 'dup3', 'epoll_ctl'],
        ...['epoll_pwait', 'epoll_wait', 'eventfd2', 'execve', 'exit', 'exit_group', 'fcntl'],
        ...['fstat', 'futex', 'getpid', 'getrandom', 'getsockname', 'getsockopt', 'ioctl'],
        ...['listen', 'lseek', 'madvise', 'mmap', 'mprotect', 'munmap', 'newfstatat', 'openat'],
        ...['pread64', 'read', 'readv', 'rt_sigaction', 'rt_sigprocmask', 'setsockopt', 'statx'],
        ...['uname', 'write', 'writev'],
      ],
      action: 'SCMP_ACT_ALLOW',
    },
    {
      names: ['socket'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 2, op: 'SCMP_CMP_EQ' }],
    },
  ],
}

function contestants() {
  mkdirSync(built, { recursive: true })
  const file = path.join(built, 'cli-profile.json')
  writeFileSync(file, JSON.stringify(PROFILE, undefined, 2))
  return [
    ['node -e 0', ['-e', '0']],
    ['seccomp-ts --version', [cli, '--version']],
    ['seccomp-ts explain P ptrace', [cli, 'explain', file, 'ptrace']],
    ['seccomp-ts explain P socket family=40', [cli, 'explain', file, 'socket', 'family=40']],
    ['seccomp-ts diff P P', [cli, 'diff', file, file]],
  ]
}

const EXPECTED = /explain/

async function measureCli({ rounds = 30 }) {
  const starts = contestants()
  const timed = program('c/timed.c')
  const start = (args) => {
    const [wall, cpu] = run(timed, [process.execPath, ...args])
      .trim()
      .split('\n')
      .at(-1)
      .split(' ')
      .map(Number)
    return { wall, cpu }
  }
  for (const [, args] of starts) start(args)
  const names = starts.map(([name]) => name)
  const samples = await takeTurns(rounds, names, (name) =>
    start(starts.find(([each]) => each === name)[1]),
  )
  const [bare] = names
  const of = (name, what) => median(samples[name].map((each) => each[what]))
  const pairs = (name, what) =>
    median(samples[name].map((each, round) => each[what] / samples[bare][round][what]))
  return {
    rounds,
    commands: names.map((name) => ({
      name,
      nanoseconds: { wall: of(name, 'wall'), cpu: of(name, 'cpu') },
      // Of the same round: less moved by what else runs on the machine.
      ratio: { wall: pairs(name, 'wall'), cpu: pairs(name, 'cpu') },
    })),
    expected: 'explain <= 1.5',
  }
}

function printCli({ rounds, commands }) {
  return [
    `Medians of ${rounds} rounds; ratios are medians of pairs:`,
    table([
      ['', 'clock ms', 'ratio', 'processor ms', 'ratio', 'expected'],
      ...commands.map(({ name, nanoseconds, ratio }) => [
        name,
        milliseconds(nanoseconds.wall),
        ratio.wall.toFixed(2),
        milliseconds(nanoseconds.cpu),
        ratio.cpu.toFixed(2),
        EXPECTED.test(name) ? '<= 1.5' : '',
      ]),
    ]),
  ].join('\n')
}

module.exports = { measure: measureCli, print: printCli }
