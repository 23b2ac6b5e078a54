/** Damaged policies: a typed error with a path, or a program; never anything else. */
import t from 'tap'
import { compile } from '../../lib/compiler/compile'
import { PolicyError } from '../../lib/errors'
import { definePolicy, type Policy } from '../../lib/policy'
import { webServer } from '../../lib/promises'
import { damagedPolicies } from './damage'

t.test('ten thousand of them', async (t) => {
  const codes = new Map<string, number>()
  let compiled = 0
  for (const damaged of damagedPolicies(webServer, 1, 10_000)) {
    try {
      compile(definePolicy(damaged as Policy))
      compiled++
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      if (error.path === '') t.fail(`no path: ${error.message}`)
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1)
    }
  }
  t.comment({ compiled, ...Object.fromEntries(codes) })
  t.ok(compiled > 100, 'some are still policies')
  t.ok(codes.size >= 12, 'and the others fail in many ways')
})

t.test('as given, without definePolicy, they come to the same', async (t) => {
  const outcome = (policy: unknown, define: boolean): string => {
    try {
      const { bytes } = compile((define ? definePolicy(policy as Policy) : policy) as Policy)
      return Buffer.from(bytes).toString('base64')
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      return 'refused'
    }
  }
  let different = 0
  for (const damaged of damagedPolicies(webServer, 2, 1000)) {
    if (outcome(damaged, true) !== outcome(damaged, false)) different++
  }
  t.equal(different, 0)
})
