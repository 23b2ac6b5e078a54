// Runs a seccomp program and counts: what the addon's `evaluate` does, and how many instructions it
// took, up to the first look at an argument and in all. Only the instructions that compilers of
// seccomp filters emit.
'use strict'

const LOAD = 0x20 // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54 // BPF_ALU | BPF_AND | BPF_K
const JUMP = 0x05 // BPF_JMP | BPF_JA
const RETURN = 0x06 // BPF_RET | BPF_K
const TESTS = {
  0x15: (a, k) => a === k,
  0x25: (a, k) => a > k,
  0x35: (a, k) => a >= k,
  0x45: (a, k) => (a & k) !== 0,
}
const RET_ALLOW = 0x7fff0000
/** offsetof(struct seccomp_data, args) */
const ARGUMENTS = 16

function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.byteLength / 8 }, (_, i) => ({
    code: view.getUint16(8 * i, true),
    jt: view.getUint8(8 * i + 2),
    jf: view.getUint8(8 * i + 3),
    k: view.getUint32(8 * i + 4, true),
  }))
}

function encodeCall({ auditArch, nr, args = [] }) {
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, nr, true)
  data.setUint32(4, auditArch, true)
  for (const [i, value] of args.entries()) {
    data.setBigUint64(ARGUMENTS + 8 * i, BigInt.asUintN(64, BigInt(value)), true)
  }
  return data
}

/**
 * @param program what `decode` returns
 * @returns `{ action, executed, dispatch }`: `dispatch` counts the instructions before the first
 * load of an argument, or all of them
 */
function run(program, call) {
  const data = encodeCall(call)
  let accumulator = 0
  let dispatch
  let executed = 0
  for (let at = 0; ; at++) {
    const { code, jt, jf, k } = program[at]
    if (code === LOAD && k >= ARGUMENTS) dispatch ??= executed
    executed++
    if (code === RETURN) return { action: k, executed, dispatch: dispatch ?? executed }
    if (code === LOAD) accumulator = data.getUint32(k, true)
    else if (code === AND) accumulator = (accumulator & k) >>> 0
    else if (code === JUMP) at += k
    else if (TESTS[code] !== undefined) at += TESTS[code](accumulator, k) ? jt : jf
    else throw new Error(`instruction ${at}: code 0x${code.toString(16)} is not known here`)
  }
}

/** Whether the kernel, from 5.11 on, allows the call without running the program. */
function isCached(program, { auditArch, nr }) {
  const { action, executed, dispatch } = run(program, { auditArch, nr })
  return action === RET_ALLOW && executed === dispatch
}

module.exports = { RET_ALLOW, decode, isCached, run }
