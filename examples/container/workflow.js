// A profile for a container, from the first recording to the day it is too narrow, on this machine:
// Node's HTTP server under runc. Takes root, runc, and a kernel whose audit records may be listened to.
//
//   node examples/container/workflow.js [--keep FOLDER]
//
//  1. It runs under `audit`, which lets everything through and has the kernel log it; the records are
//     taken from the kernel itself, since its log keeps ten in five seconds.
//  2. They become an allow-list, which is linted and compared with Docker's default.
//  3. It runs under the allow-list, with the same traffic.
//  4. A call is taken out of the list. From what is left of the crash alone the call is found, and put
//     back. Once where the list refuses with an errno, once where it kills.
'use strict'

const { spawn, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { auditLog, builtInPolicy, convert, lint } = require('seccomp-ts')
const { Container } = require('./container')
const { makeTraffic } = require('./traffic')

const CLI = path.join(__dirname, '../../dist/cli.js')
const MOST_CALLS = 110

let [passed, failed] = [0, 0]

function check(what, holds, otherwise = '') {
  if (holds) passed++
  else failed++
  console.log(`  ${holds ? 'ok    ' : 'FAILED'} ${what}`)
  if (!holds && otherwise !== '') console.log(indent(otherwise))
}

const indent = (text) => text.trimEnd().replace(/^/gm, '         ')

function seccompTs(...args) {
  console.log(`  $ seccomp-ts ${args.map((each) => path.basename(each)).join(' ')}`)
  return spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 })
}

/** A policy as runc reads one. The program is the first process of the container. */
const toOci = (policy) => JSON.parse(convert(policy, { to: 'oci', pid: 1 }).text)

const allows = ({ syscalls }, name) =>
  [syscalls[name]].flat().some((rule) => rule?.action === 'allow' || rule?.action === 'log')

const allowed = (policy) => Object.keys(policy.syscalls).filter((name) => allows(policy, name))

/** Runs it under a policy with all the traffic; resolves to what is left. */
async function serve(container, policy) {
  const running = await container.start(toOci(policy))
  const port = /^listening on (\d+)$/m.exec(running.printed)?.[1]
  let traffic = { asked: 0, served: 0 }
  if (port !== undefined) {
    traffic = await makeTraffic(Number(port))
    if (running.exitCode === undefined) container.stop()
  }
  const exitCode = await running.ended
  container.remove()
  return { ...traffic, exitCode, printed: running.printed }
}

