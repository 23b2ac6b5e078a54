// Lists of rules, one a line, as bench/README.md describes them → the neutral list of profile.js.
'use strict'

const { readFileSync } = require('node:fs')
const { ScriptError } = require('../scripts/common')
const { RETURN_VALUES } = require('./profile')

/** As the files name the operators → as profile.js does. */
const OPERATORS = {
  eq: 'eq',
  ne: 'ne',
  lt: 'lt',
  le: 'le',
  ge: 'ge',
  gt: 'gt',
  masked_eq: 'maskedEq',
}

const toValue = (text) => {
  const value = BigInt(text)
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

function toCondition([index, op, value, valueTwo]) {
  if (OPERATORS[op] === undefined) throw new ScriptError(`unknown operator ${op}`)
  const condition = { index: Number(index), op: OPERATORS[op], value: toValue(value) }
  return { ...condition, valueTwo: op === 'masked_eq' ? toValue(valueTwo) : 0 }
}

const NARROWNESS = { eq: 3, maskedEq: 2 }

const narrowness = ({ conditions }) =>
  conditions.reduce((sum, { op }) => sum + (NARROWNESS[op] ?? 1), 0)

/** @returns the list, as `resolveProfile` of profile.js does, with the number of every call */
function parseRuleList(text) {
  const [first, ...lines] = text.split('\n').filter((line) => line.trim() !== '')
  const [, action, data] = first.split(' ')
  if (!/^default (errno|kill_process) \d+$/.test(first)) {
    throw new ScriptError(`expected 'default errno N' or 'default kill_process 0', got '${first}'`)
  }
  const rules = []
  for (const line of lines) {
    const [name, number, action, , count, ...words] = line.split(' ')
    // A call that this architecture does not have.
    if (number === '-1') continue
    if (action !== 'allow') throw new ScriptError(`expected a rule that allows, got '${line}'`)
    const conditions = []
    for (let i = 0; i < Number(count); i++) {
      conditions.push(toCondition(words.slice(4 * i, 4 * i + 4)))
    }
    rules.push({ name, number: Number(number), action: RETURN_VALUES.allow, conditions })
  }
  // All of them allow, so their order means nothing; a policy wants the narrower ones first.
  rules.sort((a, b) => narrowness(b) - narrowness(a))
  const { errno, kill } = RETURN_VALUES
  return { default: action === 'errno' ? errno + Number(data) : kill, rules }
}

const readRuleList = (file) => parseRuleList(readFileSync(file, 'utf8'))

module.exports = { parseRuleList, readRuleList }
