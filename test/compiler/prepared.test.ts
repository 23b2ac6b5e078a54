/** What the build prepared is what the sources say. */
import { join } from 'node:path'
import t from 'tap'
import { encodeRules } from '../../lib/compiler/encode'
import { wordsOf, type Prepared } from '../../lib/compiler/prepared'
import { letsThrough, rulesOf } from '../../lib/policy'
import { preparedPolicies } from '../../lib/promises'
import { root } from '../helpers/victim'

// eslint-disable-next-line @typescript-eslint/no-require-imports -- built, and not everywhere
const prepared = require(join(root, 'dist/prepared.js')) as Prepared

t.test('every ready policy, on both architectures, for any process id', async (t) => {
  const names = preparedPolicies.map(({ name }) => name as string)
  t.same(Object.keys(prepared), names)
  for (const [index, policy] of preparedPolicies.entries()) {
    const name = names[index] as string
    for (const arch of ['x86_64', 'aarch64'] as const) {
      const entry = prepared[name]?.[arch]
      if (entry === undefined) return t.fail(`${name} is not prepared for ${arch}`)
      for (const pid of [1, 2, 4242, 4194304]) {
        const rules = rulesOf(policy, { arch, pid })
        t.same(wordsOf(entry, { arch, pid }), encodeRules([rules]), `${name}, ${arch}, ${pid}`)
        t.equal(entry.letsIoUringEnter, letsThrough(rules, 'io_uring_enter'))
      }
      if (name === 'webServer') t.ok(entry.pid.length > 0, 'SELF is in it')
    }
  }
})
