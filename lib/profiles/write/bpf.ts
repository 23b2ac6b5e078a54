/** struct sock_filter[], as bwrap --seccomp and crun's run.oci.seccomp_bpf_data take it. */
import { compileRules } from '../../compiler/compile'
import { reportCompanions } from './entries'
import type { Source } from './source'

export function writeBpf(source: Source): Uint8Array {
  reportCompanions(source)
  return compileRules(source.rules).bytes
}
