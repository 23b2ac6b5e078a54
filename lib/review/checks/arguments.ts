/** Comparisons of 64 bits on arguments of which the kernel reads fewer. */
import { describeCall, hex } from '../../analysis/call'
import { evaluate } from '../../analysis/evaluate'
import type { Call } from '../../analysis/interpreter'
import { runs, verdictOf } from '../../analysis/verdict'
import { constantNames, constantValue, type ArgumentInfo } from '../../syscalls'
import { listOf } from '../findings'
import { answerTo, placeOfCall, type Context } from './context'

export function checkWidths(context: Context): void {
  const { reach, findings, subject } = context
  for (const { name, rules } of reach.rules.syscalls) {
    const info = reach.info(name)
    const wide = rules.some(({ conditions }) =>
      conditions.some(({ argument, width }) => width > (info?.args[argument]?.width ?? 64)),
    )
    const found = wide ? reach.bypass(name) : undefined
    if (found === undefined) continue
    const { allowed, refused } = found
    verify(context, allowed, refused)
    const index = allowed.args.findIndex((value, at) => value !== refused.args[at])
    const argument = info?.args[index]
    const others = constantsLikewise(context, allowed, index, argument)
    const likewise = others.length === 0 ? '' : `; likewise ${listOf(others)}`
    const own = subject.profile === undefined || subject.profile.dialect === 'seccomp-ts'
    findings.report('wide-comparison', placeOfCall(context, allowed), {
      message: `${describeCall(allowed).text} is allowed, and the kernel takes it for ${describeCall(refused).text}, which gets ${answerTo(context, refused)}: of ${argument?.ctype ?? 'the argument'} ${argument?.name ?? index} it reads ${argument?.width ?? 32} bits, and ${own ? 'this' : 'SCMP_CMP'} compares 64${likewise}`,
      fix: own
        ? `Name the argument (${argument?.name ?? index}) instead of arg${index}: it is then compared as the kernel reads it.`
        : `Allow values one by one with SCMP_CMP_EQ, or compare the low ${argument?.width ?? 32} bits alone: {"index": ${index}, "op": "SCMP_CMP_MASKED_EQ", "value": ${2 ** (argument?.width ?? 32) - 1}, "valueTwo": …}. A refusal of ${hex(refused.args[index] ?? 0n)} by EQ, or an allowance by NE, GT or GE, does not hold.`,
      call: allowed,
    })
  }
}

/** Other constants of the argument for which it is so: `AF_VSOCK (0x100000028)`. */
function constantsLikewise(
  context: Context,
  call: Call,
  index: number,
  argument: ArgumentInfo | undefined,
): string[] {
  const family = argument?.constants
  const value = call.args[index]
  if (family === undefined || argument === undefined || value === undefined) return []
  const { reach } = context
  const lets = (register: bigint): boolean =>
    runs(
      verdictOf(evaluate([reach.rules], { ...call, args: call.args.with(index, register) }).action),
    )
  const own = BigInt.asUintN(argument.width, value)
  const found = new Map<bigint, string>()
  for (const name of constantNames(family)) {
    const constant = constantValue(family, name, reach.rules.arch)
    if (constant === undefined || constant === own || found.has(constant)) continue
    const register = constant + (value - own)
    if (!lets(constant) && lets(register)) found.set(constant, `${name} (${hex(register)})`)
  }
  return [...found.values()]
}

/** What the diagrams found, a plain reading of the rules must find too. */
function verify({ reach }: Context, allowed: Call, refused: Call): void {
  const lets = (call: Call): boolean => runs(verdictOf(evaluate([reach.rules], call).action))
  if (!lets(allowed) || lets(refused)) {
    throw new RangeError(`the two readings of the rules differ on call ${allowed.number}`)
  }
}
