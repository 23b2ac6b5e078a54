/**
 * Findings of lint as SARIF 2.1.0 (OASIS, sarif-v2.1.0), for whatever shows results of analyses: code
 * scanning of GitHub and GitLab, editors.
 */
import type { LintFinding } from './findings'
import { LINT_RULES, type LintRule } from './rules'

/** What was linted, and what was found in it. */
export interface LintedFile {
  /** As it is called in the result: a path relative to the repository, with `/`. */
  readonly file: string
  readonly findings: readonly LintFinding[]
}

export interface SarifLog {
  readonly $schema: string
  readonly version: '2.1.0'
  readonly runs: readonly object[]
}

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json'

/** @param version of this package, where it is to be told */
export function toSarif(files: readonly LintedFile[], version?: string): SarifLog {
  const ids = Object.keys(LINT_RULES) as LintRule[]
  const rules = ids.map((id) => ({
    id,
    shortDescription: { text: LINT_RULES[id].about },
    help: { text: `${LINT_RULES[id].about} Why, and what to do: docs/lint.md of seccomp-ts.` },
    defaultConfiguration: { level: LINT_RULES[id].severity },
  }))
  const results = files.flatMap(({ file, findings }) =>
    findings.map((finding) => ({
      ruleId: finding.rule,
      ruleIndex: ids.indexOf(finding.rule),
      level: finding.severity,
      message: {
        text:
          finding.fix === undefined ? `${finding.message}.` : `${finding.message}. ${finding.fix}`,
      },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: encodeURI(file) },
            // What stands in no line is about the whole.
            region: { startLine: finding.line ?? 1, startColumn: finding.column ?? 1 },
          },
          logicalLocations: [{ fullyQualifiedName: finding.path }],
        },
      ],
      ...(finding.call === undefined ? {} : { properties: { call: finding.call.text } }),
    })),
  )
  const driver = { name: 'seccomp-ts', ...(version === undefined ? {} : { version }), rules }
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  }
}
