/** What the build prepared is what the sources say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compileUnprepared } from '../../lib/compiler/compile'
import { programOf, type Prepared } from '../../lib/compiler/prepared'
import { preparedPolicies } from '../../lib/promises'
import { root } from '../helpers/victim'

// eslint-disable-next-line @typescript-eslint/no-require-imports -- a script
const { prepare } = require(join(root, 'scripts/build-ts.js')) as { prepare: () => Prepared }

t.test('every ready policy, on both architectures, for any process id', async (t) => {
  const prepared = prepare()
  const built = readFileSync(join(root, 'dist/index.js'), 'utf8')
  const names = preparedPolicies.map(({ name }) => name as string)
  t.same(Object.keys(prepared), names)
  for (const [index, policy] of preparedPolicies.entries()) {
    const name = names[index] as string
    for (const arch of ['x86_64', 'aarch64'] as const) {
      const entry = prepared[name]?.[arch]
      if (entry === undefined) return t.fail(`${name} is not prepared for ${arch}`)
      t.ok(built.includes(`program: "${entry.program}"`), `${name}, ${arch} is in dist/index.js`)
      t.ok(built.includes(`pid: [${entry.pid.join(', ')}]`), 'with its process ids')
      for (const pid of [1, 2, 4242, 4194304]) {
        const target = { arch, pid }
        const { program, letsIoUringEnter } = compileUnprepared(policy, target)
        t.same(programOf(entry, target), program, `${name}, ${arch}, ${pid}`)
        t.equal(entry.letsIoUringEnter, letsIoUringEnter)
      }
      if (name === 'webServer') t.ok(entry.pid.length > 0, 'SELF is in it')
    }
  }
})
