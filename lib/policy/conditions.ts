/**
 * Comparators: what a rule asks of one argument.
 *
 * They are plain data, so that a policy survives `JSON.stringify`. What they mean depends on the
 * argument's C type and is settled in normalise.ts: an `int` is compared as the 32-bit signed
 * number the kernel sees, whatever garbage the caller left in the register's upper half.
 */
import type {
  Constants,
  ConstantFamily,
  Numeric,
  Pointer,
  SyscallArguments,
  SyscallName,
} from '../syscalls'

/** A value as it is written: a number, a bigint, or (in JSON) `"0x…"` above 2^53 − 1. */
export type Integer = number | bigint | `0x${string}`

/** Anything a comparator takes: an integer or the name of a constant, `'AF_INET'`. */
export type Scalar = number | bigint | string

/**
 * What is written in a list. The elements are inferred as a tuple, since TypeScript infers no union
 * of literals of two kinds (`oneOf(0, 'IPPROTO_TCP')`); `T` comes from where the comparator is used,
 * and is what an editor offers. `string & {}` keeps it from drowning in `string`.
 */
type Listed<T> = readonly (T | number | bigint | (string & {}))[]

/** `width: 64` compares the whole register instead of the bits the argument's C type has. */
interface Width {
  readonly width?: 64
}

export interface ValueComparator<V> extends Width {
  readonly op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'
  readonly value: V
}

export interface RangeComparator<V> extends Width {
  readonly op: 'between'
  readonly min: V
  readonly max: V
}

export interface SetComparator<V> extends Width {
  readonly op: 'oneOf' | 'noneOf'
  readonly values: readonly V[]
}

export interface MaskComparator<V> extends Width {
  readonly op: 'maskedEq'
  /** One value, or several that are combined with OR. */
  readonly mask: V | readonly V[]
  readonly value: V | readonly V[]
}

export interface FlagComparator<V> extends Width {
  readonly op: 'hasAll' | 'hasAny' | 'hasNone'
  readonly flags: readonly V[]
}

export type Comparator<V = Scalar> =
  ValueComparator<V> | RangeComparator<V> | SetComparator<V> | MaskComparator<V> | FlagComparator<V>

/**
 * JSON has no bigint, and a number beyond 2^53 is not the number that was written: those are kept
 * as hexadecimal strings, which the parser reads back exactly.
 */
function plain<V>(value: V): V {
  if (typeof value !== 'bigint') return value
  const small = Number(value)
  const kept = Number.isSafeInteger(small)
    ? small
    : value < 0n
      ? `-0x${(-value).toString(16)}`
      : `0x${value.toString(16)}`
  return kept as V
}

const ofValue = <V>(op: ValueComparator<V>['op'], value: V): ValueComparator<V> =>
  Object.freeze({ op, value: plain(value) })

/** argument == value */
export const eq = <const V extends Scalar>(value: V): ValueComparator<V> => ofValue('eq', value)
/** argument != value */
export const ne = <const V extends Scalar>(value: V): ValueComparator<V> => ofValue('ne', value)
/** argument < value, signed where the argument's C type is signed */
export const lt = <const V extends Scalar>(value: V): ValueComparator<V> => ofValue('lt', value)
/** argument <= value, signed where the argument's C type is signed */
export const le = <const V extends Scalar>(value: V): ValueComparator<V> => ofValue('le', value)
/** argument > value, signed where the argument's C type is signed */
export const gt = <const V extends Scalar>(value: V): ValueComparator<V> => ofValue('gt', value)
/** argument >= value, signed where the argument's C type is signed */
export const ge = <const V extends Scalar>(value: V): ValueComparator<V> => ofValue('ge', value)

/** min <= argument <= max, signed where the argument's C type is signed */
export const between = <const V extends Scalar>(min: V, max: V): RangeComparator<V> =>
  Object.freeze({ op: 'between', min: plain(min), max: plain(max) })

const ofSet = <V>(op: SetComparator<V>['op'], values: readonly V[]): SetComparator<V> =>
  Object.freeze({ op, values: Object.freeze(values.map(plain)) })

/** The argument is one of the values. */
export const oneOf = <T extends Scalar = never, const V extends Listed<T> = Listed<T>>(
  ...values: V
): SetComparator<T | V[number]> => ofSet('oneOf', values)
/** The argument is none of the values. */
export const noneOf = <T extends Scalar = never, const V extends Listed<T> = Listed<T>>(
  ...values: V
): SetComparator<T | V[number]> => ofSet('noneOf', values)

const plainBits = <B>(bits: B): OneBit<B> | readonly OneBit<B>[] =>
  Array.isArray(bits) ? Object.freeze((bits as OneBit<B>[]).map(plain)) : plain(bits as OneBit<B>)

type Bits<T> = Listed<T>[number] | Listed<T>
type OneBit<B> = B extends readonly (infer E)[] ? E : B

/**
 * (argument & mask) == value. Mask first, as in libseccomp's notation; a list stands for its values
 * combined with OR: `maskedEq(['O_ACCMODE', 'O_CREAT'], 'O_RDONLY')`.
 */
export const maskedEq = <
  T extends Scalar = never,
  const M extends Bits<T> = Bits<T>,
  const V extends Bits<T> = Bits<T>,
>(
  mask: M,
  value: V,
): MaskComparator<T | OneBit<M> | OneBit<V>> =>
  Object.freeze({ op: 'maskedEq', mask: plainBits(mask), value: plainBits(value) })

const ofFlags = <V>(op: FlagComparator<V>['op'], flags: readonly V[]): FlagComparator<V> =>
  Object.freeze({ op, flags: Object.freeze(flags.map(plain)) })

/** Every bit of every flag is set. */
export const hasAll = <T extends Scalar = never, const V extends Listed<T> = Listed<T>>(
  ...flags: V
): FlagComparator<T | V[number]> => ofFlags('hasAll', flags)
/** At least one bit of one flag is set. */
export const hasAny = <T extends Scalar = never, const V extends Listed<T> = Listed<T>>(
  ...flags: V
): FlagComparator<T | V[number]> => ofFlags('hasAny', flags)
/** No bit of any flag is set. */
export const hasNone = <T extends Scalar = never, const V extends Listed<T> = Listed<T>>(
  ...flags: V
): FlagComparator<T | V[number]> => ofFlags('hasNone', flags)

/** `SELF` stands for this process's id, filled in when the policy is compiled. */
export type SelfPid = 'SELF'

type ValueOf<T, Name> =
  | Integer
  | (T extends Constants<ConstantFamily> ? T : never)
  | (Name extends 'pid' | 'tgid' | 'upid' ? SelfPid : never)

/** The comparators each argument of one system call takes, keyed by the kernel's argument names. */
export type ConditionsFor<S extends SyscallName> = {
  readonly [A in keyof SyscallArguments[S]]?: SyscallArguments[S][A] extends Pointer
    ? Pointer
    : SyscallArguments[S][A] extends Numeric
      ? Comparator<ValueOf<never, A>>
      : Comparator<ValueOf<SyscallArguments[S][A], A>>
} & RawConditions

/** `arg0` … `arg5`: the register as it is, all 64 bits, unsigned. */
export interface RawConditions {
  readonly arg0?: Comparator<Integer>
  readonly arg1?: Comparator<Integer>
  readonly arg2?: Comparator<Integer>
  readonly arg3?: Comparator<Integer>
  readonly arg4?: Comparator<Integer>
  readonly arg5?: Comparator<Integer>
}
