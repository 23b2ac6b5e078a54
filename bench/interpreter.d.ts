export interface Instruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  readonly k: number
}

export interface Call {
  readonly auditArch: number
  readonly nr: number
  readonly args?: readonly bigint[]
}

export interface Result {
  readonly action: number
  readonly executed: number
  /** Instructions before the first load of an argument. */
  readonly dispatch: number
}

export const RET_ALLOW: number
export function decode(bytes: Uint8Array): Instruction[]
export function isCached(program: readonly Instruction[], call: Call): boolean
export function run(program: readonly Instruction[], call: Call): Result
