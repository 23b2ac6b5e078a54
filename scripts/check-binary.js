// Holds the addon to what lets one file load beside glibc and musl, under every Node:
//
//   - it asks for no library by name (DT_NEEDED) and for no version of a symbol, because the host
//     process has a C library already and the two name theirs differently;
//   - every symbol it leaves open is Node-API's or one of the C names below;
//   - it exports nothing but what Node-API looks up, so it cannot displace a symbol of the host;
//   - it is hardened: no executable stack, no text relocations, no lazily bound or writable table
//     of functions, no search path.
//
//   node scripts/check-binary.js [FILE...]     default: every architecture's prebuild must exist
//
// Reads ELF itself, so that it needs no tools and can run in the tests.
'use strict'

const { existsSync, readFileSync } = require('node:fs')
const path = require('node:path')

/**
 * C names that glibc and musl both export with one meaning. A reference without a version binds to
 * the oldest version that glibc has, so nothing may be added here of which an older version behaves
 * differently (pthread_cond_*, realpath, posix_spawn, regexec, nftw, sched_*affinity …; memcpy has
 * two, and the older one merely promises more). scripts/musl-probe looks every name up in musl.
 */
const cNames = new Set([
  // memory and strings
  ...['malloc', 'calloc', 'realloc', 'free', 'abort'],
  ...['memchr', 'memcmp', 'memcpy', 'memmove', 'memset'],
  ...[
    'strchr',
    'strrchr',
    'strcmp',
    'strcspn',
    'strlen',
    'strncmp',
    'strstr',
    'strtol',
    'snprintf',
  ],
  // the kernel
  ...['syscall', 'prctl', '__errno_location', 'open', 'close', 'read', 'write'],
  ...['opendir', 'readdir', 'closedir', 'mmap', 'munmap', 'getpid'],
  ...['pread', 'lseek', 'fcntl', 'readlink', 'epoll_ctl', 'execve', 'environ'],
  ...['sigaction', 'sigprocmask', 'sigemptyset', 'clock_gettime', 'nanosleep'],
  ...['sysconf', 'getauxval'],
])

/** libuv's, which every node exports: what undoes its changes to a terminal before an exec. */
const libuvNames = new Set(['uv_tty_reset_mode'])

/** What the compiler's own code refers to: the stack protector, and destructors at unloading. */
const compilerNames = new Set(['__stack_chk_fail', '__stack_chk_guard', '__cxa_finalize'])

/** Weak references of crtbeginS.o and libgcc: the loader leaves them null where nobody has them. */
const optionalNames = new Set([
  '_ITM_deregisterTMCloneTable',
  '_ITM_registerTMCloneTable',
  '__gmon_start__',
])

const exportedNames = new Set(['napi_register_module_v1', 'node_api_module_get_api_version_v1'])

const machines = { x64: 62, arm64: 183 } // EM_X86_64, EM_AARCH64

// elf.h
const ET_DYN = 3
const PT_DYNAMIC = 2
const PT_GNU_STACK = 0x6474e551
const PT_GNU_RELRO = 0x6474e552
const PF_X = 1
const SHT_DYNSYM = 11
const SHN_UNDEF = 0
const STB_LOCAL = 0
const STB_WEAK = 2
const DT = {
  NEEDED: 1,
  STRTAB: 5,
  RPATH: 15,
  TEXTREL: 22,
  FLAGS: 30,
  RUNPATH: 29,
  VERNEED: 0x6ffffffe,
  VERDEF: 0x6ffffffc,
  FLAGS_1: 0x6ffffffb,
}
const DF_TEXTREL = 4
const DF_BIND_NOW = 8
const DF_1_NOW = 1

/** What check-binary asks of a 64-bit little-endian ELF file. */
function readElf(file) {
  const bytes = readFileSync(file)
  if (bytes.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') {
    throw new Error('not a 64-bit little-endian ELF file')
  }
  const word = (offset) => Number(bytes.readBigUInt64LE(offset))
  const half = (offset) => bytes.readUInt16LE(offset)
  const text = (offset) => bytes.toString('latin1', offset, bytes.indexOf(0, offset))

  const table = (offset, size, count) =>
    Array.from({ length: count }, (_, index) => offset + index * size)
  const segments = table(word(32), half(54), half(56)).map((at) => ({
    type: bytes.readUInt32LE(at),
    flags: bytes.readUInt32LE(at + 4),
    offset: word(at + 8),
    address: word(at + 16),
    size: word(at + 32),
  }))
  const sections = table(word(40), half(58), half(60)).map((at) => ({
    type: bytes.readUInt32LE(at + 4),
    offset: word(at + 24),
    size: word(at + 32),
  }))
  const offsetOf = (address) => {
    const home = segments.find(
      (segment) =>
        segment.type === 1 &&
        address >= segment.address &&
        address < segment.address + segment.size,
    )
    return address - home.address + home.offset
  }

  const dynamic = []
  const dynamicSegment = segments.find((segment) => segment.type === PT_DYNAMIC)
  for (const at of table(dynamicSegment.offset, 16, dynamicSegment.size / 16)) {
    if (word(at) === 0) break
    dynamic.push({ tag: word(at), value: word(at + 8) })
  }
  const strings = offsetOf(dynamic.find(({ tag }) => tag === DT.STRTAB).value)

  const dynsym = sections.find((section) => section.type === SHT_DYNSYM)
  const symbols = table(dynsym.offset, 24, dynsym.size / 24)
    .slice(1)
    .map((at) => ({
      name: text(strings + bytes.readUInt32LE(at)),
      binding: bytes[at + 4] >> 4,
      undefined: half(at + 6) === SHN_UNDEF,
    }))
    .filter(({ binding }) => binding !== STB_LOCAL)

  return { type: half(16), machine: half(18), segments, dynamic, symbols, text, strings }
}

