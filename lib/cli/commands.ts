/** The commands, in the order in which they are listed. Each is read when it is asked for. */
import type { Command } from './command'

interface Loaded {
  readonly command: Command
}

export const COMMANDS: ReadonlyMap<string, () => Loaded> = new Map([
  ['run', () => require('./commands/run') as Loaded],
  ['compile', () => require('./commands/compile') as Loaded],
  ['prove', () => require('./commands/prove') as Loaded],
  ['diff', () => require('./commands/diff') as Loaded],
  ['lint', () => require('./commands/lint') as Loaded],
  ['explain', () => require('./commands/explain') as Loaded],
  ['simulate', () => require('./commands/simulate') as Loaded],
  ['logs', () => require('./commands/logs') as Loaded],
  ['diagnose', () => require('./commands/diagnose') as Loaded],
  ['k8s', () => require('./commands/k8s') as Loaded],
])
