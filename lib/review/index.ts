/** What can be said of a policy or a profile by looking at it: lint, and one call explained. */
export { explain } from './explain'
export type {
  ExplainedControl,
  ExplainedDanger,
  ExplainedNode,
  ExplainedPlace,
  ExplainedTwins,
  Explanation,
  OtherAnswer,
} from './explain'
export type { LintFinding } from './findings'
export { lint } from './lint'
export type { LintRule, LintSeverity } from './rules'
export { toSarif } from './sarif'
export type { LintedFile, SarifLog } from './sarif'
export type { RuleInWords } from './conditions'
export type { ReviewOptions, ReviewSubject } from './subject'
