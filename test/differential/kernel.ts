/** Programs on the live kernel, through kernel.c: what it made of every call, and what it should have. */
import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Call } from '../../lib/analysis/interpreter'
import { describeVerdict, verdictOf } from '../../lib/analysis/verdict'
import { findSyscall, type Arch, type SyscallName } from '../../lib/syscalls'
import { cProgram } from '../../scripts/c-program'

/** Made with any arguments at all, by root too, these change nothing and answer the same each time. */
const WITHOUT_POINTERS: readonly SyscallName[] = [
  ...(['getpgid', 'getsid', 'getpriority', 'ioprio_get', 'sched_getscheduler'] as const),
  ...(['sched_get_priority_max', 'sched_get_priority_min', 'sched_yield'] as const),
  ...(['getuid', 'geteuid', 'getgid', 'getegid', 'getppid', 'getpgrp'] as const),
  ...(['timer_getoverrun', 'timer_delete', 'io_destroy', 'inotify_rm_watch'] as const),
]

/** These write where they are told to: never to memory that a process can have, see `harmless`. */
const WITH_POINTERS: readonly SyscallName[] = [
  ...(['getcpu', 'getresuid', 'getresgid', 'uname', 'sysinfo', 'times', 'getcwd'] as const),
  ...(['getrusage', 'getrlimit', 'sched_getparam', 'sched_rr_get_interval'] as const),
  ...(['clock_gettime', 'clock_getres', 'gettimeofday', 'rt_sigpending', 'capget'] as const),
]

/** Except that these are about other processes, which come and go. */
const ABOUT_OTHERS: readonly SyscallName[] = [
  ...(['getpgid', 'getsid', 'getpriority', 'ioprio_get', 'sched_getscheduler'] as const),
  ...(['sched_getparam', 'sched_rr_get_interval'] as const),
]

const numbersOf = (names: readonly SyscallName[], arch: Arch): number[] =>
  names.flatMap((name) => findSyscall(name, arch)?.number ?? [])

/** The numbers of calls that are harmless with any arguments. */
export interface HarmlessCalls {
  readonly plain: readonly number[]
  /** Of these, the calls that need not answer the same a moment later. */
  readonly aboutOthers: ReadonlySet<number>
  /** Harmless with arguments that went through `harmless`. */
  readonly withPointers: ReadonlySet<number>
}

export function callsOf(arch: Arch): HarmlessCalls {
  return {
    plain: numbersOf(WITHOUT_POINTERS, arch),
    aboutOthers: new Set(numbersOf(ABOUT_OTHERS, arch)),
    withPointers: new Set(numbersOf(WITH_POINTERS, arch)),
  }
}

/** Addresses of the kernel's, which it neither reads nor writes for anybody. */
export const harmless = (args: readonly bigint[]): bigint[] =>
  args.map((value) => value | 0x8000000000000000n)

export interface Case {
  readonly program: Uint8Array
  readonly calls: readonly { readonly number: number; readonly args: readonly bigint[] }[]
}

/** kernel.c */
export type Outcome = readonly [what: 'done' | 'trapped' | 'killed', value: number]
const WHAT = [undefined, undefined, 'done', 'trapped', 'killed'] as const

export interface Observed {
  /** Of every call. */
  readonly instructionPointer: bigint
  /** By case and call. */
  readonly outcomes: readonly (readonly Outcome[])[]
  /** The same without a filter. */
  readonly unfiltered: readonly (readonly Outcome[])[]
}

/** kernel.c: MAX_CALLS */
const MAX_CALLS = 4096

/** @param uid a user without rights, and with no_new_privs; without it, as who runs the tests */
export function observe(cases: readonly Case[], uid?: number): Observed {
  // From the same process, whose children have the same parent, and in as few children as will do.
  const all = cases.flatMap(({ calls }) => calls)
  const chunks: Case[] = []
  for (let from = 0; from < all.length; from += MAX_CALLS) {
    chunks.push({ program: new Uint8Array(0), calls: all.slice(from, from + MAX_CALLS) })
  }
  const { instructionPointer, outcomes } = runOnKernel([...chunks, ...cases], uid)
  const flat = outcomes.slice(0, chunks.length).flat()
  let from = 0
  const unfiltered = cases.map(({ calls }) => flat.slice(from, (from += calls.length)))
  return { instructionPointer, outcomes: outcomes.slice(chunks.length), unfiltered }
}

function runOnKernel(
  cases: readonly Case[],
  uid: number | undefined,
): { instructionPointer: bigint; outcomes: Outcome[][] } {
  const harness = cProgram(join(__dirname, 'kernel.c'), { missing: 'It takes a C compiler.' })
  const ran = spawnSync(harness, uid === undefined ? [] : [String(uid)], {
    input: Buffer.concat(cases.map(encode)),
    maxBuffer: 1 << 30,
  })
  if (ran.status !== 0)
    throw new Error(`kernel.c ended with ${ran.status}: ${ran.stderr.toString()}`)
  const output = ran.stdout
  let offset = 8
  const next = (): number => {
    offset += 8
    return Number(output.readBigInt64LE(offset - 8))
  }
  const outcomes = cases.map(({ calls }) =>
    calls.map((): Outcome => {
      const what = WHAT[next()]
      if (what === undefined) throw new Error('kernel.c said nothing of a call')
      return [what, next()]
    }),
  )
  return { instructionPointer: output.readBigUInt64LE(0), outcomes }
}

function encode({ program, calls }: Case): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(program.length / 8)
  head.writeUInt32LE(calls.length, 4)
  const words = BigUint64Array.from(calls.flatMap(({ number, args }) => [BigInt(number), ...args]))
  return Buffer.concat([head, program, Buffer.from(words.buffer)])
}

const ENOSYS = -38

/** What seccomp(2) says becomes of a call of that verdict, where nobody traces or listens. */
export function expected(value: number, unfiltered: Outcome): Outcome {
  const verdict = verdictOf(value)
  const { action, data = 0 } = describeVerdict(verdict)
  switch (action) {
    case 'log':
    case 'allow':
      return unfiltered
    case 'errno':
      return ['done', -(verdict & 0xffff)]
    case 'trap':
      return ['trapped', data]
    case 'trace':
    case 'notify':
      return ['done', ENOSYS]
    case 'kill':
    case 'killThread':
      return ['killed', constants.signals.SIGSYS]
  }
}

/** Errnos that calls really fail with are below: asm-generic/errno.h. */
const LEAST_RESULT = -200

/** Whether this is what a call that ran may have answered. */
export const mayHaveRun = ([what, value]: Outcome): boolean =>
  what === 'done' && value > LEAST_RESULT && value !== ENOSYS

export const describeCase = ({ number, args }: Omit<Call, 'arch' | 'instructionPointer'>): string =>
  `${number}(${args.map((value) => `0x${value.toString(16)}`).join(', ')})`
