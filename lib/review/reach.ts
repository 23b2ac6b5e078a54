/** Which calls run: what rules mean, as one condition on the arguments of each call. */
import { ARCH_WORD, NUMBER_WORD, WORDS } from '../analysis/bpf'
import { ALWAYS, Diagrams, LEAF, NEVER, type Diagram } from '../analysis/diagram'
import type { Call } from '../analysis/interpreter'
import { argumentLevel, conditionsOf } from '../analysis/meaning'
import { callOf } from '../analysis/proof'
import { runs, verdictOf } from '../analysis/verdict'
import { bitAt, wordAt } from '../analysis/words'
import type { Condition, Rules } from '../policy'
import { normalise } from '../policy/normalise'
import { findSyscall, type SyscallInfo, type SyscallName } from '../syscalls'

/** Not at all, for some arguments, or whatever the arguments are. */
export type Extent = 'never' | 'sometimes' | 'always'

export class Reach {
  readonly diagrams = new Diagrams()
  readonly #known = new Map<SyscallName, Diagram>()

  constructor(readonly rules: Rules) {}

  info(name: SyscallName): SyscallInfo | undefined {
    return findSyscall(name, this.rules.arch)
  }

  /** When a call of that name runs. A call that the architecture does not have never does. */
  of(name: SyscallName): Diagram {
    let known = this.#known.get(name)
    if (known === undefined) this.#known.set(name, (known = this.#make(name)))
    return known
  }

  #make(name: SyscallName): Diagram {
    const info = this.info(name)
    if (info === undefined) return NEVER
    const { number } = info
    const { syscalls, ranges, defaultAction } = this.rules
    const answer = (action: number): Diagram => (runs(verdictOf(action)) ? ALWAYS : NEVER)
    const named = syscalls.find((syscall) => syscall.number === number)
    if (named === undefined) {
      const range = ranges.find(({ first, last }) => first <= number && number <= last)
      return answer(range?.action ?? defaultAction)
    }
    return named.rules.reduceRight(
      (rest, { conditions, action }) =>
        this.diagrams.choose(conditionsOf(this.diagrams, conditions), answer(action), rest),
      answer(defaultAction),
    )
  }

  extent(name: SyscallName): Extent {
    const when = this.of(name)
    return when === ALWAYS ? 'always' : when === NEVER ? 'never' : 'sometimes'
  }

  /** A call of that name that runs and meets the conditions, or undefined. */
  witness(name: SyscallName, conditions: readonly Condition[] = []): Call | undefined {
    const when = this.diagrams.and(this.of(name), conditionsOf(this.diagrams, conditions))
    return when === NEVER ? undefined : this.callIn(name, when)
  }

  /** The first call for which the condition holds: with as few bits as can be, from above. */
  callIn(name: SyscallName, when: Diagram): Call {
    const words = new Uint32Array(WORDS)
    words[ARCH_WORD] = this.rules.auditArch
    words[NUMBER_WORD] = this.info(name)?.number ?? 0
    let at = when
    for (let level = this.diagrams.level(at); level !== LEAF; level = this.diagrams.level(at)) {
      const low = this.diagrams.low(at, level)
      if (low !== NEVER) at = low
      else {
        const word = wordAt(level)
        words[word] = ((words[word] ?? 0) | (1 << bitAt(level))) >>> 0
        at = this.diagrams.high(at, level)
      }
    }
    return callOf(words)
  }

  /** The conditions that a rule of ours has, as the kernel reads the arguments. */
  conditions(name: SyscallName, when: object): readonly Condition[] {
    const probe = { default: { action: 'allow' }, syscalls: { [name]: { action: 'kill', when } } }
    const { syscalls } = normalise(probe, { arch: this.rules.arch, pid: 0 })
    return syscalls.find((syscall) => syscall.name === name)?.rules[0]?.conditions ?? []
  }

  /**
   * Values of arguments for which the call does not run as a program makes it, and does with other bits
   * where the kernel does not look: a call that runs, and the same as a program makes it.
   */
  bypass(name: SyscallName): { readonly allowed: Call; readonly refused: Call } | undefined {
    const { diagrams } = this
    const narrow = (this.info(name)?.args ?? []).flatMap(({ width, pointer }, index) =>
      width < 64 && !pointer ? [{ index, width }] : [],
    )
    const when = this.of(name)
    if (narrow.length === 0 || when === ALWAYS || when === NEVER) return undefined
    const unseen = new Set(
      narrow.flatMap(({ index, width }) =>
        Array.from({ length: 64 - width }, (_, bit) => argumentLevel(index, width + bit)),
      ),
    )
    const somehow = this.#without(when, unseen, (low, high) => diagrams.or(low, high))
    if (somehow === when) return undefined
    // A register holds 0 above an int, or its sign.
    const clear = this.#without(when, unseen, (low) => low)
    const signed = narrow.reduce((rest, { index, width }) => {
      const own = new Set(
        Array.from({ length: 64 - width }, (_, bit) => argumentLevel(index, width + bit)),
      )
      const sign = diagrams.node(argumentLevel(index, width - 1), NEVER, ALWAYS)
      const negative = this.#without(rest, own, (_, high) => high)
      return diagrams.choose(
        sign,
        negative,
        this.#without(rest, own, (low) => low),
      )
    }, when)
    const only = diagrams.and(somehow, diagrams.not(diagrams.or(clear, signed)))
    if (only === NEVER) return undefined
    const refused = this.callIn(name, only)
    const allowed = this.alike(name, refused)
    return allowed && { allowed, refused }
  }

  /** A call that runs and is the same to the kernel, which does not read all bits of an argument. */
  alike(name: SyscallName, call: Call): Call | undefined {
    const { diagrams } = this
    const args = this.info(name)?.args ?? []
    const same = call.args.reduce((all, value, index) => {
      const type = args[index]
      // What the kernel has no argument for it does not read either; but a filter is not meant to.
      const width = type === undefined || type.pointer ? 64 : type.width
      return diagrams.and(all, this.#lowBits(index, width, BigInt.asUintN(width, value)))
    }, this.of(name))
    return same === NEVER ? undefined : this.callIn(name, same)
  }

  #lowBits(index: number, width: number, value: bigint): Diagram {
    const set = { kind: 'ranges', ranges: [[value, value]] } as const
    return conditionsOf(this.diagrams, [{ argument: index, width: width as 64, set }])
  }

  /** The function without these bits: what is left of both its halves at each of them. */
  #without(
    diagram: Diagram,
    levels: ReadonlySet<number>,
    join: (low: Diagram, high: Diagram) => Diagram,
  ): Diagram {
    const { diagrams } = this
    const done = new Map<Diagram, Diagram>()
    const visit = (at: Diagram): Diagram => {
      const level = diagrams.level(at)
      if (level === LEAF) return at
      const known = done.get(at)
      if (known !== undefined) return known
      const low = visit(diagrams.low(at, level))
      const high = visit(diagrams.high(at, level))
      const result = levels.has(level) ? join(low, high) : diagrams.node(level, low, high)
      done.set(at, result)
      return result
    }
    return visit(diagram)
  }
}
