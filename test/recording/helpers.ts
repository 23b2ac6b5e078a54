/** Logs as tests need them: every event in a list. */
import { readLog, type LogEvent, type LogReading, type ReadLogOptions } from '../../lib/recording'

export interface ReadAll {
  readonly events: readonly LogEvent[]
  readonly reading: LogReading
}

/** strace's events in the order of their lines. */
export async function readAll(text: string, options: ReadLogOptions = {}): Promise<ReadAll> {
  const events: LogEvent[] = []
  const reading = await readLog(text, {
    arch: 'x86_64',
    ...options,
    onEvent: (event) => events.push(event),
  })
  return { events: events.sort((a, b) => a.line - b.line), reading }
}

export const eventsOf = async (
  text: string,
  options?: ReadLogOptions,
): Promise<readonly LogEvent[]> => (await readAll(text, options)).events
