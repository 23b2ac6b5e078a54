/**
 * Everything that a start with a ready policy does not need: a file of its own (dist/on-demand.js),
 * loaded by deferred.ts when somebody asks for something in it.
 *
 * One object, and not `export { … }`: what a bundler makes of that goes over inherited properties
 * too, and this file is loaded late, when a prototype may have been polluted.
 */
import {
  cachedSyscalls,
  comparePolicies,
  constantAllow,
  disassemble,
  prove,
  run,
  loadProgram,
  simulate,
  proveRules,
} from './analysis'
import { compile, compileRules } from './compiler/compile'
import { encodeRules } from './compiler/encode'
import { installFailure } from './lockdown/install-failure'
import { isSupported, probe } from './lockdown/probe'
import { compileAllowing, compileUnprepared } from './lockdown/unprepared'
import { definePolicy, rulesOf } from './policy/define'
import { letsThrough, normalise } from './policy/normalise'
import { native } from './native'
import { hostTarget } from './policy/target'
import { preparedPolicies } from './promises'
import { exec } from './sandbox/exec'
import { fork } from './sandbox/fork'
import { AUDIT_ARCH, findSyscall, syscallName } from './syscalls'

const onDemand = {
  AUDIT_ARCH,
  cachedSyscalls,
  comparePolicies,
  compile,
  compileAllowing,
  compileRules,
  compileUnprepared,
  constantAllow,
  definePolicy,
  disassemble,
  encodeRules,
  exec,
  findSyscall,
  fork,
  hostTarget,
  installFailure,
  isSupported,
  letsThrough,
  loadProgram,
  native,
  normalise,
  preparedPolicies,
  probe,
  prove,
  proveRules,
  rulesOf,
  run,
  simulate,
  syscallName,
}

export = onDemand
