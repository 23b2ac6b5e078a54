/** Dangerous calls that are allowed, grouped by what an attacker gains. */
import { isWithinReach, openDangers } from '../dangers'
import { listOf } from '../findings'
import { placeOfCall, type Context } from './context'

export function checkDangers(context: Context): void {
  const { subject, reach, findings } = context
  const caps = subject.target.caps ?? []
  for (const { danger, calls } of openDangers(reach)) {
    const { id, level, title, attack, needs, references, capabilities } = danger
    const [first] = calls
    if (level === 'ordinary' || first === undefined) continue
    const granted = capabilities.some((each) => caps.includes(each))
    const syscalls = calls.map(({ syscall }) => syscall)
    findings.report('dangerous-call', placeOfCall(context, first.witness), {
      severity: (level === 'high' && isWithinReach(danger, caps)) || granted ? 'warning' : 'note',
      message: `${listOf(syscalls)} (${title}): an attacker ${attack.replace(/\.$/, '')}. It takes ${needs}`,
      fix: `Refuse ${listOf(syscalls, 30)}${syscalls.every((name) => danger.calls[name] === true) ? '' : ' with such arguments'} unless the program needs ${syscalls.length > 1 ? 'them' : 'it'}; explain tells which other controls stop it.`,
      call: first.witness,
      syscalls,
      danger: id,
      references,
    })
  }
}
