/** Reads the relay's answer to `presence.list`. What to make of it is left to others. */

export interface PresentPeer {
  /** Its address. */
  readonly peer: string
  readonly roles: readonly string[]
  /** What it called itself. */
  readonly client?: string
}

export interface PeerList {
  readonly peers: readonly PresentPeer[]
  /** False when there are more than the relay lists. */
  readonly isComplete: boolean
}

/** @returns undefined when it is no list of peers; entries that make no sense are left out. */
export function parsePeerList(data: unknown): PeerList | undefined {
  if (typeof data !== 'object' || data === null || !('peers' in data) || !Array.isArray(data.peers)) return undefined
  const entries: readonly unknown[] = data.peers
  const peers = entries.map(parsePeer).filter((peer) => peer !== undefined)
  return { peers, isComplete: !('isComplete' in data) || data.isComplete !== false }
}

function parsePeer(value: unknown): PresentPeer | undefined {
  if (typeof value !== 'object' || value === null || !('peer' in value) || typeof value.peer !== 'string') return undefined
  const roles: readonly unknown[] = 'roles' in value && Array.isArray(value.roles) ? value.roles : []
  const known = { peer: value.peer, roles: roles.filter((role) => typeof role === 'string') }
  return 'client' in value && typeof value.client === 'string' ? { ...known, client: value.client } : known
}
