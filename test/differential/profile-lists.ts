/** Random profiles as people and tools write them: the old and the new form, conditions, errnos, mistakes. */
import { syscallNames } from '../../lib/syscalls'
import { wideAtBorders, type Random } from '../helpers/analysis'

const NAMES = syscallNames('x86_64')
/** Called by several numbers on i386. */
const SHARED_NAMES = ['socket', 'sendto', 'shmat', 'semctl'] as const
/** Of other architectures, misspelt, of tools. */
const ODD_NAMES = ['_newselect', 'arm_sync_file_range', 'opennat', 'procexit', 'read '] as const
const OPERATORS = ['EQ', 'EQ', 'NE', 'LT', 'LE', 'GE', 'GT', 'MASKED_EQ'] as const
const CAPS = ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE', 'CAP_CHOWN', 'CAP_KILL', 'CAP_BPF'] as const
const ERRNOS = ['EPERM', 'ENOSYS', 'ENOTTY', '38', 'EACCES'] as const
const DEFAULTS = [
  'ERRNO',
  'ERRNO',
  'KILL_PROCESS',
  'KILL',
  'TRAP',
  'LOG',
  'ALLOW',
  'TRACE',
] as const
const ACTIONS = [...DEFAULTS, 'ALLOW', 'ALLOW', 'ALLOW', 'KILL_THREAD'] as const

type Fields = Record<string, unknown>

/** @returns the text, in which integers have all their digits */
export function randomProfile(random: Random): string {
  const count = 1 + random.below(8)
  const action = random.pick(DEFAULTS)
  const profile: Fields = {
    defaultAction: `SCMP_ACT_${action}`,
    ...errnoOf(random, action, 'default'),
    ...architectures(random),
    ...(random.oneIn(12) ? { flags: ['SECCOMP_FILTER_FLAG_LOG'] } : {}),
    ...(random.oneIn(8) ? { listenerPath: '/run/agent.sock' } : {}),
    syscalls: Array.from({ length: count }, () => randomEntry(random)),
  }
  return stringify(profile)
}

const stringify = (profile: Fields): string =>
  JSON.stringify(profile, (_, value: unknown) =>
    typeof value === 'bigint' ? `@${value}` : value,
  ).replace(/"@(\d+)"/g, '$1')

function architectures(random: Random): Fields {
  const others = random.oneIn(2) ? ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] : []
  if (random.oneIn(3)) {
    const subArchitectures = others
    return { archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures }] }
  }
  if (random.oneIn(20)) return { architectures: ['x86_64'] }
  return random.oneIn(3) ? {} : { architectures: ['SCMP_ARCH_X86_64', ...others] }
}

/** Mostly what its action can carry. */
function errnoOf(random: Random, action: string, prefix: '' | 'default'): Fields {
  const [number, name] = prefix === '' ? ['errnoRet', 'errno'] : ['defaultErrnoRet', 'defaultErrno']
  if (action !== 'ERRNO' && action !== 'TRACE') return random.oneIn(60) ? { [number]: 1 } : {}
  if (random.oneIn(6)) return { [name]: random.pick(ERRNOS) }
  if (random.oneIn(3)) return {}
  return { [number]: random.oneIn(12) ? 4090 + random.below(10) : random.below(40) }
}

function randomEntry(random: Random): Fields {
  const action = random.oneIn(25) ? 'NOTIFY' : random.pick(ACTIONS)
  const names = Array.from({ length: random.below(6) }, () =>
    random.pick(random.oneIn(25) ? ODD_NAMES : random.oneIn(8) ? SHARED_NAMES : NAMES),
  )
  if (random.oneIn(80)) names.push('' as 'read')
  const conditional = random.oneIn(2)
  if (!conditional && random.oneIn(4)) names.push(random.pick(['socketcall', 'ipc']) as 'read')
  return {
    ...(random.oneIn(10) ? { name: random.pick(NAMES) } : { names }),
    action: `SCMP_ACT_${action}`,
    ...errnoOf(random, action, ''),
    ...(conditional ? { args: randomArgs(random) } : {}),
    ...(random.oneIn(4) ? { includes: randomFilter(random) } : {}),
    ...(random.oneIn(5) ? { excludes: randomFilter(random) } : {}),
    ...(random.oneIn(9) ? { comment: 'why' } : {}),
  }
}

function randomFilter(random: Random): Fields {
  return {
    ...(random.oneIn(2) ? { caps: [random.pick(CAPS)] } : {}),
    ...(random.oneIn(3) ? { arches: [random.pick(['amd64', 'arm64', 's390x', 'x32'])] } : {}),
    ...(random.oneIn(3) ? { minKernel: random.pick(['4.8', '6.1', '6.2', '99.0']) } : {}),
  }
}

/** Each of its own index, mostly: twice the same makes them alternatives. */
function randomArgs(random: Random): Fields[] {
  const count = random.oneIn(30) ? 7 : random.below(4)
  return Array.from({ length: count }, (_, at) => {
    const op = random.pick(OPERATORS)
    const value = random.oneIn(2) ? BigInt(random.below(64)) : wideAtBorders(random)
    return {
      index: random.oneIn(60) ? 6 : random.oneIn(5) ? random.below(6) : at % 6,
      value,
      ...(op === 'MASKED_EQ' || random.oneIn(15) ? { valueTwo: value & random.wide() } : {}),
      op: `SCMP_CMP_${op}`,
    }
  })
}
