export function damagedPolicies(policy: unknown, seed: number, count: number): Iterable<unknown>
