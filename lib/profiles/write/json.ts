/** A policy of ours as JSON: what lockdown() takes from a file. */
import { canonical, canonicalJson } from './canonical'
import { reportCompanions } from './entries'
import { jsonText } from './json-text'
import type { Source } from './source'

export function writeJson(source: Source): string {
  reportCompanions(source)
  return jsonText(canonicalJson(canonical(source.policy, source.name)))
}
