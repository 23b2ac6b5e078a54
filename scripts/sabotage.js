// Every security test must be able to fail. This breaks the code in the ways a bug would, one at a
// time and in a copy, and demands that the tests named for it go red.
//
//   node scripts/sabotage.js [NAME...]
'use strict'

const { execFileSync, spawnSync } = require('node:child_process')
const {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '..')

/** name, file, what stands there, what a bug would make of it, the tests that must notice. */
const sabotages = [
  {
    name: 'TSYNC is left out',
    file: 'native/kernel/install.cc',
    from: 'uint32_t flags = SECCOMP_FILTER_FLAG_TSYNC;',
    to: 'uint32_t flags = 0;',
    tests: ['test/kernel/threads.test.ts'],
  },
  {
    name: 'TSYNC is left out, and the census looks at nothing',
    file: 'native/kernel/install.cc',
    from: [
      'uint32_t flags = SECCOMP_FILTER_FLAG_TSYNC;',
      'if (thread.mode != SECCOMP_MODE_FILTER || !counted) return',
    ],
    to: ['uint32_t flags = 0;', 'if (false) return'],
    tests: ['test/kernel/threads.test.ts'],
  },
  {
    name: 'a positive TSYNC result is taken for success',
    file: 'native/kernel/install.cc',
    from: 'if (result > 0 && !options.listener) {',
    to: 'if (false) {',
    tests: ['test/kernel/threads.test.ts'],
  },
  {
    name: 'the x32 guard is dropped',
    file: 'lib/policy/normalise.ts',
    from: "if (arch === 'x86_64') ranges.push(",
    to: "if (arch === ('none' as Arch)) ranges.push(",
    tests: ['test/kernel/entries.test.ts'],
  },
  {
    name: 'other architectures are let through',
    file: 'lib/policy/normalise.ts',
    from: 'foreignArchAction: RETURN_VALUE.kill,',
    to: 'foreignArchAction: RETURN_VALUE.allow,',
    tests: ['test/kernel/entries.test.ts'],
  },
  {
    name: '64 bits of an int are compared',
    file: 'lib/policy/normalise.ts',
    from: 'const width = wide ? 64 : type.width',
    to: 'const width = 64',
    tests: ['test/kernel/arguments.test.ts'],
  },
  {
    name: 'ints are compared as unsigned',
    file: 'lib/policy/normalise.ts',
    from: 'const signed = !wide && type.signed',
    to: 'const signed = false',
    tests: ['test/kernel/arguments.test.ts'],
  },
  {
    name: 'clone3 gets the default instead of ENOSYS',
    file: 'lib/policy/normalise.ts',
    from: "{ name: 'clone3', twins: ['clone'] },",
    to: '',
    tests: ['test/kernel/web-server.test.ts'],
  },
  {
    name: "libuv's rings are left open",
    file: 'lib/lockdown/io-uring.ts',
    from: 'if (count === 0) {',
    to: 'if (count >= 0) {',
    tests: ['test/kernel/io-uring.test.ts'],
  },
  {
    name: 'io_uring stays open under every choice',
    file: 'lib/lockdown/io-uring.ts',
    from: 'retire(choice)\n      return { program,',
    to: "return { program: compileAllowing(policy, hostTarget(), 'io_uring_enter', prove),",
    tests: ['test/kernel/io-uring.test.ts'],
  },
  {
    name: 'register goes on when the lockdown fails',
    file: 'lib/lockdown/preload.ts',
    from: '  lockdown(policy, options)',
    to: '  try { lockdown(policy, options) } catch {}',
    tests: ['test/kernel/register.test.ts'],
  },
  {
    name: 'fork takes inherited options',
    file: 'lib/sandbox/fork.ts',
    from: "parseOptions(own.get('lockdown'))",
    to: 'parseOptions((options as ForkOptions).lockdown)',
    tests: ['test/kernel/fork.test.ts'],
  },
  {
    name: 'webServer lets a terminal signal others',
    file: 'lib/promises/web-server.ts',
    from: "allow.when({ cmd: eq('F_SETFL'), arg2: hasNone(O_ASYNC) }),",
    to: "allow.when({ cmd: eq('F_SETFL') }),",
    tests: ['test/kernel/refusals.test.ts'],
  },
  {
    name: 'the addon is unloaded with the Worker that loaded it',
    file: 'binding.gyp',
    from: '"-Wl,-z,nodelete"',
    to: '"-Wl,-z,now"',
    tests: ['test/kernel/threads.test.ts'],
  },
  {
    name: 'the proof is not asked for',
    file: 'lib/lockdown/unprepared.ts',
    from: 'if (prove) requireProof(rules, program)',
    to: 'if (prove && rules.syscalls.length > 4096) requireProof(rules, program)',
    tests: ['test/kernel/proof.test.ts'],
  },
  {
    name: 'a lockdown that was not proved is called so',
    file: 'lib/lockdown/lockdown.ts',
    from: 'proved: parsed.prove,',
    to: 'proved: true,',
    tests: ['test/kernel/proof.test.ts'],
  },
  {
    name: '>= is compiled as >',
    file: 'native/compiler/assembler.cc',
    from: 'return BPF_JMP | BPF_JGE | BPF_K;',
    to: 'return BPF_JMP | BPF_JGT | BPF_K;',
    tests: ['test/differential/libseccomp.test.ts'],
  },
  {
    name: 'two conditions on one argument must both hold under a runtime',
    file: 'lib/profiles/resolve.ts',
    from: 'if (repeated && engine !== undefined) {',
    to: 'if (repeated && engine !== undefined && engine.conditions === 0) {',
    tests: ['test/differential/profiles.test.ts'],
  },
  {
    name: "runc's stub is forgotten",
    file: 'lib/profiles/resolve.ts',
    from: 'return ceiling === undefined ? { syscalls } : { ceiling, syscalls }',
    to: 'return { syscalls }',
    tests: ['test/differential/profiles.test.ts'],
  },
  {
    name: 'includes.caps holds with any of its capabilities',
    file: 'lib/profiles/resolve.ts',
    from: 'const missing = includes?.caps.find((cap) => !caps.has(cap))',
    to: 'const missing = caps.size > 0 ? undefined : includes?.caps.find((cap) => !caps.has(cap))',
    tests: ['test/differential/profiles.test.ts'],
  },
  {
    name: "the interpreter takes a constant for the index register's value",
    file: 'lib/analysis/interpreter.ts',
    from: 'const operand = (opcode & X) === 0 ? constant : x',
    to: 'const operand = constant',
    tests: ['test/differential/kernel.test.ts'],
  },
  {
    name: 'inherited properties count',
    file: 'lib/policy/snapshot.ts',
    from: 'for (const key of Object.keys(value)) {\n    const property = Object.getOwnPropertyDescriptor(value, key)',
    to: 'for (const key in value) {\n    const property = { value: (value as Record<string, unknown>)[key], get: undefined, set: undefined }',
    tests: ['test/policy/mistakes.test.ts'],
  },
]

