/** A process that died, and what it left: an exit code, what it printed, the kernel's lines → why. */
import type { SyscallName } from '../syscalls'
import type { LogSummary } from './summarise'

/** What is known of a process or container that ended. All of it is optional. */
export interface Remains {
  /** As a shell or a container engine tells it: 128 and the signal, where there was one. */
  readonly exitCode?: number | undefined
  /** `SIGSYS`, where whoever waited for the process was told. */
  readonly signal?: string | undefined
  /** What the process, the runtime or the engine printed. */
  readonly text?: string | undefined
  /** The kernel's lines of that time: they name the call. */
  readonly summary?: LogSummary | undefined
}

export interface Diagnosis {
  /** `kernel`: the kernel's own record names it. `text`, `exit`: it looks like it. */
  readonly by: 'kernel' | 'text' | 'exit'
  readonly what: string
  /** Calls of which one was refused, where that can be said. */
  readonly calls: readonly SyscallName[]
  /** Who made them: the program, or the container's runtime before it. */
  readonly who: 'program' | 'runtime' | 'either'
  readonly fix: string
  /** How that is known. */
  readonly source: string
}

interface Signature extends Omit<Diagnosis, 'by'> {
  readonly text?: RegExp
  readonly exitCodes?: readonly number[]
}

const RUNTIME_FIX =
  'Allow it in the container’s profile: the runtime makes it under the profile, before the program is there.'
const PROGRAM_FIX = 'Allow it in the policy or profile.'
const RUNC = 'measured: runc and Node 20 under Docker’s default profile without that call'
const DENIED = 'measured: Node 18 to 26 with that call denied after start'

/**
 * From measurements, which `source` names. Where another version of runc, libuv or Node says the same in
 * other words that are known, the pattern takes those too.
 */
export const SIGNATURES: readonly Signature[] = [
  {
    text: /The futex facility returned an unexpected error code/,
    what: 'glibc aborted because futex was refused with an errno',
    calls: ['futex'],
    who: 'program',
    fix: PROGRAM_FIX,
    source: RUNC,
  },
  {
    text: /\bfutexwakeup addr=\S{1,32} returned -1\b/,
    what: 'the Go runtime of runc gave up because futex was refused with an errno',
    calls: ['futex'],
    who: 'runtime',
    fix: RUNTIME_FIX,
    source: RUNC,
  },
  {
    text: /error while loading shared libraries: .{0,512}cannot read file data/,
    what: 'the dynamic loader could not read a library',
    calls: ['read', 'pread64'],
    who: 'program',
    fix: PROGRAM_FIX,
    source: RUNC,
  },
  {
    text: /error while loading shared libraries: .{0,512}cannot apply additional memory protection/,
    what: 'the dynamic loader could not protect a library’s memory',
    calls: ['mprotect'],
    who: 'program',
    fix: PROGRAM_FIX,
    source: RUNC,
  },
  {
    text: /open exec fifo \/proc\/self\/fd\/\d+: operation not permitted/,
    what: 'runc could not open the pipe on which it waits to start the program',
    calls: ['openat'],
    who: 'runtime',
    fix: RUNTIME_FIX,
    source: RUNC,
  },
  {
    text: /close log pipe fd \d+: operation not permitted/,
    what: 'runc could not close a descriptor',
    calls: ['close'],
    who: 'runtime',
    fix: RUNTIME_FIX,
    source: RUNC,
  },
  {
    text: /error closing exec fds: open \/proc\/self\/fd: function not implemented/,
    what: 'runc could not look for descriptors to close: an allow-list without openat, and runc answers ENOSYS to numbers above the highest in the profile',
    calls: ['openat', 'getdents64', 'fcntl', 'close'],
    who: 'runtime',
    fix: RUNTIME_FIX,
    source: RUNC,
  },
  {
    text: /\bexec(?:ve)? (?:user process|\S{1,512})(?: caused)?: operation not permitted/,
    what: 'the runtime could not start the program',
    calls: ['execve'],
    who: 'runtime',
    fix: RUNTIME_FIX,
    source: RUNC,
  },
  {
    text: /runc did not terminate successfully: exit status 2/,
    what: 'runc itself gave up, as it does where getppid is refused and no_new_privs is off',
    calls: ['getppid'],
    who: 'runtime',
    fix: RUNTIME_FIX,
    source: RUNC,
  },
  {
    text: /cannot start a (?:stopped process|container that has stopped)|container process is already dead/,
    what: 'runc’s first process died before it became the program',
    calls: [],
    who: 'runtime',
    fix: 'The kernel’s log says which call it was, in a line with comm="runc:[2:INIT]".',
    source: RUNC,
  },
  {
    text: /cannot load seccomp profile .{0,512}: no such file or directory/,
    what: 'the profile is not where the node looks for it',
    calls: [],
    who: 'runtime',
    fix: 'A Localhost profile is a file on every node, below the kubelet’s seccomp folder.',
    source: 'measured: containerd’s CRI',
  },
  {
    text: /libuv: io_uring_enter\((?:getevents|submit)\)/,
    what: 'libuv aborted because a ring it had from before was refused',
    calls: ['io_uring_enter'],
    who: 'program',
    fix: 'Refuse io_uring_setup too, before Node starts; lockdown() retires the rings by itself.',
    source: DENIED,
  },
  {
    text: /rseq registration failed/,
    what: 'glibc aborted when a new thread could not register with rseq',
    calls: ['rseq'],
    who: 'program',
    fix: PROGRAM_FIX,
    source: DENIED,
  },
  {
    text: /ERR_WORKER_INIT_FAILED/,
    what: 'a Worker could not make its event loop or its thread',
    calls: ['epoll_create1', 'eventfd2', 'pipe2', 'clone', 'clone3', 'getcwd', 'capget'],
    who: 'program',
    fix: 'Allow them; clone3 must answer ENOSYS and not EPERM.',
    source: DENIED,
  },
  {
    text: /CSPRNG\(nullptr, 0\)|\bCSPRNG\b.{0,200}(?:failed|assertion)/i,
    what: 'Node found no random numbers',
    calls: ['getrandom'],
    who: 'program',
    fix: PROGRAM_FIX,
    source: RUNC,
  },
  {
    exitCodes: [159],
    what: 'a filter killed it (SIGSYS)',
    calls: [],
    who: 'either',
    fix: 'The kernel’s log says which call it was: read it with readLog, and give the summary too.',
    source: 'signal(7): 31 is SIGSYS, and 128 is added by whoever tells it as an exit code',
  },
  {
    exitCodes: [133],
    what: 'V8 gave up (SIGTRAP), as it does where madvise is refused',
    calls: ['madvise'],
    who: 'program',
    fix: PROGRAM_FIX,
    source: RUNC,
  },
  {
    exitCodes: [134, 139],
    what: 'Node or libuv found a call refused that cannot be, and gave up (SIGABRT, SIGSEGV)',
    calls: [
      ...(['futex', 'eventfd2', 'clone', 'fcntl', 'rt_sigaction', 'epoll_pwait'] as const),
      ...(['pipe2', 'mmap', 'brk', 'getrandom'] as const),
    ],
    who: 'program',
    fix: 'If it does so without the filter, the filter is not why. With one that logs (`log: true`), the kernel says which call it was.',
    source: RUNC,
  },
]

