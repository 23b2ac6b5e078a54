/** The same policy gives the same bytes: those committed here, on whichever machine this runs. */
import { createHash } from 'node:crypto'
import t from 'tap'
import { allow, compile, errno, oneOf, webServer, type Policy } from '../../lib'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const handMade: Policy = {
  name: 'hand-made',
  default: errno('EPERM'),
  syscalls: {
    read: allow,
    write: allow,
    epoll_pwait: allow,
    futex: allow,
    exit_group: allow,
    socket: allow.when({ family: oneOf('AF_UNIX', 'AF_INET') }),
  },
}

// They change when the compiler or the policy does, and must not otherwise.
const expected = [
  {
    policy: handMade,
    arch: 'x86_64',
    hash: 'c5bc356f3b0528520c85cc49a9339cd83e49aac19a0d4a2fe6977f6eeffbccdf',
  },
  {
    policy: handMade,
    arch: 'aarch64',
    hash: 'ba8e867c24941432fbdb35aada5f1c766d497717bf6729f3abd935ad35944a20',
  },
  {
    policy: webServer,
    arch: 'x86_64',
    hash: 'a83beb6c3ceb3dd9d1718e9aced5fbe21c0cf6b8fa47a3d0bbb852f93287dd76',
  },
  {
    policy: webServer,
    arch: 'aarch64',
    hash: 'eed04c058dd99df2b3feb76a5f51f0ebc90b4d5514248e5e942bc0c39ba0b3f0',
  },
] as const

t.test('the committed bytes', async (t) => {
  for (const { policy, arch, hash } of expected) {
    const { bytes } = compile(policy, { arch, pid: 4242 })
    t.equal(sha256(bytes), hash, `${policy.name}, ${arch}`)
    t.same(compile(policy, { arch, pid: 4242 }).bytes, bytes, 'a second time')
  }
})
