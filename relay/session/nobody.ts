/** Who has not said who they are: an identity without any right. */
import type { Identity } from '../ports.ts'

export const NOBODY: Identity = {
  subject: 'nobody',
  roles: [],
  rights: { subscribe: [], publish: [], request: [] },
  station: undefined,
  expiresAt: 0,
}
