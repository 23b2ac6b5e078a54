/** The listing: exact for a small program, and honest about what is not known. */
import t from 'tap'
import {
  ALU,
  AND,
  JEQ,
  JMP,
  JSET,
  LD_ABS,
  RET_A,
  RET_K,
  RSH,
  ST,
  TAX,
} from '../../lib/analysis/bpf'
import { disassemble } from '../../lib/analysis/disassemble'
import { compile } from '../../lib/compiler/compile'
import { webServer } from '../../lib/promises'
import { ALLOW, assemble, EPERM, KILL, Random, randomProgram, X64 } from '../helpers/analysis'

t.test('a small program', async (t) => {
  const program = assemble([
    [LD_ABS, 4],
    [JMP | JEQ, X64, 1, 0],
    [RET_K, KILL],
    [LD_ABS, 0],
    [JMP | JEQ, 0, 6, 0],
    [JMP | JEQ, 41, 0, 4],
    [LD_ABS, 16],
    [JMP | JEQ, 2, 3, 0],
    [LD_ABS, 28],
    [JMP | JSET, 0x80000000, 1, 0],
    [RET_K, EPERM],
    [RET_K, ALLOW],
  ])
  t.equal(
    disassemble(program),
    `   0         ld    arch
   1         jeq   0xc000003e, L1, next     ; x86_64
   2         ret   kill
   3  L1:    ld    number
   4         jeq   0, L3, next              ; read
   5         jeq   41, next, L2             ; socket
   6         ld    arg0.low                 ; socket: family
   7         jeq   2, L3, next              ; AF_INET
   8         ld    arg1.high                ; socket: type
   9         jset  0x80000000, L3, next
  10  L2:    ret   errno(EPERM)
  11  L3:    ret   allow
`,
  )
})

t.test('every kind of instruction', async (t) => {
  const listed = disassemble(
    assemble([
      [0x80],
      [0x81],
      [0x00, 5],
      [0x01, 0xffff],
      [ST, 1],
      [0x03, 2],
      [0x60, 1],
      [0x61, 2],
      [TAX],
      [0x87],
      [0x84],
      [ALU | AND, 0x10],
      [ALU | RSH | 8],
      [JMP | JEQ | 8, 0, 0, 1],
      [0x05, 0],
      [LD_ABS, 8],
      [RET_A],
    ]),
  )
  t.equal(
    listed.replaceAll(/^ +\d+ +(L\d:)? */gm, ''),
    `ld    length
ldx   length
ld    5
ldx   0xffff
st    M[1]
stx   M[2]
ld    M[1]
ldx   M[2]
tax
txa
neg
and   0x10
rsh   X
jeq   X, next, L1
ja    next
ld    pointer.low
ret   A
`,
  )
})

t.test('names only where they are certain', async (t) => {
  const shared = assemble([
    [LD_ABS, 4],
    [JMP | JEQ, X64, 0, 5],
    [LD_ABS, 0],
    [JMP | JEQ, 41, 1, 0],
    [JMP | JEQ, 42, 0, 2],
    [LD_ABS, 16],
    [JMP | JEQ, 2, 1, 0],
    [RET_K, EPERM],
    [RET_K, ALLOW],
  ])
  const lines = disassemble(shared).split('\n')
  t.match(lines[4], /42.*; connect/)
  t.notMatch(lines[5], /;/, 'socket and connect both get there')
  t.notMatch(lines[6], /;/)
  const masked = assemble([
    [LD_ABS, 4],
    [JMP | JEQ, X64, 0, 4],
    [LD_ABS, 0],
    [ALU | AND, 0xff],
    [JMP | JEQ, 41, 0, 1],
    [RET_K, ALLOW],
    [RET_K, EPERM],
  ])
  t.notMatch(disassemble(masked), /socket/, 'a number under a mask is another number')
})

t.test('what the compiler makes, the same each time', async (t) => {
  const program = compile(webServer, { arch: 'x86_64', pid: 4242 })
  const listing = disassemble(program)
  t.equal(listing, disassemble(program.bytes))
  t.equal(listing.split('\n').length, program.length + 1)
  t.match(listing, /; openat: flags\n/)
  t.match(listing, /; AF_NETLINK\n/)
})

t.test('any program has a listing', async (t) => {
  const random = new Random(14)
  for (let i = 0; i < 300; i++) {
    const bytes = randomProgram(random)
    t.equal(disassemble(bytes).split('\n').length, bytes.length / 8 + 1)
  }
  t.throws(() => disassemble(new Uint8Array(8)), { code: 'ERR_INVALID_PROGRAM' })
})
