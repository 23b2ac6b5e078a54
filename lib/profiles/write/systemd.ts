/**
 * SystemCallFilter= of a systemd unit (systemd.exec(5)). It knows calls by name, and allows, kills or
 * says an errno: not what arguments a call has. What it cannot tell apart gets the least permissive of
 * the answers there are. A call a line, so that a change is one.
 */
import { Diagrams } from '../../analysis/diagram'
import { permissiveness, runs } from '../../analysis/verdict'
import { PolicyError } from '../../errors'
import { RETURN_VALUE } from '../../policy'
import type { SyscallName } from '../../syscalls'
import { groupMembers, isKnownSomewhere } from '../dialects/systemd'
import { errnoWord, fallbackOf, reportCompanions, reportUnnamedNumbers } from './entries'
import { leavesOf, verdicts } from './flatten'
import type { Source } from './source'

const { allow: ALLOW, errno: ERRNO, kill: KILL, log: LOG } = RETURN_VALUE
const EPERM = ERRNO + 1
const ENOSYS = ERRNO + 38

export function writeSystemd(source: Source): string {
  const own = fallbackOf(source)
  if (own === LOG) {
    throw new PolicyError('ERR_INEXPRESSIBLE', {
      path: '$.default',
      problem: "systemd cannot log every call that nothing says otherwise of ('log')",
    })
  }
  const fallback = nearest(own)
  if (fallback !== own) {
    source.losses.add('warning', 'action', '$.default', actionMessage(own, fallback))
    source.losses.numbersChanged = true
  }
  reportCompanions(source)
  reportUnnamedNumbers(source, fallback)
  const answers = answersOf(source, fallback)
  const body = fallback === ALLOW ? denied(answers) : allowed(source, answers, fallback)
  const name = source.name === undefined ? [] : [`# ${source.name.replace(/[^\x20-\x7e]+/g, ' ')}`]
  return [...name, '[Service]', 'SystemCallArchitectures=native', ...body, ''].join('\n')
}

/** What systemd has that permits no more. */
function nearest(verdict: number): number {
  if (verdict === ALLOW || verdict === KILL) return verdict
  if (verdict > ERRNO && verdict < ERRNO + 4095) return verdict
  if (verdict === ERRNO) return EPERM
  // Without a tracer or a listener, that is what the kernel says.
  return permissiveness(verdict) > permissiveness(ERRNO) ? ENOSYS : KILL
}

/** One answer for every call. */
function answersOf(source: Source, fallback: number): ReadonlyMap<SyscallName, number> {
  const { rules, losses } = source
  const own = fallbackOf(source)
  const diagrams = new Diagrams()
  const answers = new Map<SyscallName, number>()
  for (const [name, verdict] of verdicts(rules, diagrams)) {
    const words = [...leavesOf(diagrams, verdict)].map((leaf) => diagrams.wordOf(leaf))
    const least = Math.min(...words.map(permissiveness))
    const strict = words.filter((word) => permissiveness(word) === least).sort((a, b) => a - b)
    const word = strict.find((each) => each === own) ?? strict[0] ?? own
    const answer = word === LOG ? denying(fallback, name) : nearest(word)
    answers.set(name, answer)
    const path = `$.syscalls.${name}`
    if (words.length > 1) {
      const message = `${name}: systemd cannot tell its arguments apart, so it is ${text(answer)} whatever they are`
      losses.change('conditions', path, [name], message)
    } else if (answer !== word) {
      // What the default gets was said of the default.
      if (word === own) losses.mark(name)
      else losses.change('action', path, [name], `${name}: ${actionMessage(word, answer)}`)
    }
  }
  return answers
}

/** @throws PolicyError ERR_INEXPRESSIBLE where the default lets calls run, so that refusing is no way out */
function denying(fallback: number, name: SyscallName): number {
  if (!runs(fallback)) return fallback
  throw new PolicyError('ERR_INEXPRESSIBLE', {
    path: `$.syscalls.${name}`,
    problem: "systemd cannot log single calls ('log')",
  })
}

const text = (verdict: number): string =>
  verdict === ALLOW ? 'allowed' : verdict === KILL ? 'killed' : errnoWord(verdict - ERRNO)

const actionMessage = (from: number, to: number): string =>
  from === LOG
    ? `systemd has no 'log' for single calls: ${text(to)}`
    : `systemd has no such action: ${text(to)}`

/** A list of what is allowed. @default is in each, whether it is written or not. */
function allowed(
  { explicit, losses }: Source,
  answers: ReadonlyMap<SyscallName, number>,
  fallback: number,
): string[] {
  const defaults = new Set(groupMembers('@default'))
  const lines = ['SystemCallFilter=@default']
  if (fallback !== KILL) lines.unshift(`SystemCallErrorNumber=${text(fallback)}`)
  const unknown: SyscallName[] = []
  for (const [name, answer] of answers) {
    if (answer === ALLOW) {
      if (!isKnownSomewhere(name)) unknown.push(name)
      if (!defaults.has(name)) lines.push(`SystemCallFilter=${name}`)
    } else if (answer !== fallback || explicit.has(name)) {
      lines.push(`SystemCallFilter=${name}:${answer === KILL ? 'kill' : text(answer)}`)
    } else if (defaults.has(name)) lines.push(`SystemCallFilter=~${name}`)
  }
  if (unknown.length > 0) {
    const message = `systemd 252 does not know ${unknown.join(', ')}, and refuses them`
    losses.add('warning', 'unknown-to-systemd', '$.syscalls', message)
  }
  if (answers.get('execve') !== ALLOW) {
    const message = 'systemd starts the service by execve(2) under this filter: it will not start'
    losses.add('warning', 'execve', '$.syscalls.execve', message)
  }
  return lines
}

/** A list of what is denied. @throws PolicyError ERR_INEXPRESSIBLE */
function denied(answers: ReadonlyMap<SyscallName, number>): string[] {
  const lines: string[] = []
  for (const [name, answer] of answers) {
    if (answer === ALLOW) continue
    if (!isKnownSomewhere(name)) {
      throw new PolicyError('ERR_INEXPRESSIBLE', {
        path: `$.syscalls.${name}`,
        problem: `systemd 252 does not know '${name}' and would pass over the line that denies it`,
        hint: 'List what is allowed instead of what is denied.',
      })
    }
    lines.push(`SystemCallFilter=~${name}:${answer === KILL ? 'kill' : text(answer)}`)
  }
  if (lines.length > 0) return lines
  throw new PolicyError('ERR_INEXPRESSIBLE', {
    path: '$',
    problem: 'nothing is denied, and a unit that denies nothing has no SystemCallFilter=',
  })
}
