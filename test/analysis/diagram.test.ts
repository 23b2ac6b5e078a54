/** The graph: two functions are equal exactly if they are one node, and there is an end to it. */
import t from 'tap'
import { ALWAYS, Diagrams, LEAF, NEVER, type Diagram } from '../../lib/analysis/diagram'
import { Random } from '../helpers/analysis'

const bit = (diagrams: Diagrams, level: number): Diagram => diagrams.node(level, NEVER, ALWAYS)

t.test('equal functions are the same node, however they were made', async (t) => {
  const diagrams = new Diagrams()
  const [a, b, c] = [bit(diagrams, 0), bit(diagrams, 7), bit(diagrams, 40)]
  const { and, or, not, xor } = {
    and: (one: Diagram, other: Diagram) => diagrams.and(one, other),
    or: (one: Diagram, other: Diagram) => diagrams.or(one, other),
    not: (one: Diagram) => diagrams.not(one),
    xor: (one: Diagram, other: Diagram) => diagrams.xor(one, other),
  }
  t.equal(not(and(a, b)), or(not(a), not(b)), 'De Morgan')
  t.equal(and(a, or(b, c)), or(and(a, b), and(a, c)), 'distribution')
  t.equal(xor(xor(a, b), b), a)
  t.equal(or(a, not(a)), ALWAYS)
  t.equal(and(a, not(a)), NEVER)
  t.equal(diagrams.node(3, c, c), c, 'a bit that decides nothing is not tested')
  t.not(and(a, b), and(a, c))
})

t.test('leaves are words', async (t) => {
  const diagrams = new Diagrams()
  t.equal(diagrams.leaf(0), NEVER)
  t.equal(diagrams.leaf(1), ALWAYS)
  t.equal(diagrams.wordOf(diagrams.leaf(0xffffffff)), 0xffffffff)
  t.equal(diagrams.leaf(0x80000000), diagrams.leaf(0x80000000))
  t.equal(diagrams.level(diagrams.leaf(5)), LEAF)
})

/** All functions of six bits are 64-bit truth tables: what choose does is what the tables do. */
t.test(
  'random functions of six bits, against their truth tables, while the tables grow',
  async (t) => {
    const random = new Random(3)
    const diagrams = new Diagrams()
    const all = (1n << 64n) - 1n
    const tables = new Map<Diagram, bigint>([
      [NEVER, 0n],
      [ALWAYS, all],
    ])
    for (let level = 0; level < 6; level++) {
      let table = 0n
      for (let row = 0; row < 64; row++) {
        if (((row >> level) & 1) === 1) table |= 1n << BigInt(row)
      }
      tables.set(bit(diagrams, level), table)
    }
    const byTable = new Map([...tables].map(([diagram, table]) => [table, diagram]))
    for (let i = 0; i < 20_000; i++) {
      const nodes = [...tables.keys()].slice(-400)
      const [c, x, y] = [random.pick(nodes), random.pick(nodes), random.pick(nodes)]
      const result = diagrams.choose(c, x, y)
      const [cc, xx, yy] = [tables.get(c) ?? 0n, tables.get(x) ?? 0n, tables.get(y) ?? 0n]
      const table = (cc & xx) | (~cc & all & yy)
      const known = byTable.get(table)
      if (known !== undefined && known !== result) return t.fail('two nodes for one function')
      if ((tables.get(result) ?? table) !== table) return t.fail('one node for two functions')
      tables.set(result, table)
      byTable.set(table, result)
    }
    t.ok(diagrams.size > 8192, `${diagrams.size} nodes: the tables have grown`)
  },
)

t.test('what takes too much is refused', async (t) => {
  const undecided = { name: 'AnalysisError', code: 'ERR_UNDECIDED' }
  /** Twenty bits of one word equal those of another: exponential in this order of levels. */
  const pairs = (diagrams: Diagrams): Diagram => {
    let equal: Diagram = ALWAYS
    for (let i = 0; i < 20; i++) {
      equal = diagrams.and(
        equal,
        diagrams.not(diagrams.xor(bit(diagrams, i), bit(diagrams, 32 + i))),
      )
    }
    return equal
  }
  t.throws(() => pairs(new Diagrams({ nodes: 10_000, steps: 1 << 30 })), undecided)
  t.throws(() => pairs(new Diagrams({ nodes: 1 << 30, steps: 10_000 })), undecided)
  t.throws(() => pairs(new Diagrams()), undecided, 'with the limits there are')
})
