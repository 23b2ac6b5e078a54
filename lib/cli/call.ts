/** A call as it is typed: `socket family=AF_INET type=1`, or its values in order. */
import type { CallDescription, SyscallName } from '../index'
import { UsageError } from './errors'

/** For the help of whoever takes a call. */
export const ABOUT_CALL =
  "Arguments are NAME=VALUE, by the kernel's names for them, those of the manual pages, or arg0 … arg5; or values in order. A VALUE is a number (0x… too), the name of a constant, or several with | between them. What is not given is 0. SYSCALL is a name or a number."

/** @throws UsageError */
export function callOf([syscall = '', ...words]: readonly string[]): CallDescription {
  if (syscall === '') throw new UsageError('SYSCALL is missing')
  const name = /^(?:0x[\da-f]+|\d+)$/i.test(syscall) ? Number(syscall) : (syscall as SyscallName)
  const named = words.filter((word) => word.includes('='))
  if (named.length === 0) return { syscall: name, args: words }
  const plain = words.find((word) => !word.includes('='))
  if (plain !== undefined) {
    throw new UsageError(`'${plain}' has no name, and others have: give all of them one, or none`)
  }
  const values = new Map<string, string>()
  for (const word of named) {
    const at = word.indexOf('=')
    const argument = word.slice(0, at)
    if (values.has(argument)) throw new UsageError(`'${argument}' is given twice`)
    values.set(argument, word.slice(at + 1))
  }
  return { syscall: name, args: Object.fromEntries(values) }
}
