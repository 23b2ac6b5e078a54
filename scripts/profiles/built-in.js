// Compares the built-in policies of container engines with the files those are in, which are not part of
// this repository, by what they mean: for both architectures, several kernels, and containers without
// capabilities, with Docker's, with all, with each single one and without each single one.
//
//   node scripts/profiles/built-in.js FOLDER
//
// Exits with 1 if any differs.
'use strict'

require('../require-ts')
const { readFileSync } = require('node:fs')
const path = require('node:path')
const { comparePolicies } = require('../../lib/analysis')
const { builtInPolicy, readProfile, resolveProfile } = require('../../lib/profiles')
const { CAPABILITIES } = require('../../lib/profiles/vocabulary')
const { capabilities } = require('../../lib/cli/capabilities')
const { ScriptError, main } = require('../common')

const DOCKER = capabilities('docker')

const CONTAINERS = [
  [],
  DOCKER,
  CAPABILITIES,
  ...CAPABILITIES.map((cap) => [cap]),
  ...CAPABILITIES.map((cap) => CAPABILITIES.filter((each) => each !== cap)),
]

const everywhere = (containers) =>
  ['x86_64', 'aarch64'].flatMap((arch) =>
    ['4.7', '4.8', '6.1'].flatMap((kernel) => containers.map((caps) => ({ arch, kernel, caps }))),
  )

/** containerd has its profile in code: the files are what that makes for one container each. */
const onlyFor = (caps) => [{ arch: 'x86_64', kernel: '6.1', caps }]

const FILES = [
  { file: 'moby-default.json', name: 'docker-default', targets: everywhere(CONTAINERS) },
  {
    file: 'containers-common-seccomp.json',
    name: 'podman-default',
    // Strictly, it contradicts itself: which of two entries counts, the runtime decides.
    runtime: 'podman',
    targets: everywhere(CONTAINERS),
  },
  {
    file: 'containerd-HEAD-nocaps-generated.json',
    name: 'containerd-default',
    targets: onlyFor([]),
  },
  {
    file: 'containerd-HEAD-default-generated.json',
    name: 'containerd-default',
    targets: onlyFor(DOCKER),
  },
  {
    file: 'containerd-HEAD-admin-generated.json',
    name: 'containerd-default',
    targets: onlyFor([...DOCKER, 'CAP_SYS_ADMIN', 'CAP_BPF']),
  },
]

function differences(folder, { file, name, runtime, targets }) {
  const { profile } = readProfile(readFileSync(path.join(folder, file)))
  return targets.flatMap((target) => {
    const options = { ...target, ...(runtime === undefined ? {} : { runtime }) }
    const theirs = resolveProfile(profile, options).policy
    const compared = comparePolicies(theirs, builtInPolicy(name, target), { arch: target.arch })
    const { arch, kernel, caps } = target
    return compared.differences.map(
      ({ text }) => `${arch}, Linux ${kernel}, ${caps.join(' ') || 'no capabilities'}: ${text}`,
    )
  })
}

function compare([folder]) {
  if (folder === undefined) throw new ScriptError('Which folder of profiles?')
  let equal = true
  for (const each of FILES) {
    const found = differences(folder, each)
    equal &&= found.length === 0
    const outcome = found.length === 0 ? 'equal' : `${found.length} differences`
    console.log(`${each.name}  ${each.file}  ${each.targets.length} containers: ${outcome}`)
    for (const text of found.slice(0, 5)) console.log(`    ${text}`)
  }
  return equal ? 0 : 1
}

main(compare)
