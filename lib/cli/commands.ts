/** The commands, in the order in which they are listed. Each is read when it is asked for. */
import type { Command } from './command'

interface Loaded {
  readonly command: Command
}

export const COMMANDS: ReadonlyMap<string, () => Loaded> = new Map([
  ['prove', () => require('./commands/prove') as Loaded],
])
