/** Sessions without a wire: memory sockets over the real hub, groups and readers, with the clock and the end of the turn in hand. */
import { fail, succeed } from '#shared/protocol/errors'
import { createKeptLog } from '#shared/testing/kept-log'
import { createMemorySocket, type MemorySocket } from '#shared/testing/memory-socket'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createNativeDialect } from '../../dialect/native/native-dialect.ts'
import { createStationConsents } from '../../hub/station-consents.ts'
import { createTestHub, type TestHub } from '../../hub/testing/test-hub.ts'
import type { AccessPolicy, Channel, Identity, Socket, SocketListener } from '../../ports.ts'
import { createBroadcastGroups } from '../broadcast-groups.ts'
import { createFlusher } from '../flusher.ts'
import { createHeartbeat, type Heartbeat } from '../heartbeat.ts'
import { createLagWatch } from '../lag-watch.ts'
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from '../session-limits.ts'
import { createSessions, type Sessions } from '../sessions.ts'
import { createTopicPace } from '../topic-pace.ts'

export interface SessionBench extends TestHub {
  readonly sessions: Sessions
  readonly heartbeat: Heartbeat
  /** A connection; with an identity it is welcomed at once. */
  readonly connect: (identity?: Identity) => BenchConnection
  readonly identityFor: (lifetimeMs: number, subject?: string) => Identity
  /** What may not be subscribed to. */
  readonly forbidden: Set<string>
  readonly stop: () => void
}

export interface BenchConnection {
  readonly socket: MemorySocket
  readonly listener: SocketListener
  /** Says a message and ends the turn. */
  readonly say: (message: unknown) => void
  /** Everything it got, parsed, since the last call. */
  readonly read: () => Record<string, unknown>[]
}

/** As a transport's channel, without a wire. */
function createMemoryChannel(): Channel {
  const members = new Set<Socket>()
  return {
    join: (socket) => void members.add(socket),
    leave: (socket) => void members.delete(socket),
    send(frame) {
      for (const socket of members) socket.sendText(frame)
    },
  }
}

interface BenchOptions {
  readonly limits?: Partial<SessionLimits>
  readonly hub?: Parameters<typeof createTestHub>[0]
  readonly perUser?: number
}

export function createSessionBench({ limits: changes = {}, hub: hubOptions = {}, perUser = 100 }: BenchOptions = {}): SessionBench {
  const test = createTestHub(hubOptions)
  const { hub, clock, turn, metrics } = test
  const limits = { ...DEFAULT_SESSION_LIMITS, ...changes }
  const identityFor = (lifetimeMs: number, subject = 's'): Identity => ({
    subject,
    roles: ['viewer', 'station'],
    rights: { subscribe: [], publish: [], request: [] },
    station: undefined,
    expiresAt: clock.now() + lifetimeMs,
  })
  const forbidden = new Set<string>()
  const policy: AccessPolicy = {
    check: (_identity, _action, target) => (forbidden.has(target) ? fail('auth.forbidden', 'No.') : succeed(undefined)),
  }
  const tokens = new Map([
    ['good', () => identityFor(1e9)],
    ['other', () => identityFor(1e9, 'other')],
  ])
  const verifier = {
    verify: async (token: string) => {
      const identity = tokens.get(token)
      return identity === undefined ? fail('auth.token_invalid', 'Unknown.') : succeed(identity())
    },
  }
  const dialect = createNativeDialect()
  const heartbeat = createHeartbeat(clock, limits.pingIntervalMs)
  const lagWatch = createLagWatch(clock)
  const flusher = createFlusher(turn)
  const groups = createBroadcastGroups({ hub, openChannel: createMemoryChannel, clock, flusher, metrics })
  lagWatch.onTick(() => groups.probeBusy())
  const users = new Map<string, number>()
  const sessions = createSessions({
    ...{ hub, clock, metrics, flusher, heartbeat, lagWatch, groups, limits, policy, verifier },
    random: createSeededRandom(1),
    log: createKeptLog(),
    server: 'test',
    topicPace: createTopicPace(clock, limits.topicPublishesPerSecond),
    consents: createStationConsents({ hub, minPeople: 5, minSeconds: 60 }),
    addresses: { enter: () => true, leave: () => undefined },
    users: {
      enterUser(subject) {
        const count = users.get(subject) ?? 0
        if (count >= perUser) return false
        users.set(subject, count + 1)
        return true
      },
      leaveUser: (subject) => void users.set(subject, (users.get(subject) ?? 1) - 1),
    },
  })
  return {
    ...test,
    sessions,
    heartbeat,
    identityFor,
    forbidden,
    stop() {
      heartbeat.stop()
      lagWatch.stop()
    },
    connect(identity) {
      const socket = createMemorySocket()
      const listener = sessions.open(socket, {
        dialect,
        identity,
        maxFrameBytes: limits.frameBytes,
        maxTextBytes: DEFAULT_SESSION_LIMITS.frameBytes,
      })
      turn.end()
      let readUpTo = 0
      return {
        socket,
        listener,
        say(message) {
          listener.onText(JSON.stringify(message))
          turn.end()
        },
        read() {
          const fresh = socket.sent.slice(readUpTo).map((text): Record<string, unknown> => JSON.parse(text))
          readUpTo = socket.sent.length
          return fresh
        },
      }
    },
  }
}