/** asm/signal.h, of those that are in the table. */
const SIGNALS: ReadonlyMap<string, number> = new Map([
  ['SIGTRAP', 5],
  ['SIGABRT', 6],
  ['SIGSEGV', 11],
  ['SIGSYS', 31],
])

/** No message is longer, and a log may be. */
const LONGEST_TEXT = 1 << 20

/**
 * Why a process under a filter may have died: what is certain first. Nothing is found where nothing is
 * known, which is no proof that the filter was not the reason.
 */
export function diagnose(remains: Remains): readonly Diagnosis[] {
  const found = remains.summary === undefined ? [] : fromKernel(remains.summary)
  const text = remains.text?.slice(-LONGEST_TEXT)
  for (const signature of SIGNATURES) {
    if (text !== undefined && signature.text?.test(text) === true) {
      found.push(diagnosisOf(signature, 'text'))
    }
  }
  // What only an exit code tells is a guess among many, and no news where something better is known.
  if (found.length > 0) return found
  const signal = SIGNALS.get(remains.signal ?? '')
  const code = signal === undefined ? remains.exitCode : 128 + signal
  for (const signature of SIGNATURES) {
    if (code !== undefined && signature.exitCodes?.includes(code) === true) {
      found.push(diagnosisOf(signature, 'exit'))
    }
  }
  return found
}

const diagnosisOf = (
  { what, calls, who, fix, source }: Signature,
  by: Diagnosis['by'],
): Diagnosis => ({ by, what, calls, who, fix, source })

/** Whoever the kernel says it killed. */
function fromKernel({ programs }: LogSummary): Diagnosis[] {
  return programs.flatMap(({ name, runtime, calls }) =>
    calls
      .filter(({ action }) => action === 'kill' || action === 'killThread' || action === 'trap')
      .map(({ syscall, unnamed, arch, action, count }): Diagnosis => {
        const call = syscall ?? `call ${unnamed ?? ''} of ${arch ?? 'an unknown architecture'}`
        const who = runtime === undefined ? name : `${name} (${runtime})`
        return {
          by: 'kernel',
          what: `${call} was refused to ${who} by ${action === 'trap' ? 'a signal' : 'killing it'}${count === 1 ? '' : `, ${count} times`}`,
          calls: syscall === undefined ? [] : [syscall],
          who: runtime === undefined ? 'program' : 'runtime',
          fix: runtime === undefined ? PROGRAM_FIX : RUNTIME_FIX,
          source: 'the kernel’s own record',
        }
      }),
  )
}
