/**
 * How each runtime makes a filter of a profile, as data. Two parts: who reads the file, and which of runc
 * and crun calls libseccomp in the end. All of it was measured with runc 1.1.5, crun 1.8.1, Podman 4.3.1,
 * Docker 20.10.24 and containerd 1.6.20, and read in their sources of 2026, CRI-O only read; where those
 * differ, it is the sources that are followed.
 */
import type { Manners } from './reading'
import type { Dialect } from './types'

export type Runtime = 'docker' | 'podman' | 'cri-o' | 'containerd' | 'runc' | 'crun'

export interface Engine {
  readonly name: 'runc' | 'crun'
  /**
   * An errno on an action that carries none. runc ignores it; crun: "errno value specified for action",
   * as the runtime-spec asks.
   */
  readonly refusesUnusedErrno: boolean
  /** '' among the names. runc: "empty string is not a valid syscall". */
  readonly refusesEmptyName: boolean
  /** Of more conditions, crun's array takes so many; runc takes all, which makes them alternatives. */
  readonly conditions: number
  /**
   * SCMP_ACT_NOTIFY without listenerPath, as the default, or on write(2). runc seccomp_linux.go; with crun
   * the call then fails with ENOSYS, which is what the kernel says where nobody listens.
   */
  readonly refusesNotify: boolean
  /** Architectures without SCMP_ARCH_ and in lower case. */
  readonly foldsArchitectures: boolean
  /**
   * Every number above the highest that the profile names fails with ENOSYS before the filter runs,
   * unless the default lets calls run. runc patchbpf/enosys_linux.go.
   */
  readonly enosysStub: boolean
}

const RUNC: Engine = {
  name: 'runc',
  refusesUnusedErrno: false,
  refusesEmptyName: true,
  conditions: Infinity,
  refusesNotify: true,
  foldsArchitectures: false,
  enosysStub: true,
}

const CRUN: Engine = {
  name: 'crun',
  refusesUnusedErrno: true,
  refusesEmptyName: false,
  conditions: 6,
  refusesNotify: false,
  foldsArchitectures: true,
  enosysStub: false,
}

export interface RuntimeRules {
  readonly name: Runtime
  readonly manners: Manners
  /** What it takes a file to be, whatever it was written as. */
  readonly dialect: Dialect
  readonly engine: Engine
}

/**
 * Docker and containerd with runc, Podman and CRI-O (since 1.31) with crun: each its own default. CRI-O reads
 * as Podman does, by the same package: internal/config/seccomp/seccomp.go, applyProfileFromBytes.
 */
export const RUNTIMES: Readonly<Record<Runtime, RuntimeRules>> = {
  docker: { name: 'docker', manners: 'go', dialect: 'moby', engine: RUNC },
  podman: { name: 'podman', manners: 'go', dialect: 'containers-common', engine: CRUN },
  'cri-o': { name: 'cri-o', manners: 'go', dialect: 'containers-common', engine: CRUN },
  containerd: { name: 'containerd', manners: 'go', dialect: 'containerd', engine: RUNC },
  runc: { name: 'runc', manners: 'go', dialect: 'oci', engine: RUNC },
  crun: { name: 'crun', manners: 'crun', dialect: 'oci', engine: CRUN },
}
