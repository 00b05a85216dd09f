/** All connections of this relay: opens them, counts them, tells them to come back later and ends them in order. */
import type { Dialect, Identity, Socket, SocketListener } from '../ports.ts'
import { createSession, type Session, type SessionDependencies } from './session.ts'

export interface Sessions {
  /** False when there are as many connections as there may be. */
  hasRoom(): boolean
  open(socket: Socket, options: { readonly dialect: Dialect; readonly identity: Identity | undefined }): SocketListener
  /** Tells every client to come back after a pause of its own, so that they do not all come at once. */
  drain(pause: { readonly minMs: number; readonly maxMs: number }): void
  /** Closes all with 1001 after what waits. */
  endAll(): void
  /** Drops what is left. */
  terminateAll(): void
  count(): number
  /** What is still in the outboxes. */
  waitingBytes(): number
}

export function createSessions(dependencies: SessionDependencies): Sessions {
  const open = new Set<Session>()
  return {
    hasRoom: () => open.size < dependencies.limits.connections,
    open(socket, { dialect, identity }) {
      const session = createSession({ socket, dialect, identity, onClosed: () => void open.delete(session) }, dependencies)
      open.add(session)
      return session.listener
    },
    drain({ minMs, maxMs }) {
      for (const session of open) session.drain(Math.round(minMs + dependencies.random.fraction() * (maxMs - minMs)))
    },
    endAll() {
      for (const session of open) session.end({ close: 'goingAway', reason: 'the relay is stopping' })
    },
    terminateAll() {
      for (const session of open) session.terminate()
    },
    count: () => open.size,
    waitingBytes() {
      let sum = 0
      for (const session of open) sum += session.waitingBytes()
      return sum
    },
  }
}
