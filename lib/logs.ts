/**
 * All work on logs: a file of its own (dist/logs.js), as tooling.ts is one. Apart from it, because who
 * asks about a profile should not wait for this to be read, nor the other way round.
 *
 * One object, for the reason that on-demand.ts has.
 */
import { auditLog, diagnose, policyFromLog, readLog, summarise } from './recording'

const logs = { auditLog, diagnose, policyFromLog, readLog, summarise }

export = logs
