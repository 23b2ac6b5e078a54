/**
 * Random profiles for every runtime and with no, Docker's and all capabilities: our program does what the
 * one does that the runtime has libseccomp make, on every native call there is; or both refuse. For the
 * profiles of a folder: profiles.js.
 */
import t from 'tap'
import { libseccompVersion } from './libseccomp'
import { randomProfile } from './profile-lists'
import { Comparison } from './profile-programs'
import { report, seeded, sized, TIMEOUT } from './size'

t.setTimeout(TIMEOUT)

const skip = process.arch !== 'x64' && 'the harness of libseccomp is for x86-64'

t.test('profiles under runtimes: the same as through libseccomp', { skip }, async (t) => {
  const random = seeded(t)
  const count = sized(40, 1_000)
  const cases = Array.from({ length: count }, (_, at) => ({
    name: `profile ${at}`,
    text: randomProfile(random),
  }))
  const { counts, combinations, pairs, calls, problems, theirs } = new Comparison(cases)
  report(t, { libseccomp: libseccompVersion(), combinations, ...counts, pairs, calls })
  t.same(problems.slice(0, 3), [])
  t.equal(combinations, count * 18)
  t.ok(counts['proved equal'] > combinations / 3, 'most of what starts is proved equal')
  t.ok(counts['both refuse'] > 0, 'and there are mistakes that both refuse')
  for (const each of theirs.slice(0, 1)) t.comment(`libseccomp is wrong, for example: ${each}`)
})
