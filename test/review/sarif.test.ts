/** SARIF 2.1.0: what the schema of OASIS asks of a log, and of the places in it. */
import t from 'tap'
import { lint } from '../../lib/review/lint'
import { LINT_RULES } from '../../lib/review/rules'
import { toSarif } from '../../lib/review/sarif'
import { allow } from '../../lib/policy'
import { allowed, profileOf } from '../helpers/profiles'

interface Result {
  readonly ruleId: string
  readonly ruleIndex: number
  readonly level: string
  readonly message: { readonly text: string }
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string }
      readonly region: { readonly startLine: number; readonly startColumn: number }
    }
  }[]
}

interface Run {
  readonly tool: {
    readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] }
  }
  readonly results: readonly Result[]
}

t.test('findings of a file, at their places', async (t) => {
  const findings = lint(profileOf([allowed(['read', 'raed'])]), { arch: 'x86_64', kernel: '6.1' })
  const log = toSarif([{ file: 'profiles/my profile.json', findings }], '1.2.3')
  t.match(log, { version: '2.1.0', $schema: /sarif-2\.1\.0/ })
  const [run] = JSON.parse(JSON.stringify(log.runs)) as Run[]
  t.match(run?.tool.driver, { name: 'seccomp-ts', version: '1.2.3' })
  const ids = run?.tool.driver.rules.map(({ id }) => id) ?? []
  t.same(ids, Object.keys(LINT_RULES), 'every rule, whether it found something or not')
  t.equal(run?.results.length, findings.length)
  for (const result of run?.results ?? []) {
    t.equal(ids[result.ruleIndex], result.ruleId)
    t.ok(['error', 'warning', 'note'].includes(result.level))
    t.ok(result.message.text.length > 0)
    const [{ physicalLocation }] = result.locations as [Result['locations'][0]]
    t.equal(physicalLocation.artifactLocation.uri, 'profiles/my%20profile.json')
    t.ok(physicalLocation.region.startLine > 0 && physicalLocation.region.startColumn > 0)
  }
  const misspelt = run?.results.find(({ ruleId }) => ruleId === 'unknown-syscall')
  t.same(misspelt?.locations[0]?.physicalLocation.region, { startLine: 7, startColumn: 5 })
  t.match(misspelt?.message.text, /'raed'.*Write 'read'\.$/)
})

t.test('a policy without a text is about its first line', async (t) => {
  const findings = lint({ default: allow }, { node: false })
  const [run] = JSON.parse(JSON.stringify(toSarif([{ file: 'policy.js', findings }]).runs)) as Run[]
  t.same(run?.results[0]?.locations[0]?.physicalLocation.region, { startLine: 1, startColumn: 1 })
})
