/** --caps → names of capabilities. */
import { CAPABILITIES } from '../profiles/vocabulary'
import { suggest } from '../syscalls/suggest'
import { didYouMean } from './arguments'
import { UsageError } from './errors'

/** moby, daemon/pkg/oci/caps/defaults.go: the bounding set of a container that asks for nothing. */
const DOCKER: readonly string[] = [
  ...['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID'],
  ...['SETFCAP', 'SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE'],
].map((name) => `CAP_${name}`)

const SETS: ReadonlyMap<string, readonly string[]> = new Map([
  ['all', CAPABILITIES],
  ['docker', DOCKER],
  ['none', []],
])

/** Names with or without CAP_, in any case, and names of sets. @throws UsageError */
export function capabilities(list: string): readonly string[] {
  const found = new Set<string>()
  for (const word of list.split(',').map((each) => each.trim())) {
    const set = SETS.get(word.toLowerCase())
    if (set !== undefined) {
      set.forEach((name) => found.add(name))
      continue
    }
    const name = `CAP_${word.toUpperCase().replace(/^CAP_/, '')}`
    if (!CAPABILITIES.includes(name)) {
      const meant = suggest(name, CAPABILITIES) ?? suggest(word, [...SETS.keys()])
      throw new UsageError(`--caps: there is no capability '${word}'${didYouMean(meant)}`)
    }
    found.add(name)
  }
  return [...found].sort()
}
