/** Which of the catalogue's dangers a policy leaves open: by what its rules mean, not by names. */
import type { Call } from '../analysis/interpreter'
import { DANGERS, type Danger } from '../knowledge/dangers'
import type { SyscallName } from '../syscalls'
import type { Reach } from './reach'

export interface OpenDanger {
  readonly danger: Danger
  /** The calls of it that run with arguments that matter, each with one such call. */
  readonly calls: readonly { readonly syscall: SyscallName; readonly witness: Call }[]
}

export const openDangers = (reach: Reach): readonly OpenDanger[] =>
  DANGERS.flatMap((danger) => {
    const calls = (Object.keys(danger.calls) as SyscallName[]).flatMap((syscall) => {
      const witness = witnessOf(reach, danger, syscall)
      return witness === undefined ? [] : [{ syscall, witness }]
    })
    return calls.length === 0 ? [] : [{ danger, calls }]
  })

function witnessOf(reach: Reach, danger: Danger, syscall: SyscallName): Call | undefined {
  if (reach.extent(syscall) === 'never') return undefined
  for (const conditions of conditionsOfDanger(reach, danger, syscall)) {
    const witness = reach.witness(syscall, conditions)
    if (witness !== undefined) return witness
  }
  return undefined
}

/** The alternatives under which the call is what the danger is about. */
export function conditionsOfDanger(
  reach: Reach,
  { calls }: Danger,
  syscall: SyscallName,
): readonly ReturnType<Reach['conditions']>[] {
  const when = calls[syscall]
  if (when === undefined || reach.info(syscall) === undefined) return []
  if (when === true) return [[]]
  const alternatives: readonly object[] = Array.isArray(when) ? when : [when]
  return alternatives.map((each) => reach.conditions(syscall, each))
}

/** Whether one of the capabilities that open it is there; or none is needed. */
export const isWithinReach = ({ capabilities }: Danger, caps: readonly string[]): boolean =>
  capabilities.length === 0 || capabilities.some((each) => caps.includes(each))
