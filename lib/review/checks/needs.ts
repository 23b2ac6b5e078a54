/** What is refused although the runtime or Node cannot do without. */
import { NODE_DENIALS, type NodeDenial } from '../../knowledge/node-denials'
import { RUNTIME_NEEDS } from '../../knowledge/runtime-needs'
import { RUNTIMES } from '../../profiles/runtimes'
import type { SyscallName } from '../../syscalls'
import { describeVerdict } from '../../analysis/verdict'
import { evaluate } from '../../analysis/evaluate'
import { listOf } from '../findings'
import { placeOfCall, plainCall, type Context } from './context'

/** Whether every call of that name is refused, where there is one. */
const isRefused = ({ reach }: Context, name: SyscallName): boolean =>
  reach.info(name) !== undefined && reach.extent(name) === 'never'

export function checkRuntimeNeeds(context: Context): void {
  const { subject, findings } = context
  const { runtime } = subject
  if (runtime === undefined) return
  const { engine } = RUNTIMES[runtime]
  const { always, withPrivileges } = RUNTIME_NEEDS[engine.name]
  const refused = always.filter((name) => isRefused(context, name))
  const [first] = refused
  if (first !== undefined) {
    const either = RUNTIME_NEEDS.runc.always.filter((name) =>
      RUNTIME_NEEDS.crun.always.includes(name),
    )
    const certain =
      subject.runtimeNamed || runtime !== 'runc' || refused.some((name) => either.includes(name))
    findings.report('runtime-needs', placeOfCall(context, plainCall(context, first)), {
      // Whom it is for, nobody said: crun may do without.
      severity: certain ? 'error' : 'warning',
      message: `${engine.name} itself needs ${listOf(refused)} when the profile is in force already: no container starts`,
      fix: `Allow ${listOf(refused, 30)}.`,
      syscalls: refused,
    })
  }
  const more = withPrivileges.filter((name) => isRefused(context, name))
  const [other] = more
  if (other !== undefined) {
    findings.report('runtime-needs-privileges', placeOfCall(context, plainCall(context, other)), {
      message: `without no_new_privileges, ${engine.name} needs ${listOf(more)} too, when the profile is in force already`,
      fix: `Set no_new_privileges (allowPrivilegeEscalation: false), or allow ${listOf(more, 30)}.`,
      syscalls: more,
    })
  }
}

/** What ends or stops Node, not what makes one of its functions fail. */
const FATAL: Readonly<Partial<Record<NodeDenial['effect'], string>>> = {
  aborts: 'Node aborts',
  hangs: 'Node hangs',
  throws: 'Node throws where nobody catches',
}

/** Measured on x86-64, where every call there is was tried alone (lib/knowledge/node-denials.ts). */
export function checkNodeNeeds(context: Context): void {
  const { subject, reach, findings } = context
  if (!subject.node) return
  for (const { syscalls, effect, how, errno, sometimes } of NODE_DENIALS) {
    const consequence = FATAL[effect]
    if (consequence === undefined || sometimes === true) continue
    const refused = syscalls.filter((name) => {
      if (!isRefused(context, name)) return false
      const { action } = evaluate([reach.rules], plainCall(context, name))
      const verdict = describeVerdict(action)
      return errno === undefined || verdict.errno === errno || verdict.action !== 'errno'
    })
    const [first] = refused
    if (first === undefined) continue
    findings.report('node-needs', placeOfCall(context, plainCall(context, first)), {
      message: `${listOf(refused)} ${refused.length > 1 ? 'are' : 'is'} refused: ${consequence} (${how})`,
      fix:
        errno === 'EPERM'
          ? `Have ${first} answer ENOSYS, or allow it.`
          : `Allow ${listOf(refused, 30)}.`,
      syscalls: refused,
    })
  }
}
