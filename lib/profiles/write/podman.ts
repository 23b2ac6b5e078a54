/**
 * What Podman, Buildah and CRI-O read: containers/common pkg/seccomp/types.go. Errnos are there by name,
 * and as numbers for releases that know only those.
 */
import { writeContainer } from './container'
import { errnoWord } from './entries'
import { writeOci } from './oci'
import type { Source } from './source'

/** A profile of the container world keeps its conditions, but for minKernel. */
export const writePodman = (source: Source): string =>
  source.keepsConditions
    ? writeContainer(source, 'podman')
    : writeOci(source, (key, errno) => ({ [key]: errnoWord(errno) }))
