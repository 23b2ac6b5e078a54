/** `seccompProfile` and `appArmorProfile`: a type, and a name where the type is Localhost. */
import { describeNode, quote } from '../profiles/tree'
import type { At } from '../profiles/reading'
import type { NamedProfile } from './annotations'
import { Fields } from './fields'
import type { ManifestFindings, Subject } from './findings'
import { APPARMOR_PROFILE, SECCOMP_PROFILE } from './shapes'

const PROFILE_TYPES: readonly NamedProfile['type'][] = ['RuntimeDefault', 'Localhost', 'Unconfined']

/** A field that is there. Without a `profile` the API server refuses the object. */
export interface ProfileField {
  readonly at: At
  readonly profile: NamedProfile | undefined
  /** Where `localhostProfile` stands. */
  readonly path: At | undefined
}

export function readSeccompField(
  context: Fields | undefined,
  subject: Subject,
  findings: ManifestFindings,
): ProfileField | undefined {
  const at = context?.map('seccompProfile')
  if (at === undefined) return undefined
  const fields = new Fields(at, SECCOMP_PROFILE, subject, findings)
  const type = readType(fields, 'seccomp-type', subject, findings)
  const path = fields.string('localhostProfile')
  const given = path === undefined ? {} : { localhostProfile: path.text }
  const profile = type === undefined ? undefined : { type, ...given }
  if (profile !== undefined) checkSeccompPath(at, profile, path?.at, subject, findings)
  return { at, profile, path: path?.at }
}

function readType(
  fields: Fields,
  rule: 'seccomp-type' | 'apparmor-profile',
  subject: Subject,
  findings: ManifestFindings,
): NamedProfile['type'] | undefined {
  const given = fields.get('type')
  if (given === undefined) {
    findings.report(rule, subject, fields.at, "there is no 'type': it is refused")
    return undefined
  }
  const text = given.node.kind === 'string' ? given.node.value : undefined
  const type = PROFILE_TYPES.find((known) => known === text)
  if (type !== undefined) return type
  const meant = text === undefined ? undefined : meantType(text, findings)
  const message = `there is no type ${describeNode(given.node)}: it is refused`
  const more = meant === undefined ? {} : { fix: `Write '${meant}': case counts.` }
  findings.report(rule, subject, given, message, more)
  return undefined
}

/** What annotations have is taken for a type too. */
const meantType = (text: string, findings: ManifestFindings): NamedProfile['type'] | undefined =>
  /^(runtime|docker)\/default$/i.test(text)
    ? 'RuntimeDefault'
    : findings.suggestion(text, PROFILE_TYPES)

/** validateLocalDescendingPath and validateSeccompProfileField of the API server. */
function checkSeccompPath(
  at: At,
  { type, localhostProfile: path }: NamedProfile,
  pathAt: At | undefined,
  subject: Subject,
  findings: ManifestFindings,
): void {
  if (type !== 'Localhost') {
    if (path === undefined) return
    const message = `'localhostProfile' does not go with ${type}: it is refused`
    findings.report('localhost-path-unused', subject, pathAt ?? at, message)
    return
  }
  if (path === undefined || path === '' || pathAt === undefined) {
    const message = "Localhost without 'localhostProfile': it is refused"
    findings.report('localhost-path-missing', subject, pathAt ?? at, message)
  } else if (path.startsWith('/')) {
    const message = `${quote(path)} is an absolute path: it is refused`
    findings.report('localhost-path-absolute', subject, pathAt, message)
  } else if (path.split('/').includes('..')) {
    const message = `${quote(path)} leads out of the folder: it is refused`
    findings.report('localhost-path-parent', subject, pathAt, message)
  } else if (/^(\.\/)?(localhost|var\/lib\/kubelet\/seccomp|seccomp)\//.test(path)) {
    const message = `${quote(path)} would be that path below the kubelet's seccomp folder`
    findings.report('localhost-path-prefix', subject, pathAt, message)
  }
}

/** ValidateAppArmorProfileField of the API server. */
export function readAppArmorField(
  context: Fields | undefined,
  subject: Subject,
  findings: ManifestFindings,
): ProfileField | undefined {
  const at = context?.map('appArmorProfile')
  if (at === undefined) return undefined
  const fields = new Fields(at, APPARMOR_PROFILE, subject, findings)
  const type = readType(fields, 'apparmor-profile', subject, findings)
  const name = fields.string('localhostProfile')
  if (
    type === 'Localhost' &&
    (name === undefined || name.text.trim() !== name.text || name.text === '')
  ) {
    const message = "Localhost without the name of a profile in 'localhostProfile': it is refused"
    findings.report('apparmor-profile', subject, name?.at ?? at, message)
  }
  if (type !== undefined && type !== 'Localhost' && name !== undefined) {
    const message = `'localhostProfile' does not go with ${type}: it is refused`
    findings.report('apparmor-profile', subject, name.at, message)
  }
  const given = name === undefined ? {} : { localhostProfile: name.text }
  return { at, profile: type === undefined ? undefined : { type, ...given }, path: name?.at }
}
