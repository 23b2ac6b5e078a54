/** One line of strace, taken apart. Nothing here knows of other lines. */
import { toNumber } from './text'

/** What stands in front of a call: who, when, and with -n and -i its number and where it came from. */
export interface StracePrefix {
  readonly pid?: number
  /** -Y (--decode-pids=comm) */
  readonly comm?: string
  readonly clock?: string
  /** -ttt */
  readonly time?: number
  readonly number?: number
  readonly ip?: string
  /** The line without all that. */
  readonly rest: string
}

/** `[pid 12] ` on a terminal, `12 ` in a file. */
const PID = /^(?:\[pid +(\d{1,10})(?:<([^>]{0,64})>)?\] +|(\d{1,10})(?:<([^>]{0,64})>)? +)/
/** -t, -tt; -ttt; -r. */
const CLOCK = /^(\d\d:\d\d:\d\d(?:\.\d{1,9})?|\d{1,12}\.\d{1,9}|(?:\(\+\s*\d{1,12}\.\d{1,9}\))) +/
const RELATIVE = /^ +(\d{1,9}\.\d{1,9}) +/
const NUMBER = /^\[ {0,3}(\d{1,10}|-1)\] /
const POINTER = /^\[([0-9a-f]{8,16}|\?{8,16})\] /

export function readPrefix(line: string): StracePrefix {
  let rest = line
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    const found = pattern.exec(rest)
    if (found === null) return undefined
    rest = rest.slice(found[0].length)
    return found
  }
  const who = take(PID)
  const relative = take(RELATIVE)
  const when = relative ?? take(CLOCK)
  if (when !== undefined) take(CLOCK)
  const number = toNumber(take(NUMBER)?.[1])
  const ip = take(POINTER)?.[1]
  const pid = toNumber(who?.[1] ?? who?.[3])
  const comm = who?.[2] ?? who?.[4]
  const clock = when?.[1]
  const epoch = relative === undefined && /^\d{9,12}\./.test(clock ?? '')
  return {
    rest,
    ...(pid === undefined ? {} : { pid }),
    ...(comm === undefined || comm === '' ? {} : { comm }),
    ...(clock === undefined ? {} : { clock }),
    ...(epoch ? { time: Math.round(Number(clock) * 1000) } : {}),
    ...(number === undefined ? {} : { number }),
    ...(ip?.startsWith('?') === false ? { ip: `0x${ip.replace(/^0+(?=.)/, '')}` } : {}),
  }
}

/** `name(arguments) = result`, or as much of it as there is. */
export interface StraceCall {
  readonly name: string
  readonly args: readonly string[]
  /** What follows the closing bracket; undefined where the line ends before it. */
  readonly result: string | undefined
}

const CALL = /^([a-z_]\w{0,63}|\?{2,4})\(/

/** The name of the call a line begins with. */
export const callName = (text: string): string | undefined => CALL.exec(text)?.[1]

/** More are not arguments of a system call, and longer ones are of no use. */
const MOST_ARGUMENTS = 7
const LONGEST_ARGUMENT = 512

export function readCall(text: string): StraceCall | undefined {
  const name = callName(text)
  if (name === undefined) return undefined
  const args: string[] = []
  let depth = 0
  let from = name.length + 1
  let annotated = true
  const cut = (to: number): void => {
    const argument = text.slice(from, Math.min(to, from + LONGEST_ARGUMENT)).trim()
    if (args.length < MOST_ARGUMENTS && (argument !== '' || args.length > 0)) args.push(argument)
    from = to + 1
  }
  for (let at = from; at < text.length; at++) {
    switch (text.charAt(at)) {
      case '"':
        at = endOfString(text, at)
        break
      case '/':
        if (text[at + 1] === '*') at = endOf(text, '*/', at + 2)
        break
      case '<':
        if (annotated && isAnnotation(text, at)) {
          const end = endOfAnnotation(text, at)
          // One that never ends is none, and the rest is not searched again for every other.
          if (end === undefined) annotated = false
          else at = end
        }
        break
      case '(':
      case '[':
      case '{':
        depth++
        break
      case ']':
      case '}':
        depth--
        break
      case ',':
        if (depth === 0) cut(at)
        break
      case ')':
        if (depth-- > 0) break
        cut(at)
        return { name, args, result: text.slice(at + 1) }
    }
  }
  cut(text.length)
  return { name, args, result: undefined }
}

function endOf(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from)
  return at < 0 ? text.length : at + what.length - 1
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return text.length
}

/** -y, -yy: `3</a path, with (anything)>`, `4<TCP:[127.0.0.1:1->127.0.0.1:2]>`; not `1<<3`. */
const isAnnotation = (text: string, at: number): boolean =>
  /[\dD]/.test(text[at - 1] ?? '') && text[at + 1] !== '<'

function endOfAnnotation(text: string, from: number): number | undefined {
  let depth = 0
  for (let at = from + 1; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (character === '"') at = endOfString(text, at)
    else if (character === '[') depth++
    else if (character === ']') depth--
    else if (character === '>' && depth <= 0) return at
  }
  return undefined
}

/** What a call came to: ` = 3</etc/passwd> <0.000010>`, ` = -1 EPERM (…)`, ` = ?`. */
export interface StraceResult {
  readonly value?: number
  readonly error?: string
  /** It did not return: the process ended in it, or strace was detached. */
  readonly none: boolean
}

export function readResult(text: string): StraceResult | undefined {
  const found = /^\s*= (\?|-?(?:0x[0-9a-f]{1,16}|\d{1,20}))(?: (E[A-Z0-9]{1,32})\b)?/.exec(text)
  if (found === null) return undefined
  const [, value = '', error] = found
  const number = toNumber(value)
  return {
    none: value === '?',
    ...(number === undefined ? {} : { value: number }),
    ...(error === undefined || value !== '-1' ? {} : { error }),
  }
}

/** A string as strace writes it, without its escapes. What it cut off (`"…"...`) is not there. */
export function readString(argument: string | undefined): string | undefined {
  const found = /^"((?:[^"\\]|\\.)*)"/.exec(argument ?? '')
  return found?.[1]?.replace(/\\(x[0-9a-f]{2}|[0-7]{1,3}|.)/g, (_, code: string) => {
    if (code.startsWith('x')) return String.fromCharCode(Number.parseInt(code.slice(1), 16))
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8))
    return ESCAPES[code] ?? code
  })
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' }
