/**
 * Rules → the words native/rules_codec.h reads. One flat array of integers crosses into C++: no
 * JavaScript value is walked there, and the reader can be fuzzed without Node.
 */
import type { Condition, Rules } from '../policy'

/** 'SCR1', little-endian. */
const MAGIC = 0x31524353

/** `Kind` in native/rules.h. */
const RANGES = 0
const MASKED = 1

export function encodeRules(arches: readonly Rules[]): Uint32Array {
  const words: number[] = [MAGIC, arches[0]?.foreignArchAction ?? 0, arches.length]
  for (const rules of arches) {
    words.push(rules.auditArch, rules.defaultAction, rules.ranges.length, rules.syscalls.length)
    for (const range of rules.ranges) words.push(range.first, range.last, range.action)
    for (const syscall of rules.syscalls) {
      words.push(syscall.number, rules.defaultAction, syscall.rules.length)
      for (const rule of syscall.rules) {
        words.push(rule.action, rule.conditions.length)
        for (const condition of rule.conditions) pushCondition(words, condition)
      }
    }
  }
  return new Uint32Array(words)
}

function pushCondition(words: number[], { argument, width, set }: Condition): void {
  const head = argument | (width << 8)
  if (set.kind === 'ranges') {
    words.push(head | (RANGES << 16), set.ranges.length)
    for (const [first, last] of set.ranges) {
      pushWide(words, first)
      pushWide(words, last)
    }
  } else {
    words.push(head | (MASKED << 16) | (Number(set.negate) << 24))
    pushWide(words, set.mask)
    pushWide(words, set.expected)
  }
}

function pushWide(words: number[], value: bigint): void {
  words.push(Number(value & 0xffffffffn), Number(value >> 32n))
}