function copyProject() {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'seccomp-ts-sabotage-'))
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root })
  for (const file of listed.toString().split('\0')) {
    if (file === '' || !existsSync(path.join(root, file))) continue
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true })
    cpSync(path.join(root, file), path.join(copy, file), { preserveTimestamps: true })
  }
  for (const built of ['build', 'prebuilds', 'dist', 'examples/demo/attacker/build']) {
    cpSync(path.join(root, built), path.join(copy, built), {
      recursive: true,
      preserveTimestamps: true,
    })
  }
  for (const linked of ['node_modules', 'test/nodes/node_modules']) {
    if (existsSync(path.join(root, linked)))
      symlinkSync(path.join(root, linked), path.join(copy, linked))
  }
  return copy
}

function apply(copy, { file, from, to }) {
  let text = readFileSync(path.join(root, file), 'utf8')
  const pairs = Array.isArray(from) ? from.map((each, index) => [each, to[index]]) : [[from, to]]
  for (const [find, replace] of pairs) {
    if (text.split(find).length !== 2) throw new Error(`${file}: does not hold once: ${find}`)
    text = text.replace(find, () => replace)
  }
  writeFileSync(path.join(copy, file), text)
}

function restore(copy, { file }) {
  writeFileSync(path.join(copy, file), readFileSync(path.join(root, file)))
}

// What is broken on purpose may draw warnings, and CI makes those errors.
const environment = { ...process.env, CI: 'true', CXXFLAGS: '' }

const run = (copy, command, args) =>
  spawnSync(command, args, { cwd: copy, encoding: 'utf8', env: environment })

/** Builds what the change touches. A sabotage that does not compile proves nothing. */
function build(copy, file) {
  const built = /^(native\/|binding\.gyp)/.test(file)
    ? run(copy, 'node', ['scripts/build-native.js'])
    : run(copy, 'node', ['scripts/build-ts.js'])
  if (built.status !== 0) throw new Error(`does not build:\n${built.stdout}${built.stderr}`)
}

const test = (copy, files) =>
  run(copy, 'node_modules/.bin/tap', ['--disable-coverage', '--reporter=tap', '--bail', ...files])

function main(names) {
  const chosen = sabotages.filter(({ name }) => names.length === 0 || names.includes(name))
  const copy = copyProject()
  let noticed = 0
  let missed = 0
  try {
    for (const sabotage of chosen) {
      apply(copy, sabotage)
      build(copy, sabotage.file)
      const red = test(copy, sabotage.tests).status !== 0
      restore(copy, sabotage)
      build(copy, sabotage.file)
      console.log(
        `${red ? 'noticed' : 'MISSED '}  ${sabotage.name}  (${sabotage.tests.join(', ')})`,
      )
      if (red) noticed++
      else missed++
    }
    // The copy as it is must be green, or red would have meant nothing.
    const all = [...new Set(chosen.flatMap(({ tests }) => tests))]
    const sound = test(copy, all)
    if (sound.status !== 0) {
      console.log(
        sound.stdout
          .split('\n')
          .filter((line) => /not ok/.test(line))
          .join('\n'),
      )
      console.log('RED WITHOUT SABOTAGE')
      missed++
    } else {
      noticed++
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  console.log(`${noticed} passed, ${missed} failed`)
  process.exitCode = missed === 0 ? 0 : 1
}

main(process.argv.slice(2))
