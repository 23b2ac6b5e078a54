/** scripts/check-binary.js passes the addon, and refuses each thing it is there to refuse. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { node, root, temporaryDirectory } from './packed'

const prebuild = join(root, 'prebuilds', `linux-${process.arch}`, 'seccomp-ts.node')
const folder = join(temporaryDirectory(), `linux-${process.arch}`)
mkdirSync(folder)

const check = (file: string) => node(['scripts/check-binary.js', file])

t.test('the addon is fine', (t) => {
  const { code, output } = check(prebuild)
  t.equal(code, 0, output)
  t.end()
})

// elf.h, 64-bit
const PT_DYNAMIC = 2
const PT_GNU_STACK = 0x6474e551
const PT_GNU_RELRO = 0x6474e552
const DT_SONAME = 14
const DT_TEXTREL = 22
const DT_RUNPATH = 29
const DT_FLAGS = 30
const DT_VERNEED = 0x6ffffffe
const DT_FLAGS_1 = 0x6ffffffb
const DT_NEEDED = 1

class Elf {
  readonly bytes = Buffer.from(readFileSync(prebuild))

  /** Offset of the program header of this type. */
  segment(type: number): number {
    const start = Number(this.bytes.readBigUInt64LE(32))
    for (let i = 0; i < this.bytes.readUInt16LE(56); i++) {
      const at = start + i * this.bytes.readUInt16LE(54)
      if (this.bytes.readUInt32LE(at) === type) return at
    }
    throw new Error(`no segment ${type}`)
  }

  /** Offset of the entry of the dynamic section with this tag. */
  dynamic(tag: number): number {
    let at = Number(this.bytes.readBigUInt64LE(this.segment(PT_DYNAMIC) + 8))
    while (Number(this.bytes.readBigUInt64LE(at)) !== tag) {
      if (this.bytes.readBigUInt64LE(at) === 0n) throw new Error(`no dynamic entry ${tag}`)
      at += 16
    }
    return at
  }

  retag(from: number, to: number): void {
    this.bytes.writeBigUInt64LE(BigInt(to), this.dynamic(from))
  }

  clear(tag: number): void {
    this.bytes.writeBigUInt64LE(0n, this.dynamic(tag) + 8)
  }

  /** Renames a symbol to one as long. */
  rename(from: string, to: string): void {
    this.bytes.write(to, this.bytes.indexOf(`\0${from}\0`, 0, 'latin1') + 1, 'latin1')
  }
}

const doctored: [string, RegExp, (elf: Elf) => void][] = [
  ['not ELF', /not a 64-bit/, (elf) => elf.bytes.fill(0, 0, 4)],
  ['another machine', /is not for/, (elf) => elf.bytes.writeUInt16LE(8, 18)],
  ['a program', /is not a shared object/, (elf) => elf.bytes.writeUInt16LE(2, 16)],
  [
    'a library',
    /needs the library seccomp-ts\.node/,
    (elf) => {
      elf.retag(DT_SONAME, DT_NEEDED)
    },
  ],
  [
    'a search path',
    /search path/,
    (elf) => {
      elf.retag(DT_SONAME, DT_RUNPATH)
    },
  ],
  [
    'symbol versions',
    /DT_VERNEED/,
    (elf) => {
      elf.retag(DT_SONAME, DT_VERNEED)
    },
  ],
  [
    'text relocations',
    /text relocations/,
    (elf) => {
      elf.retag(DT_SONAME, DT_TEXTREL)
    },
  ],
  [
    'an unknown symbol',
    /leaves mallox open/,
    (elf) => {
      elf.rename('malloc', 'mallox')
    },
  ],
  [
    'another export',
    /exports napi_register_module_vX[^]*does not export napi_register_module_v1/,
    (elf) => {
      elf.rename('napi_register_module_v1', 'napi_register_module_vX')
    },
  ],
  [
    'an executable stack',
    /executable stack/,
    (elf) => elf.bytes.writeUInt32LE(7, elf.segment(PT_GNU_STACK) + 4),
  ],
  ['no RELRO', /no RELRO/, (elf) => elf.bytes.writeUInt32LE(0, elf.segment(PT_GNU_RELRO))],
  [
    'lazy binding',
    /bound lazily/,
    (elf) => {
      elf.clear(DT_FLAGS)
      elf.clear(DT_FLAGS_1)
    },
  ],
]

for (const [name, offence, doctor] of doctored) {
  t.test(`refuses ${name}`, (t) => {
    const elf = new Elf()
    doctor(elf)
    const file = join(folder, `${name.replaceAll(' ', '-')}.node`)
    writeFileSync(file, elf.bytes)
    const { code, output } = check(file)
    t.equal(code, 1)
    t.match(output, offence)
    t.end()
  })
}

t.test('refuses an addon that was built as addons usually are', (t) => {
  const { code, output } = check('examples/demo/attacker/build/Release/attacker.node')
  t.equal(code, 1)
  t.match(output, /needs the library libstdc\+\+/)
  t.match(output, /DT_VERNEED/)
  t.end()
})

t.test('refuses a file that is not there', (t) => {
  const { code, output } = check(join(folder, 'absent.node'))
  t.equal(code, 1)
  t.match(output, /does not exist/)
  t.end()
})
