/** Rules as people read them. */
import type { Verdict } from '../analysis/verdict'
import type { Comparator, Integer } from '../policy'
import { findSyscall, type Arch, type SyscallName } from '../syscalls'
import { placeOf } from './findings'
import type { Enforced } from './subject'

export interface RuleInWords {
  readonly verdict: Verdict
  /** `family < 38 and type = SOCK_STREAM`; absent where it always holds. */
  readonly when?: string
  readonly path: string
  readonly line?: number
  readonly column?: number
}

type Written = Comparator<Integer>
type Conditions = Readonly<Record<string, Written>>
type RuleData = Verdict & { readonly when?: Conditions }

/** The rules of a call in the order in which they are tried. */
export function rulesInWords(enforced: Enforced, name: SyscallName): RuleInWords[] {
  const { policy, rules } = enforced
  const given = (policy.syscalls as Readonly<Record<string, unknown>> | undefined)?.[name]
  if (given === undefined) return []
  const list = (Array.isArray(given) ? given : [given]) as readonly RuleData[]
  return list.map((rule, index) => {
    const { when, ...verdict } = rule
    const path = Array.isArray(given) ? `$.syscalls.${name}[${index}]` : `$.syscalls.${name}`
    const place = placeOf(enforced, path)
    return {
      verdict,
      ...(when === undefined ? {} : { when: conditionsInWords(when, name, rules.arch) }),
      ...(typeof place === 'string' ? { path: place } : place),
    }
  })
}

function conditionsInWords(when: Conditions, name: SyscallName, arch: Arch): string {
  const args = findSyscall(name, arch)?.args ?? []
  return Object.entries(when)
    .map(([argument, comparator]) => {
      const [, index] = /^arg([0-5])$/.exec(argument) ?? []
      const type = index === undefined ? undefined : args[Number(index)]
      // A bare register is compared whole, which is not how the kernel reads an int.
      const shown = type === undefined ? argument : `${argument} (${type.name})`
      return inWords(shown, comparator)
    })
    .join(' and ')
}

function inWords(name: string, comparator: Written): string {
  const { op } = comparator as { readonly op: string }
  const operand = (key: string): string => {
    const value = (comparator as unknown as Readonly<Record<string, unknown>>)[key]
    return Array.isArray(value) ? value.map(String).join(', ') : String(value)
  }
  switch (op) {
    case 'eq':
      return `${name} = ${operand('value')}`
    case 'ne':
      return `${name} ≠ ${operand('value')}`
    case 'lt':
      return `${name} < ${operand('value')}`
    case 'le':
      return `${name} ≤ ${operand('value')}`
    case 'gt':
      return `${name} > ${operand('value')}`
    case 'ge':
      return `${name} ≥ ${operand('value')}`
    case 'between':
      return `${name} from ${operand('min')} to ${operand('max')}`
    case 'oneOf':
      return `${name} is one of ${operand('values')}`
    case 'noneOf':
      return `${name} is none of ${operand('values')}`
    case 'maskedEq':
      return `${name} & (${operand('mask')}) = ${operand('value')}`
    case 'hasAll':
      return `${name} has all of ${operand('flags')}`
    case 'hasAny':
      return `${name} has any of ${operand('flags')}`
    default:
      return `${name} has none of ${operand('flags')}`
  }
}
