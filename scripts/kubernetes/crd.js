// Holds the objects of `bundleProfile(…, { operator: true })` against the operator's own definitions:
// `node scripts/kubernetes/crd.js FOLDER`, where FOLDER has spo-crd-seccompprofile.yaml and
// spo-crd-profilebinding.yaml of the security-profiles-operator. A field they do not have is a mistake
// too: the API server would drop it.
'use strict'

const { readFileSync } = require('node:fs')
const path = require('node:path')
const { Ajv } = require('ajv')
const { parse, parseAllDocuments } = require('yaml')
require('../require-ts')
const { bundleProfile } = require('../../lib/kubernetes')
const { builtInPolicies, builtInPolicy } = require('../../lib/profiles')

/** kind → apiVersion → what checks an object. */
function validators(folder) {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
  const found = new Map()
  for (const name of ['seccompprofile', 'profilebinding']) {
    const { spec } = parse(readFileSync(path.join(folder, `spo-crd-${name}.yaml`), 'utf8'))
    for (const version of spec.versions) {
      const schema = closed(version.schema.openAPIV3Schema)
      found.set(`${spec.group}/${version.name} ${spec.names.kind}`, ajv.compile(schema))
    }
  }
  return found
}

/** With no other properties than those that are named, but for metadata, which is not described. */
function closed(schema) {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  )
  const open = copy.additionalProperties !== undefined
  return copy.properties === undefined || open ? copy : { ...copy, additionalProperties: false }
}

/** Undefined where the operator's form would permit more: values of 2^63, a datum of `trace`. */
function bundled(policy, arch) {
  const options = { name: 'web', namespace: 'a', operator: true, arch, pid: 1 }
  try {
    return bundleProfile(policy, options).text
  } catch (error) {
    if (error.code === 'ERR_INEXPRESSIBLE') return undefined
    throw error
  }
}

function main(folder) {
  if (folder === undefined) throw new Error('the folder with the definitions is missing')
  const known = validators(folder)
  let passed = 0
  let failed = 0
  for (const { name } of builtInPolicies()) {
    for (const arch of ['x86_64', 'aarch64']) {
      const text = bundled(builtInPolicy(name, { arch }), arch)
      if (text === undefined) {
        console.log(`-- ${name} ${arch}: cannot be said in a SeccompProfile`)
        continue
      }
      for (const document of parseAllDocuments(text)) {
        const object = document.toJS({ maxAliasCount: 0 })
        const what = `${object.apiVersion} ${object.kind}`
        const validate = known.get(what)
        const good = validate?.(object) === true
        if (good) passed++
        else failed++
        const problems = good ? '' : `: ${JSON.stringify(validate?.errors ?? 'no such version')}`
        console.log(`${good ? 'ok' : 'not ok'} ${name} ${arch} ${what}${problems}`)
      }
    }
  }
  console.log(`${passed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

main(process.argv[2])
