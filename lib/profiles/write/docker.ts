/** What `docker run --security-opt seccomp=` takes: moby/profiles, in the new form. */
import { writeContainer } from './container'
import { writeOci } from './oci'
import type { Source } from './source'

/** A profile of the container world keeps its conditions; all else is flat, which Docker reads too. */
export const writeDocker = (source: Source): string =>
  source.keepsConditions ? writeContainer(source, 'docker') : writeOci(source)
