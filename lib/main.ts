/**
 * Everything the entry points share, bundled into one file by scripts/build-ts.js: loading thirty
 * small modules takes longer than a lockdown. One file is also one instance, whichever way the
 * package is loaded.
 */
export * from './errors'
export * from './policy'
export * from './promises'
export * from './syscalls'
export { compile, compileRules } from './compiler/compile'
export { encodeRules } from './compiler/encode'
export { compilePolicy } from './compiler/policy'
export { lockdown } from './lockdown/lockdown'
export { lockdownAtStart } from './lockdown/preload'
export { isSupported, probe } from './lockdown/probe'
export { status } from './lockdown/status'
export { native } from './native'
export { normalise } from './policy/normalise'
export { fork } from './sandbox/fork'
