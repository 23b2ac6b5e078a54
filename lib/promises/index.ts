import type { Policy } from '../policy'
import { webServer } from './web-server'

export { webServer }

/** The ready policies by the names that SECCOMP_TS_POLICY and package.json take. */
export const readyPolicies: ReadonlyMap<string, Policy> = new Map([['webServer', webServer]])
