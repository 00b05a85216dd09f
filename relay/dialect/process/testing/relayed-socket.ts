/** A client's socket handed to processes, without a wire: real sessions, hub and service, a memory socket, processes that keep what they are told. */
import { readObject, readProcessMessage, type SocketControl } from '#shared/protocol/socket-control'
import { createKeptLog } from '#shared/testing/kept-log'
import { createMemorySocket, type MemorySocket } from '#shared/testing/memory-socket'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { SocketListener } from '../../../ports.ts'
import { startProcesses, type ProcessesService } from '../../../service/processes/processes-service.ts'
import { createSessionBench, type SessionBench } from '../../../session/testing/session-bench.ts'
import { CLIENT_MESSAGE_BYTES, createClientSocket } from '../process-dialect.ts'

export interface Told {
  readonly to: string
  readonly from: string
  readonly topic: string
  readonly payload: unknown
  readonly encoding: unknown
}

export interface RelayedBench extends SessionBench {
  readonly processes: ProcessesService
  /** What all processes were told, in order. */
  readonly told: Told[]
  /** Takes what was told since the last time, as `topic payload`. */
  readonly take: () => readonly Told[]
  readonly joinProcess: (name: string) => void
  readonly open: (control: SocketControl) => OpenedClient
  /** Lets what was promised happen, and ends the turn. */
  readonly settle: () => Promise<void>
}

export interface OpenedClient {
  readonly socket: MemorySocket
  readonly listener: SocketListener
  readonly address: string
}

export function createRelayedBench(): RelayedBench {
  const bench = createSessionBench({
    hub: { limits: { peers: 64, pendingRequestsPerPeer: 16 } },
    limits: { frameBurst: 10_000, framesPerSecond: 10_000 },
  })
  const { hub, clock, turn } = bench
  const told: Told[] = []
  const policy = { check: () => ({ ok: true, value: undefined }) as const }
  const random = createSeededRandom(2)
  const started = startProcesses({ hub, policy, clock, turn, random, log: createKeptLog(), programs: new Map() })
  if (!started.ok) throw new Error(started.failure.message)
  const processes = started.value
  let count = 0
  return {
    ...bench,
    processes,
    told,
    take: () => told.splice(0),
    joinProcess(name) {
      const address = `peer/${name}`
      const joined = hub.join({
        address,
        receive(event) {
          const message = event.kind === 'direct' ? readProcessMessage(event.data) : undefined
          if (event.kind !== 'direct' || message === undefined) return
          told.push({ to: name, from: event.from, ...message, encoding: readObject(event.data)?.encoding })
        },
      })
      if (!joined.ok) throw new Error(joined.failure.message)
    },
    open(control) {
      const socket = createMemorySocket()
      const before = new Set(hub.listPeers(1_000).map(({ peer }) => peer))
      const { dialect, identity } = createClientSocket({ clock, bus: processes, control, subject: `socket/${String((count += 1))}` })
      const bounds = { maxFrameBytes: CLIENT_MESSAGE_BYTES, maxTextBytes: CLIENT_MESSAGE_BYTES }
      const listener = bench.sessions.open(socket, { dialect, identity, ...bounds })
      const address = hub.listPeers(1_000).find(({ peer }) => !before.has(peer))?.peer ?? ''
      return { socket, listener, address }
    },
    async settle() {
      for (let round = 0; round < 3; round += 1) {
        await new Promise((resolve) => setImmediate(resolve))
        turn.end()
      }
    },
  }
}
