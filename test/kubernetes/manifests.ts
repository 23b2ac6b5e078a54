/** For the tests of lib/kubernetes: a pod without a fault, to put one in. */
import { stringify } from 'yaml'
import { ManifestError } from '../../lib/errors'
import { checkManifests, type CheckOptions, type ManifestFinding } from '../../lib/kubernetes'

type Json = Record<string, unknown>

export const CONTEXT: Json = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
}

export const container = (more: Json = {}, context: Json = {}): Json => ({
  name: 'web',
  image: 'registry.test/web:1',
  securityContext: { ...CONTEXT, ...context },
  ...more,
})

export const POD_CONTEXT: Json = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }

/** A pod's spec. The containers are one that has `context` besides, or those of `more`. */
export const spec = (more: Json = {}, podContext: Json = {}, context: Json = {}): Json => ({
  securityContext: { ...POD_CONTEXT, ...podContext },
  containers: [container({}, context)],
  ...more,
})

export const pod = (podSpec: Json = spec(), metadata: Json = {}): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', ...metadata },
    spec: podSpec,
  })

export const deployment = (podSpec: Json = spec(), metadata: Json = {}, own: Json = {}): string =>
  stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', ...own },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' }, ...metadata }, spec: podSpec },
    },
  })

export const annotated = (annotations: Record<string, string>): Json => ({ annotations })

export const findingsOf = (text: string, options?: CheckOptions): readonly ManifestFinding[] =>
  checkManifests(text, options).findings

export const rulesOf = (text: string, options?: CheckOptions): string[] =>
  findingsOf(text, options).map(({ rule }) => rule)

/** The error that it ends with. */
export function failure(action: () => unknown): ManifestError {
  try {
    action()
  } catch (error) {
    if (error instanceof ManifestError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
