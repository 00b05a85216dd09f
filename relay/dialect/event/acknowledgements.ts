/** Answers that a client wants directly: Socket.IO's acknowledgements, found again by the id of the message that asked. Bounded. */

export interface Acknowledgements {
  /** @param given the client's own id, which it hears again. @returns the id the message goes under. */
  open(acknowledge: (data: unknown) => void, given: unknown): unknown
  /** @returns false when nobody waits for it. */
  settle(id: string | undefined, data: object): boolean
}

interface Waiting {
  readonly acknowledge: (data: unknown) => void
  /** The client named the id itself. */
  readonly isOwn: boolean
}

/** More: the one that waits longest is not given any more. */
const MAX_WAITING = 256

export function createAcknowledgements(): Acknowledgements {
  const waiting = new Map<string, Waiting>()
  let made = 0
  return {
    open(acknowledge, given) {
      const isOwn = given !== undefined
      const id = isOwn ? given : `ack-${String((made += 1))}`
      if (typeof id !== 'string') return id
      waiting.set(id, { acknowledge, isOwn })
      if (waiting.size <= MAX_WAITING) return id
      for (const oldest of waiting.keys()) {
        waiting.delete(oldest)
        break
      }
      return id
    },
    settle(id, data) {
      const found = id === undefined ? undefined : waiting.get(id)
      if (id === undefined || found === undefined) return false
      waiting.delete(id)
      found.acknowledge(found.isOwn ? { id, ...data } : data)
      return true
    },
  }
}
