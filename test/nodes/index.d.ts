export interface OtherNode {
  /** '22' */
  readonly major: string
  /** '22.23.3' */
  readonly version: string
  readonly execPath: string
}

/** What `node scripts/setup.js --test` installed, oldest first. Throws if one is absent. */
export function nodes(): OtherNode[]