/** Everything that is wrong with the addon, one line each. */
function checkBinary(file, arch) {
  let elf
  try {
    elf = readElf(file)
  } catch (error) {
    return [error.message]
  }
  const { type, machine, segments, dynamic, symbols } = elf
  const offences = []
  const refuse = (condition, offence) => {
    if (condition) offences.push(offence)
  }
  const tagged = (wanted) => dynamic.filter(({ tag }) => tag === wanted)
  const flags = (wanted) => tagged(wanted)[0]?.value ?? 0

  refuse(type !== ET_DYN, 'is not a shared object')
  refuse(machine !== machines[arch], `is not for ${arch} (e_machine ${machine})`)
  for (const { value } of tagged(DT.NEEDED)) {
    offences.push(`needs the library ${elf.text(elf.strings + value)}`)
  }
  refuse(tagged(DT.VERNEED).length > 0, 'needs versions of symbols (DT_VERNEED)')
  refuse(tagged(DT.VERDEF).length > 0, 'defines versions of symbols (DT_VERDEF)')
  refuse(tagged(DT.RPATH).length + tagged(DT.RUNPATH).length > 0, 'has a library search path')

  for (const { name, binding, undefined: open } of symbols) {
    if (!open) refuse(!exportedNames.has(name), `exports ${name}`)
    else if (!(binding === STB_WEAK && optionalNames.has(name)) && !isProvided(name)) {
      offences.push(`leaves ${name} open, which is neither Node-API nor a C name allowed here`)
    }
  }
  for (const name of exportedNames) {
    const found = symbols.some((symbol) => symbol.name === name && !symbol.undefined)
    refuse(!found, `does not export ${name}`)
  }

  const stack = segments.find((segment) => segment.type === PT_GNU_STACK)
  refuse(stack === undefined || (stack.flags & PF_X) !== 0, 'wants an executable stack')
  refuse(
    tagged(DT.TEXTREL).length > 0 || (flags(DT.FLAGS) & DF_TEXTREL) !== 0,
    'has text relocations',
  )
  refuse(
    (flags(DT.FLAGS) & DF_BIND_NOW) === 0 && (flags(DT.FLAGS_1) & DF_1_NOW) === 0,
    'is bound lazily (no -z now)',
  )
  refuse(!segments.some(({ type }) => type === PT_GNU_RELRO), 'has no RELRO segment (no -z relro)')
  return offences
}

function isProvided(name) {
  return (
    [cNames, compilerNames, libuvNames].some((names) => names.has(name)) || name.startsWith('napi_')
  )
}

/** The names the addon leaves to its host; scripts/musl-probe makes stubs of Node-API's. */
function undefinedSymbols(file) {
  return readElf(file)
    .symbols.filter((symbol) => symbol.undefined && symbol.binding !== STB_WEAK)
    .map((symbol) => symbol.name)
}

function run(argv) {
  const given =
    argv.length > 0
      ? argv
      : Object.keys(machines).map((arch) =>
          path.join(__dirname, `../prebuilds/linux-${arch}/seccomp-ts.node`),
        )
  let failed = 0
  for (const file of given) {
    const shown = path.relative(process.cwd(), file)
    const arch = path.basename(path.dirname(path.resolve(file))).replace('linux-', '')
    const offences = !existsSync(file)
      ? ['does not exist']
      : checkBinary(file, arch in machines ? arch : process.arch)
    for (const offence of offences) console.error(`${shown}: ${offence}`)
    if (offences.length > 0) failed++
    else console.log(`${shown}: fine, ${undefinedSymbols(file).length} symbols left to the host`)
  }
  return failed > 0 ? 1 : 0
}

module.exports = { checkBinary, undefinedSymbols, cNames }
if (require.main === module) process.exitCode = run(process.argv.slice(2))
