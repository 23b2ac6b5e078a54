/**
 * SystemCallFilter= and its companions of a systemd unit: systemd.exec(5), and for what that leaves open
 * seccomp_parse_syscall_filter() and config_parse_syscall_filter() of systemd 252.
 *
 * The first assignment makes it a list of what is allowed or (with ~) of what is denied; each later one
 * adds to the list or takes from it.
 */
import type { ProfilePlace } from '../../errors'
import { SYSTEMD_GROUPS } from '../generated/systemd-groups'
import type { Reading } from '../reading'
import { quote, type Lines } from '../tree'
import type { Profile, ProfileEntry } from '../types'
import { errnoOf } from '../vocabulary'

const expanded = new Map<string, readonly string[]>()

/** Group → its members, groups within it followed. */
export function groupMembers(name: string): readonly string[] | undefined {
  const known = expanded.get(name)
  if (known !== undefined) return known
  const members = groups()
    .get(name)
    ?.flatMap((member) => (member.startsWith('@') ? (groupMembers(member) ?? []) : [member]))
  if (members !== undefined) expanded.set(name, members)
  return members
}

/** Every name systemd knows, on any architecture. */
export const isKnownSomewhere = (name: string): boolean =>
  (known ??= new Set(groupMembers('@known'))).has(name)

let known: ReadonlySet<string> | undefined
let parsed: ReadonlyMap<string, readonly string[]> | undefined

const groups = (): ReadonlyMap<string, readonly string[]> =>
  (parsed ??= new Map(
    SYSTEMD_GROUPS.split('\n').map((line) => {
      const [name = '', ...members] = line.split(' ')
      return [name, members]
    }),
  ))

interface Word {
  readonly text: string
  readonly offset: number
}

interface Assignment extends Word {
  readonly key: string
}

/** What happens to one call: an errno, or to be killed; or undefined, what the list is about. */
interface Listed {
  readonly errno: number | 'kill' | undefined
  readonly word: number
}

/** Architectures by systemd's names that are one of ours. */
const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x86', 'SCMP_ARCH_X86'],
  ['x86-64', 'SCMP_ARCH_X86_64'],
  ['x32', 'SCMP_ARCH_X32'],
  ['arm', 'SCMP_ARCH_ARM'],
  ['arm64', 'SCMP_ARCH_AARCH64'],
])

export function readSystemd(reading: Reading, text: string, lines: Lines): Omit<Profile, 'faults'> {
  const filter = new Filter(reading, lines)
  const architectures: string[] = []
  let negative: number | 'kill' = 'kill'
  for (const assignment of assignments(text)) {
    const { key, offset } = assignment
    const place = lines.place(offset, `$.${key}`)
    const value = assignment.text.trim()
    if (key === 'SystemCallFilter') filter.assign(assignment)
    else if (key === 'SystemCallErrorNumber') {
      const errno = value === '' || value === 'kill' ? 'kill' : errnoOf(value)
      if (errno === undefined) {
        reading.report('error', 'unknown-errno', place, `there is no errno ${quote(value)}`)
      } else negative = errno
    } else if (key === 'SystemCallArchitectures') {
      if (value === '') architectures.length = 0
      for (const { text: name } of words(assignment)) {
        const architecture = ARCHITECTURES.get(name)
        if (architecture !== undefined) architectures.push(architecture)
        // What is native is in every filter.
        else if (name !== 'native') {
          const message = `${quote(name)} is no architecture there are tables for`
          reading.report('warning', 'other-architectures', place, message)
        }
      }
    } else if (key === 'SystemCallLog' && value !== '') {
      const message = 'SystemCallLog= is not read: what it logs is not logged'
      reading.report('error', 'ignored-key', place, message)
    }
  }
  return filter.profile(negative, architectures)
}

/** The settings of a unit that are about system calls; of a bare list, that list. */
function* assignments(text: string): Iterable<Assignment> {
  if (!/^[ \t]*\w+[ \t]*=/m.test(text)) {
    yield { key: 'SystemCallFilter', text, offset: 0 }
    return
  }
  // A line that ends in a backslash goes on in the next; the backslash counts as a space.
  const joined = text.replace(/\\\r?\n/g, (end) => ' '.repeat(end.length))
  const setting = /^[ \t]*(SystemCall\w+)[ \t]*=([^\r\n]*)/gm
  for (const match of joined.matchAll(setting)) {
    const [whole, key = '', value = ''] = match
    yield { key, text: value, offset: match.index + whole.length - value.length }
  }
}

