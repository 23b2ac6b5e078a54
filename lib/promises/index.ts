import type { Policy } from '../policy'
import { noNewRings } from './no-new-rings'
import { webServer } from './web-server'

export { noNewRings, webServer }

/** The ready policies by the names that SECCOMP_TS_POLICY and package.json take. */
export const readyPolicies: ReadonlyMap<string, Policy> = new Map([['webServer', webServer]])

/** Those that are resolved when the package is built, by their own names. */
export const preparedPolicies: readonly Policy[] = [...readyPolicies.values(), noNewRings]
