/** A policy of ours as a TypeScript module, checked by its types where it is used. */
import type { Comparator, Scalar } from '../../policy'
import { canonical, integerOf, type CanonicalPolicy, type CanonicalRule } from './canonical'
import { reportCompanions } from './entries'
import type { Source } from './source'

export function writeTypescript(source: Source): string {
  reportCompanions(source)
  return new Module(canonical(source.policy, source.name)).text()
}

/** Lines no longer than this stay one. */
const WIDTH = 80

class Module {
  readonly #policy: CanonicalPolicy
  /** What it takes from the package. */
  readonly #imports = new Set(['definePolicy'])

  constructor(policy: CanonicalPolicy) {
    this.#policy = policy
  }

  text(): string {
    const { name, default: fallback, baseline, ceiling, syscalls } = this.#policy
    const calls = syscalls.map(([call, rules]) => `    ${call}: ${this.#rules(rules)},`)
    const body = [
      ...(name === undefined ? [] : [`  name: ${quoted(name)},`]),
      `  default: ${this.#action(fallback)},`,
      ...(baseline === undefined ? [] : [`  baseline: ${quoted(baseline)},`]),
      ...(ceiling === undefined ? [] : [`  ceiling: ${quoted(ceiling)},`]),
      ...(calls.length === 0 ? ['  syscalls: {},'] : ['  syscalls: {', ...calls, '  },']),
    ]
    return [this.#importLine(), '', 'export default definePolicy({', ...body, '})', ''].join('\n')
  }

  #importLine(): string {
    const names = [...this.#imports].sort()
    const line = `import { ${names.join(', ')} } from 'seccomp-ts'`
    if (line.length <= WIDTH) return line
    return `import {\n${names.map((each) => `  ${each},\n`).join('')}} from 'seccomp-ts'`
  }

  #rules(rules: readonly CanonicalRule[]): string {
    const [only] = rules
    if (rules.length === 1 && only !== undefined) return this.#rule(only, '    ')
    return `[\n${rules.map((rule) => `      ${this.#rule(rule, '      ')},\n`).join('')}    ]`
  }

  #rule({ action, when }: CanonicalRule, indent: string): string {
    const text = this.#action(action)
    if (when.length === 0) return text
    const conditions = when.map(([name, comparator]) => `${name}: ${this.#comparator(comparator)}`)
    const line = `${text}.when({ ${conditions.join(', ')} })`
    if (indent.length + line.length <= WIDTH) return line
    return `${text}.when({\n${conditions.map((each) => `${indent}  ${each},\n`).join('')}${indent}})`
  }

  #action({ action, errno, data }: CanonicalRule['action']): string {
    this.#imports.add(action)
    if (action === 'errno')
      return `errno(${typeof errno === 'string' ? quoted(errno) : String(errno)})`
    return action === 'trace' ? `trace(${String(data)})` : action
  }

  #comparator(comparator: Comparator): string {
    // No function asks for a width: it is in the data.
    if (comparator.width !== undefined) return literal(comparator)
    this.#imports.add(comparator.op)
    const given = Object.entries(comparator).filter(([key]) => key !== 'op')
    const operands = given.map(([key, value]: [string, Scalar | readonly Scalar[]]) =>
      typeof value === 'object' && key !== 'mask' && key !== 'value'
        ? value.map(scalar).join(', ')
        : operand(value),
    )
    return `${comparator.op}(${operands.join(', ')})`
  }
}

const operand = (value: Scalar | readonly Scalar[]): string =>
  typeof value === 'object' ? `[${value.map(scalar).join(', ')}]` : scalar(value)

function literal(comparator: Comparator): string {
  const { op, ...rest } = comparator
  const members = Object.entries(rest).map(
    ([key, value]: [string, Scalar | readonly Scalar[]]) => `${key}: ${operand(value)}`,
  )
  return `{ ${[`op: ${quoted(op)}`, ...members].join(', ')} }`
}

function scalar(value: Scalar): string {
  const integer = integerOf(value)
  if (integer === undefined) return quoted(String(value))
  if (Number.isSafeInteger(Number(integer))) return String(integer)
  return integer < 0n ? `-0x${(-integer).toString(16)}n` : `0x${integer.toString(16)}n`
}

/** As a literal of JavaScript, whatever is in it. */
const quoted = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) && !/['\\]/.test(text) ? `'${text}'` : JSON.stringify(text)