/** `seccomp-ts logs --live` from before the work to after it. */
async function recording(args, work) {
  console.log(`  $ seccomp-ts logs --live ${args.map((each) => path.basename(each)).join(' ')}`)
  const child = spawn(process.execPath, [CLI, 'logs', '--live', ...args], {
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let said = ''
  const ended = new Promise((resolve) => child.on('close', resolve))
  const listening = new Promise((resolve) => {
    child.stderr.on('data', (data) => {
      said += data
      if (said.includes('listening')) resolve()
    })
  })
  await Promise.race([listening, ended])
  const result = await work()
  child.kill('SIGINT')
  return { code: await ended, said, result }
}

/** The kernel's records of one program while the work goes on. */
async function recordsOf(program, work) {
  const interrupted = new AbortController()
  const log = auditLog({ signal: interrupted.signal })
  const lines = []
  const reading = (async () => {
    for await (const line of log) if (line.includes(`exe="${program}"`)) lines.push(line)
  })()
  const result = await work()
  interrupted.abort()
  await reading
  return { lines, result }
}

async function record(container, folder) {
  console.log('\nUnder audit')
  const file = path.join(folder, 'api.json')
  const program = ['--program', container.program, '--with-runtime']
  const { code, said, result } = await recording(
    ['--policy', '--name', 'api', ...program, '-o', file],
    () => serve(container, builtInPolicy('audit')),
  )
  console.log(indent(said))
  check(`served ${result.served} of ${result.asked} requests`, isServed(result), result.printed)
  check('recorded', code === 0, said)
  check('lost no record', !/^lost:/m.test(said), said)
  sayWhatTheLogHas(container)
  return file
}

/** The reason for listening to the kernel itself. */
function sayWhatTheLogHas({ program }) {
  const { stdout } = spawnSync('dmesg', { encoding: 'utf8', maxBuffer: 1 << 26 })
  const lines = stdout.split('\n').filter((line) => line.includes(`exe="${program}"`))
  console.log(`  (of these records, the kernel's log has ${lines.length})`)
}

const isServed = ({ asked, served, exitCode }) => asked > 0 && served === asked && exitCode === 0

function review(policy, file) {
  console.log('\nThe allow-list')
  const names = allowed(policy)
  check(`allows ${names.length} calls, fewer than ${MOST_CALLS}`, names.length < MOST_CALLS)
  const findings = lint(policy)
  for (const { severity, message, path: where } of findings) {
    console.log(`  ${severity}: ${where}: ${message}`)
  }
  check(
    `lint: nothing is wrong with it (${findings.length} remarks)`,
    findings.every(({ severity }) => severity !== 'error'),
  )
  const { status, stdout, stderr } = seccompTs('diff', 'docker-default', file)
  const [last] = stdout.trimEnd().split('\n').slice(-1)
  console.log(indent(opened(stdout)))
  check(`compared with docker-default: ${last}`, status === 0 || status === 1, stderr)
}

/** What it lets through that Docker's default would not. */
const opened = (text) =>
  /^.* lets through what .*\n(?: {2}.*\n)*/m.exec(text)?.[0] ?? 'opens nothing that Docker refuses'

const without = (policy, name) => ({
  ...policy,
  syscalls: Object.fromEntries(Object.entries(policy.syscalls).filter(([each]) => each !== name)),
})

async function breakAndMend(container, folder, policy, name) {
  console.log(`\nWithout ${name}, by default ${policy.default.action}`)
  const broken = without(policy, name)
  const { lines, result } = await recordsOf(container.program, () => serve(container, broken))
  check('does not serve', !isServed(result), JSON.stringify(result))
  const printed = path.join(folder, 'container.log')
  const kernel = path.join(folder, 'kernel.log')
  fs.writeFileSync(printed, result.printed)
  fs.writeFileSync(kernel, `${lines.join('\n')}\n`)

  const remains = ['--exit-code', String(result.exitCode), printed, kernel]
  console.log(indent(seccompTs('diagnose', ...remains).stdout))
  const { stdout } = spawnSync(process.execPath, [CLI, 'diagnose', '--json', ...remains])
  const [first] = JSON.parse(stdout).diagnoses
  const found = first?.calls ?? []
  check(`diagnosed to ${name}`, found.length === 1 && found[0] === name, JSON.stringify(first))
  const rules = Object.fromEntries(
    found.map((call) => [call, policy.syscalls[call] ?? { action: 'allow' }]),
  )
  const mended = { ...broken, syscalls: { ...broken.syscalls, ...rules } }
  const again = await serve(container, mended)
  check(`served ${again.served} of ${again.asked} with it`, isServed(again), again.printed)
}

async function workflow(folder) {
  const id = `seccomp-ts-${process.pid}`
  const container = new Container(folder, id, [path.join(__dirname, 'server.js')])
  try {
    const file = await record(container, folder)
    const policy = JSON.parse(fs.readFileSync(file, 'utf8'))
    review(policy, file)

    console.log('\nUnder the allow-list')
    fs.writeFileSync(path.join(folder, 'api.oci.json'), JSON.stringify(toOci(policy), undefined, 2))
    const enforced = await serve(container, policy)
    check(
      `served ${enforced.served} of ${enforced.asked} requests`,
      isServed(enforced),
      enforced.printed,
    )

    await breakAndMend(container, folder, policy, 'futex')
    await breakAndMend(container, folder, killing(policy), 'accept4')
  } finally {
    container.remove()
  }
}

/** The same list, whose end is final. What Node looks at and does without still fails in peace. */
function killing(policy) {
  const looks = ['access', 'faccessat2', 'readlinkat', 'statfs', 'getcwd', 'statx', 'lstat', 'stat']
  const rules = looks.map((name) => [name, { action: 'errno', errno: 'EACCES' }])
  return {
    ...policy,
    default: { action: 'kill' },
    syscalls: { ...Object.fromEntries(rules), ...policy.syscalls },
  }
}

async function main() {
  const { values } = parseArgs({ options: { keep: { type: 'string' } } })
  const folder = values.keep ?? fs.mkdtempSync(path.join(os.tmpdir(), 'seccomp-ts-container-'))
  fs.mkdirSync(folder, { recursive: true })
  try {
    await workflow(folder)
  } finally {
    if (values.keep === undefined) fs.rmSync(folder, { recursive: true, force: true })
  }
  console.log(`\n${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}

main()
