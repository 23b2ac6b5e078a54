import t from 'tap'
import { seccompTs, workplace } from '../helpers/cli'

const { write } = workplace()
const record =
  'audit: type=1326 audit(1795485518.172:2): auid=4294967295 uid=0 gid=0 ses=4294967295 pid=14503 comm="node" exe="/usr/bin/node" sig=31 arch=c000003e syscall=110 compat=0 ip=0x7f95e7f95829 code=0x80000000\n'

t.test('the kernel named it', (t) => {
  const file = write('container.log', `listening on 8080\n${record}`)
  const { code, stdout, stderr } = seccompTs(['diagnose', '--exit-code', '159', file])
  t.equal(code, 1)
  t.equal(stderr, '')
  t.match(stdout, /^The kernel says: getppid was refused to \/usr\/bin\/node/)
  t.match(stdout, /"names": \["getppid"\], "action": "SCMP_ACT_ALLOW"/)
  t.end()
})

t.test('what was printed looks like it', (t) => {
  const input = 'The futex facility returned an unexpected error code.\nAborted\n'
  const { code, stdout } = seccompTs(['diagnose', '-', '-c', '134'], { input })
  t.equal(code, 1)
  t.match(stdout, /^It looks like this: .*futex/)
  t.end()
})

t.test('only the exit code or the signal', (t) => {
  const { code, stdout } = seccompTs(['diagnose', '--exit-code', '159'])
  t.equal(code, 1)
  t.match(stdout, /^The exit code fits this: .*SIGSYS/)
  t.equal(seccompTs(['diagnose', '--signal', 'sys']).stdout, stdout)
  t.end()
})

t.test('nothing known', (t) => {
  const { code, stdout } = seccompTs(['diagnose', '-c', '1', '-'], { input: 'TypeError: oops\n' })
  t.equal(code, 0)
  t.match(stdout, /no proof/)
  t.end()
})

t.test('--json', (t) => {
  const { stdout } = seccompTs(['diagnose', '-', '--json'], { input: record })
  t.match(JSON.parse(stdout), {
    diagnoses: [{ by: 'kernel', calls: ['getppid'], who: 'program' }],
  })
  t.end()
})

t.test('mistakes', (t) => {
  const mistakes: [string[], RegExp][] = [
    [['diagnose'], /nothing to go by/],
    [['diagnose', '-c', '256'], /--exit-code: expected 0 to 255/],
    [['diagnose', '-c', 'SIGSYS'], /--exit-code: expected 0 to 255/],
    [['diagnose', 'absent.log'], /there is no such file/],
  ]
  for (const [args, message] of mistakes) {
    const { code, stderr } = seccompTs(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
  t.end()
})
