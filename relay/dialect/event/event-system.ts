/** Where YektaYar's clients are at home: native events at `/ws` and on ports of their own, Socket.IO at `/socket.io/`. */
import type { Clock, Dialect, DialectRoute, OlderSystem, Random, UpgradeRequest } from '../../ports.ts'
import { tailOf } from './event-answers.ts'
import { refuseUpgrade } from './event-refusal.ts'
import { createNativeEventDialect, NATIVE_AFTER, NATIVE_BEFORE } from './native-event-dialect.ts'
import { createPublicationFrames, type PublicationFrames } from './publication-frames.ts'
import { answerServerInfo } from './server-info.ts'
import { createSocketIoDialect, NAMESPACES, PUBLICATION_AFTER, publicationBefore } from './socket-io-dialect.ts'

export interface EventSystemOptions {
  readonly clock: Clock
  readonly random: Random
  /** Reads the token a request carries. */
  readonly findToken: (query: URLSearchParams, headers: ReadonlyMap<string, string>) => string | undefined
  /** What subjects that stand for nobody in particular begin with. */
  readonly anonymousPrefixes: readonly string[]
  readonly countConnections: () => number
  /** What carries an Engine.IO connection now. */
  readonly transportOf: (sid: string) => 'polling' | 'websocket' | undefined
}

export interface EventSystem {
  readonly system: OlderSystem
  /** To be reached through Engine.IO. */
  readonly socketIo: DialectRoute
}

/** As Socket.IO's own server: the catalog's messages are bounded further, by the catalog. */
const MAX_FRAME_BYTES = 1_000_000

export function createEventSystem(options: EventSystemOptions): EventSystem {
  const { clock, random, findToken, anonymousPrefixes } = options
  const nativePublications = createPublicationFrames(NATIVE_BEFORE, NATIVE_AFTER)
  const publicationsByNamespace = new Map<string, PublicationFrames>(
    NAMESPACES.map((namespace) => [namespace, createPublicationFrames(publicationBefore(namespace), PUBLICATION_AFTER)]),
  )
  const toUserId = (subject: string): string | undefined =>
    anonymousPrefixes.some((prefix) => subject.startsWith(prefix)) ? undefined : subject

  function createNative({ query, headers }: UpgradeRequest): Dialect {
    const tokenTail = tailOf(findToken(query, headers) ?? '')
    return createNativeEventDialect({ clock, random, publications: nativePublications, tokenTail, toUserId })
  }
  function createSocketIo({ query, headers }: UpgradeRequest): Dialect {
    const sid = query.get('sid') ?? ''
    return createSocketIoDialect({
      ...{ clock, random, toUserId, maxFrameBytes: MAX_FRAME_BYTES },
      requestToken: findToken(query, headers),
      publications: (namespace) => publicationsByNamespace.get(namespace) ?? nativePublications,
      engine: () => ({ transport: options.transportOf(sid) ?? 'websocket', activeConnections: options.countConnections() }),
    })
  }
  const native: Omit<DialectRoute, 'path'> = {
    maxFrameBytes: MAX_FRAME_BYTES,
    door: 'token',
    createDialect: (request) => ({ ok: true, value: createNative(request) }),
    refuse: refuseUpgrade,
  }
  return {
    system: {
      name: 'event',
      sockets: [{ ...native, path: '/ws' }],
      rest: [],
      rootSocket: native,
      root: { door: 'open', answer: answerServerInfo },
    },
    socketIo: {
      path: '/socket.io/*',
      maxFrameBytes: MAX_FRAME_BYTES,
      door: 'hello',
      readsToken: true,
      createDialect: (request) => ({ ok: true, value: createSocketIo(request) }),
    },
  }
}
