/** All connections of this relay: opens them, counts them, tells them to come back later and ends them in order. */
import { CLOSE_CODES } from '#shared/protocol/close-codes'
import type { ClientMessage } from '#shared/protocol/messages'
import type { Dialect, Identity, SessionEnd, Socket, SocketListener } from '../ports.ts'
import { Session, type SessionDependencies } from './session.ts'

export interface SessionStart {
  readonly dialect: Dialect
  readonly identity: Identity | undefined
  /** The route's. */
  readonly maxFrameBytes: number
  /** Of a text frame. */
  readonly maxTextBytes: number
  /** As a `DialectRoute`'s. */
  readonly bytesFactor?: number
  /** Said in the client's place once the session is open, for clients that cannot speak. */
  readonly first?: readonly Exclude<ClientMessage, { type: 'hello' }>[]
}

export interface ConnectionCounter {
  /** @returns false when this address holds as many connections as it may. */
  enter(remoteAddress: string): boolean
  leave(remoteAddress: string): void
}

export interface SlowSession {
  readonly peer: string
  readonly client: string | undefined
  readonly isLagging: boolean
  readonly waitingBytes: number
  readonly roundTripMs: number
}

export interface Sessions {
  /** Which bound one more from this address would break; undefined when there is room. */
  findFullBound(remoteAddress: string): 'connections' | 'connections_per_address' | undefined
  /** Where there is no room after all, because others came first, the socket is closed with 4009. */
  open(socket: Socket, start: SessionStart): SocketListener
  /** Tells every client to come back after a pause of its own, so that they do not all come at once. */
  drain(pause: { readonly minMs: number; readonly maxMs: number }): void
  /** Ends up to `count` of them with 1001 after what waits. @returns how many were left to end. */
  endSome(count: number): number
  /** Ends those of this user. */
  endUser(subject: string, end: SessionEnd): void
  /** Drops what is left. */
  terminateAll(): void
  count(): number
  /** What waits in their sockets. */
  waitingBytes(): number
  /** Those that read slowest. */
  slowest(limit: number): readonly SlowSession[]
}

export interface SessionsDependencies extends SessionDependencies {
  readonly addresses: ConnectionCounter
}

export function createSessions(dependencies: SessionsDependencies): Sessions {
  const { limits, addresses, random } = dependencies
  const open = new Set<Session>()

  function findFullBound(remoteAddress: string): 'connections' | 'connections_per_address' | undefined {
    if (open.size >= limits.connections) return 'connections'
    if (!addresses.enter(remoteAddress)) return 'connections_per_address'
    addresses.leave(remoteAddress)
    return undefined
  }
  function onClosed(session: Session): void {
    open.delete(session)
    addresses.leave(session.remoteAddress)
  }
  return {
    findFullBound,
    open(socket, { dialect, identity, maxFrameBytes, maxTextBytes, bytesFactor = 1, first }) {
      const bound = findFullBound(socket.remoteAddress)
      if (bound !== undefined) return refuse(socket)
      addresses.enter(socket.remoteAddress)
      const session = new Session({ socket, dialect, identity, maxFrameBytes, maxTextBytes, bytesFactor, onClosed }, dependencies)
      open.add(session)
      for (const message of first ?? []) session.say(message)
      return session
    },
    drain({ minMs, maxMs }) {
      for (const session of open) session.drain(Math.round(minMs + random.fraction() * (maxMs - minMs)))
    },
    endSome(count) {
      let ended = 0
      let left = 0
      for (const session of open) {
        if (session.isEnding) continue
        if (ended < count) {
          session.end({ close: 'goingAway', reason: 'the relay is stopping' })
          ended += 1
        } else left += 1
      }
      return left
    },
    endUser(subject, end) {
      for (const session of open) if (session.isOpen && session.identity.subject === subject) session.end(end)
    },
    terminateAll() {
      for (const session of open) session.terminate()
    },
    count: () => open.size,
    waitingBytes() {
      let sum = 0
      for (const session of open) sum += session.reader.waitingBytes
      return sum
    },
    slowest(limit) {
      const all = [...open].filter((session) => session.isOpen).map(describe)
      const weigh = (slow: SlowSession): number => (slow.isLagging ? 1e12 : 0) + slow.waitingBytes + slow.roundTripMs
      return all.sort((one, other) => weigh(other) - weigh(one)).slice(0, limit)
    },
  }
}

/** For the rare socket that was let in while the last place was taken. */
function refuse(socket: Socket): SocketListener {
  const { code } = CLOSE_CODES.tooManyConnections
  socket.close(code, 'too many connections')
  const ignore = (): void => undefined
  return { onText: ignore, onBinary: ignore, onTooLarge: ignore, onPong: ignore, onDrain: ignore, onClose: ignore }
}

function describe(session: Session): SlowSession {
  const { reader, address, client } = session
  return { peer: address, client, isLagging: reader.isLagging, waitingBytes: reader.waitingBytes, roundTripMs: reader.roundTripMs }
}