function* words({ text, offset }: Word): Iterable<Word> {
  for (const match of text.matchAll(/[^\s]+/g)) {
    yield { text: match[0], offset: offset + match.index }
  }
}

class Filter {
  readonly #reading: Reading
  readonly #lines: Lines
  /** Undefined before the first assignment. */
  #kind: 'allow' | 'deny' | undefined
  readonly #list = new Map<string, Listed>()
  readonly #words: ProfilePlace[] = []

  constructor(reading: Reading, lines: Lines) {
    this.#reading = reading
    this.#lines = lines
  }

  assign(assignment: Assignment): void {
    const { text, offset } = assignment
    const place = this.#lines.place(offset, '$.SystemCallFilter')
    if (text.trim() === '') {
      this.#reading.report('info', 'reset', place, 'an empty assignment: the list begins anew')
      this.#list.clear()
      this.#kind = undefined
      return
    }
    const inverted = /^\s*~/.test(text)
    if (this.#kind === undefined) {
      this.#kind = inverted ? 'deny' : 'allow'
      // config_parse_syscall_filter(): "Accept default syscalls if we are on an allow_list".
      if (this.#kind === 'allow') this.#change('@default', undefined, true, place)
    }
    const adds = inverted === (this.#kind === 'deny')
    const rest = inverted ? text.replace('~', ' ') : text
    for (const word of words({ text: rest, offset })) {
      const at = this.#lines.place(word.offset, '$.SystemCallFilter')
      const [name = '', suffix, ...more] = word.text.split(':')
      const errno = suffix === 'kill' ? 'kill' : suffix === undefined ? undefined : errnoOf(suffix)
      if ((suffix !== undefined && errno === undefined) || more.length > 0) {
        const message = `there is no errno ${quote(word.text.slice(name.length + 1))}`
        this.#reading.report('error', 'unknown-errno', at, message)
      } else this.#change(name, errno, adds, at)
    }
  }

  #change(name: string, errno: Listed['errno'], adds: boolean, place: ProfilePlace): void {
    const names = name.startsWith('@') ? groupMembers(name) : [name]
    if (names === undefined) {
      const message = `there is no group ${quote(name)}${this.#reading.suggestion(name, [...groups().keys()])}`
      this.#reading.report('error', 'unknown-group', place, message)
      return
    }
    const word = this.#words.push(place) - 1
    for (const each of names) {
      if (adds) this.#list.set(each, { errno, word })
      else if (!this.#list.delete(each) && names.length === 1) {
        const message = `${quote(each)} is taken from the list, and is not in it`
        this.#reading.report('warning', 'nothing-removed', place, message)
      }
    }
  }

  profile(negative: number | 'kill', architectures: readonly string[]): Omit<Profile, 'faults'> {
    const place = this.#lines.place(0, '$')
    const refusal = actionOf(negative)
    const listed = this.#kind === 'allow' ? ({ action: 'SCMP_ACT_ALLOW' } as const) : refusal
    const entries = new Map<string, ProfileEntry & { names: string[] }>()
    for (const [name, { errno, word }] of this.#list) {
      const at = this.#words[word] ?? place
      const key = `${word} ${errno ?? ''}`
      const entry = entries.get(key)
      if (entry !== undefined) entry.names.push(name)
      else {
        const action = errno === undefined ? listed : actionOf(errno)
        entries.set(key, { place: at, names: [name], args: [], ...action })
      }
    }
    const fallback = this.#kind === 'allow' ? refusal : ({ action: 'SCMP_ACT_ALLOW' } as const)
    if (this.#kind === undefined) {
      const message = 'no system call is listed: systemd makes no filter'
      this.#reading.report('error', 'no-filter', place, message)
    }
    return {
      dialect: 'systemd',
      place,
      defaultAction: fallback.action,
      ...('errno' in fallback ? { defaultErrno: fallback.errno } : {}),
      ...(architectures.length === 0 ? {} : { architectures }),
      entries: [...entries.values()],
    }
  }
}

const actionOf = (errno: number | 'kill'): Pick<ProfileEntry, 'action' | 'errno'> =>
  errno === 'kill' ? { action: 'SCMP_ACT_KILL_PROCESS' } : { action: 'SCMP_ACT_ERRNO', errno }
