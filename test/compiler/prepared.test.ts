/** What the build prepared is what the sources say, and proved. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { proveRules } from '../../lib/analysis'
import { JEQ, JMP } from '../../lib/analysis/bpf'
import { programOf, type Prepared } from '../../lib/compiler/prepared'
import { compileUnprepared } from '../../lib/lockdown/unprepared'
import { rulesOf } from '../../lib/policy'
import { preparedPolicies } from '../../lib/promises'
import { root } from '../helpers/victim'

// eslint-disable-next-line @typescript-eslint/no-require-imports -- a script
const { prepare } = require(join(root, 'scripts/build-ts.js')) as { prepare: () => Prepared }

/** include/linux/threads.h: PID_MAX_LIMIT on 64-bit kernels. */
const MAX_PID = 4194304

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
      for (const pid of [1, 2, 4242, MAX_PID]) {
        const target = { arch, pid }
        const { program, letsIoUringEnter } = compileUnprepared(policy, target, true)
        t.same(programOf(entry, target), program, `${name}, ${arch}, ${pid}`)
        t.equal(entry.letsIoUringEnter, letsIoUringEnter)
      }

      // A process id is only ever tested for equality, so all that equal no other constant are alike.
      const { bytes, length } = programOf(entry, { arch, pid: MAX_PID })
      const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      for (const at of entry.pid) t.equal(data.getUint16(8 * at, true), JMP | JEQ)
      const constants = Array.from({ length }, (_, at) => data.getUint32(8 * at + 4, true))
      const pids = [...new Set(constants)].filter((pid) => pid >= 1 && pid <= MAX_PID)
      const refuted = pids.filter((pid) => {
        const target = { arch, pid }
        return !proveRules([rulesOf(policy, target)], programOf(entry, target).bytes).proved
      })
      t.strictSame(refuted, [], `proved for ${pids.length} process ids`)
      if (name === 'webServer') t.ok(entry.pid.length > 0, 'SELF is in it')
    }
  }
})

t.test('nothing in a ready policy can be changed', async (t) => {
  const loose: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    if (!Object.isFrozen(value)) loose.push(path)
    for (const key of Reflect.ownKeys(value)) {
      visit((value as Record<string | symbol, unknown>)[key], `${path}.${String(key)}`)
    }
  }
  for (const policy of preparedPolicies) visit(policy, policy.name as string)
  t.strictSame(loose, [])
})
