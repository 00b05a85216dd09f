/**
 * Processes inside the relay: peers whose messages go to a program of this process. Each has a bounded inbox that is read at the end of the
 * turn, so that two that answer each other hold up nobody. Leaves names and rights to the service.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { PEER_HOST, NAME_HOST, toAddress, toProcessId } from '#shared/protocol/process-id'
import { EVENTS_TOPIC, readObject, readProcessMessage } from '#shared/protocol/socket-control'
import type { Clock, Log, LoopTurn, Peer, PeerEvent, PeerExit, Random } from '../../ports.ts'
import type { ServiceHub } from '../service-peer.ts'
import { PROCESSES_ADDRESS, type ProcessEvents } from './process-events.ts'
import type { ProcessHandler, ProcessProgram, ProcessSelf, ReceivedMessage } from './process-program.ts'

export interface SpawnedProcesses {
  /** Fails with `process.unknown` for a program nobody knows, `process.invalid_pid` for a host that is none, `rate.limited`. */
  spawn(order: { readonly program: string; readonly host: string; readonly options: unknown }): Result<string>
  /** @returns false where this is no process of this relay. */
  end(address: string, exit: PeerExit): boolean
  list(): readonly { readonly address: string; readonly program: string }[]
  stop(): void
}

interface Options {
  readonly hub: ServiceHub
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly random: Random
  readonly log: Log
  readonly events: ProcessEvents
  readonly programs: ReadonlyMap<string, ProcessProgram>
  /** The address of whom a PID stands for. */
  readonly resolve: (pid: string) => Result<string>
}

export const SPAWN_LIMITS = { processes: 1_000, inboxMessages: 10_000, messagesPerTurn: 256 } as const
const ID_BYTES = 9

interface Spawned {
  readonly address: string
  readonly program: string
  end(exit: PeerExit): void
}

export function createSpawnedProcesses(options: Options): SpawnedProcesses {
  const { programs, random } = options
  const running = new Map<string, Spawned>()

  return {
    spawn({ program, host, options: given }) {
      const start = programs.get(program)
      if (start === undefined) return fail('process.unknown', `The programs are ${[...programs.keys()].join(', ')}.`, '/data/name')
      if (running.size >= SPAWN_LIMITS.processes)
        return fail('rate.limited', `The relay runs at most ${String(SPAWN_LIMITS.processes)} processes.`)
      const address = toAddress({ node: undefined, host, id: random.token(ID_BYTES) })
      if (address === undefined || host === PEER_HOST || host === NAME_HOST) {
        const text = `A host is made of letters, digits, ".", "_", "-", with ":" between its parts, and is not ${PEER_HOST} or ${NAME_HOST}.`
        return fail('process.invalid_pid', text, '/data/host')
      }
      const spawned = runProcess({ address, program, start, given }, { ...options, onEnd: () => running.delete(address) })
      if (!spawned.ok) return spawned
      running.set(address, spawned.value)
      return succeed(address)
    },
    end(address, exit) {
      const found = running.get(address)
      found?.end(exit)
      return found !== undefined
    },
    list: () => [...running.values()].map(({ address, program }) => ({ address, program })),
    stop() {
      for (const process of [...running.values()]) process.end({ reason: 'the relay is stopping', isAbnormal: false })
    },
  }
}

interface Start {
  readonly address: string
  readonly program: string
  readonly start: ProcessProgram
  readonly given: unknown
}

function runProcess({ address, program, start, given }: Start, options: Options & { readonly onEnd: () => void }): Result<Spawned> {
  const { hub, turn, log } = options
  const inbox: ReceivedMessage[] = []
  let handler: ProcessHandler | undefined
  let state: 'running' | 'ended' = 'running'
  let isAwaitingTurn = false

  function end(exit: PeerExit): void {
    if (state === 'ended') return
    state = 'ended'
    inbox.length = 0
    options.onEnd()
    guard(() => handler?.end?.())
    hub.leave(address, exit)
  }
  /** A throw is the program's, and ends its process only. */
  function guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      log.error({ event: 'process.failed', program, error: error instanceof Error ? error.name : 'unknown' })
      end({ reason: 'failed', isAbnormal: true })
    }
  }
  function handle(message: ReceivedMessage): void {
    const event = message.topic === EVENTS_TOPIC ? readObject(message.payload) : undefined
    if (event?.kind === 'LINK_DOWN' && handler?.trapsLinks !== true) {
      end({ reason: `linked process ended: ${String(event.from)}`, isAbnormal: true })
    } else guard(() => handler?.receive(message))
  }
  function work(): void {
    isAwaitingTurn = false
    for (const message of inbox.splice(0, SPAWN_LIMITS.messagesPerTurn)) if (state === 'running') handle(message)
    awaitTurn()
  }
  function awaitTurn(): void {
    if (isAwaitingTurn || inbox.length === 0) return
    isAwaitingTurn = true
    turn.atEnd(work)
  }
  const peer: Peer = {
    address,
    receive(event) {
      const message = toMessage(event)
      if (state === 'ended' || message === undefined) return
      if (inbox.length < SPAWN_LIMITS.inboxMessages) inbox.push(message)
      else turn.atEnd(() => end({ reason: 'inbox full', isAbnormal: true }))
      awaitTurn()
    },
  }
  const joined = hub.join(peer)
  if (!joined.ok) return joined
  guard(() => {
    handler = start(createSelf(address, end, options), given)
  })
  return handler === undefined ? fail('server.internal', `${program} failed to start.`) : succeed({ address, program, end })
}

function createSelf(address: string, end: (exit: PeerExit) => void, { hub, clock, turn, events, resolve }: Options): ProcessSelf {
  const watch = (pid: string, kind: 'EXIT' | 'LINK_DOWN'): void => {
    const target = resolve(pid)
    if (target.ok) events.watch(address, target.value, kind)
  }
  return {
    pid: toProcessId(address),
    clock,
    send(to, message) {
      const target = resolve(to)
      return target.ok && hub.send(address, target.value, message).ok
    },
    monitor: (pid) => watch(pid, 'EXIT'),
    link: (pid) => watch(pid, 'LINK_DOWN'),
    exit: (reason) => turn.atEnd(() => end({ reason, isAbnormal: false })),
  }
}

/** Only the service itself speaks of ends. */
function toMessage(event: PeerEvent): ReceivedMessage | undefined {
  if (event.kind !== 'direct') return undefined
  const message = readProcessMessage(event.data)
  const isPretended = message?.topic.startsWith('@') === true && event.from !== PROCESSES_ADDRESS
  return message === undefined || isPretended ? undefined : { ...message, from: toProcessId(event.from) }
}
