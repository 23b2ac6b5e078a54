import type { Arch } from '../syscalls'
import type { Target } from './normalise'

/** Node's names for the architectures there are tables for. */
const ARCHES: ReadonlyMap<string, Arch> = new Map([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
])

/** The architecture of this process, or undefined where there is no table for it. */
export const hostArch = (): Arch | undefined => ARCHES.get(process.arch)

/** What a policy is checked against when nobody said: this process, as x86-64 if need be. */
export const hostTarget = (): Target => ({ arch: hostArch() ?? 'x86_64', pid: process.pid })
