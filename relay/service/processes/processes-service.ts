/**
 * Who is who among processes, at the address `processes`. A process is any peer; PIDs as in `shared/protocol/process-id.ts`.
 * - `register` `{name}` -> `{name, pid}`: the asker has this name until it leaves. `unregister` `{name}`.
 * - `lookup` `{name}` -> `{name, pid, address}`. `list` `{}` -> `{names, processes, programs}`.
 * - `spawn` `{name, host?, register?, options?, monitor?, link?}` -> `{pid, address}`: starts a program inside the relay. `terminate` `{pid, reason?}`.
 * - `send` `{to, topic, payload}`: to a PID. `broadcast` `{to: [pid…], topic, payload}` -> `{sent, failed: [pid…]}`.
 * - `monitor`, `unmonitor`, `link`, `unlink` `{pid}`: see `process-events.ts`.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { NAME_HOST, parseProcessId, toAddress, toProcessId } from '#shared/protocol/process-id'
import { readObject, readProcessMessage, type ProcessMessage } from '#shared/protocol/socket-control'
import type { AccessPolicy, Clock, Log, LoopTurn, PeerExit, Random } from '../../ports.ts'
import { startService, type ServiceCall, type ServiceHub, type ServiceMethod } from '../service-peer.ts'
import { createProcessEvents, PROCESSES_ADDRESS, type WatchKind } from './process-events.ts'
import { createProcessNames, type ProcessNames } from './process-names.ts'
import type { ProcessProgram } from './process-program.ts'
import { createSpawnedProcesses, type SpawnedProcesses } from './spawned-processes.ts'

export interface ProcessesService {
  /** The address of whom a PID stands for. Fails with `process.invalid_pid`, or `process.unknown` for a name nobody has. */
  resolve(pid: string): Result<string>
  /** A client's socket is open at this address; calls back when it has left, before anybody who monitors it is told. */
  enter(address: string, onExit: (exit: PeerExit) => void): void
  /** Tells a peer in the name of one that may have left. Harmless when nobody is there. */
  tell(from: string, to: string, message: ProcessMessage): void
  /** Ends the processes inside the relay. Twice is harmless. */
  stop(): void
}

interface Options {
  readonly hub: ServiceHub
  readonly policy: AccessPolicy
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly random: Random
  readonly log: Log
  /** By the name they are spawned under. */
  readonly programs: ReadonlyMap<string, ProcessProgram>
}

const DEFAULT_HOST = 'relay'
const MAX_RECEIVERS = 1_024

interface Parts extends Options {
  readonly names: ProcessNames
  readonly spawned: SpawnedProcesses
  readonly events: ReturnType<typeof createProcessEvents>
  readonly resolve: (pid: string) => Result<string>
  /** Names of this peer end with it. */
  readonly watchHolder: (address: string) => void
}

export function startProcesses(options: Options): Result<ProcessesService> {
  const { hub } = options
  const names = createProcessNames()
  const events = createProcessEvents(hub)
  const holders = new Set<string>()
  const resolve = (pid: string): Result<string> => resolvePid(pid, names)
  const spawned = createSpawnedProcesses({ ...options, events, resolve })
  function watchHolder(address: string): void {
    if (holders.has(address)) return
    holders.add(address)
    hub.watch(address, () => {
      holders.delete(address)
      names.forget(address)
    })
  }
  const started = startService(
    hub,
    PROCESSES_ADDRESS,
    listMethods({ ...options, names, spawned, events, resolve, watchHolder }),
    options.log,
  )
  if (!started.ok) return started
  return succeed({
    resolve,
    enter(address, onExit) {
      hub.watch(address, onExit)
      events.addSocket(address)
    },
    tell: (from, to, message) => void hub.send(from, to, message),
    stop: () => spawned.stop(),
  })
}

function listMethods(parts: Parts): ReadonlyMap<string, ServiceMethod> {
  const watch =
    (kind: WatchKind, isOn: boolean): ServiceMethod =>
    (call) =>
      watchProcess(call, { kind, isOn }, parts)
  return new Map<string, ServiceMethod>([
    ['register', (call) => register(call, parts)],
    ['unregister', (call) => unregister(call, parts)],
    ['lookup', (call) => lookup(call, parts)],
    ['list', () => succeed(list(parts))],
    ['spawn', (call) => spawn(call, parts)],
    ['terminate', (call) => terminate(call, parts)],
    ['send', (call) => send(call, parts)],
    ['broadcast', (call) => broadcast(call, parts)],
    ['monitor', watch('EXIT', true)],
    ['unmonitor', watch('EXIT', false)],
    ['link', watch('LINK_DOWN', true)],
    ['unlink', watch('LINK_DOWN', false)],
  ])
}

function resolvePid(text: string, names: ProcessNames): Result<string> {
  const pid = parseProcessId(text)
  if (!pid.ok) return pid
  const address = pid.value.host === NAME_HOST ? names.find(pid.value.id) : toAddress(pid.value)
  return address === undefined ? fail('process.unknown', `No process is ${JSON.stringify(text.slice(0, 64))}.`) : succeed(address)
}

/** The address in `data.pid`, or of the name in it. */
function readPid(value: unknown, { resolve }: Parts): Result<string> {
  return typeof value === 'string' ? resolve(value) : fail('process.invalid_pid', 'Expected a PID like {host|id}.', '/data/pid')
}

// ---------------------------------------------------------------- names

function register({ data, from }: ServiceCall, { names, watchHolder }: Parts): Result<unknown> {
  const registered = names.register(readObject(data)?.name, from)
  if (!registered.ok) return registered
  watchHolder(from)
  return succeed({ name: registered.value, pid: toProcessId(from) })
}

function unregister({ data, from }: ServiceCall, { names }: Parts): Result<unknown> {
  const unregistered = names.unregister(readObject(data)?.name, from)
  return unregistered.ok ? succeed({ name: unregistered.value }) : unregistered
}

function lookup({ data }: ServiceCall, { names }: Parts): Result<unknown> {
  const name = readObject(data)?.name
  const address = typeof name === 'string' ? names.find(name) : undefined
  if (address === undefined) return fail('process.unknown', 'No process is registered under this name.', '/data/name')
  return succeed({ name, pid: toProcessId(address), address })
}

function list({ names, spawned, programs }: Parts): unknown {
  return {
    names: names.list().map(({ name, address }) => ({ name, pid: toProcessId(address) })),
    processes: spawned.list().map(({ address, program }) => ({ pid: toProcessId(address), program })),
    programs: [...programs.keys()],
  }
}

// ---------------------------------------------------------------- processes inside the relay

function spawn({ data, from }: ServiceCall, { spawned, names, events, watchHolder }: Parts): Result<unknown> {
  const fields = readObject(data) ?? {}
  const { name, host = DEFAULT_HOST, register: registered, options } = fields
  if (typeof name !== 'string' || typeof host !== 'string')
    return fail('frame.invalid_fields', 'Expected a name, and a host that is a text.', '/data')
  const address = spawned.spawn({ program: name, host, options })
  if (!address.ok) return address
  const named = registered === undefined ? succeed('') : names.register(registered, address.value)
  if (!named.ok) {
    spawned.end(address.value, { reason: 'not registered', isAbnormal: false })
    return named
  }
  watchHolder(address.value)
  if (fields.monitor === true) events.watch(from, address.value, 'EXIT')
  if (fields.link === true) events.watch(from, address.value, 'LINK_DOWN')
  return succeed({ pid: toProcessId(address.value), address: address.value })
}

function terminate({ data }: ServiceCall, parts: Parts): Result<unknown> {
  const fields = readObject(data) ?? {}
  const address = readPid(fields.pid, parts)
  if (!address.ok) return address
  const reason = typeof fields.reason === 'string' ? fields.reason.slice(0, 128) : 'terminated'
  const isEnded = parts.spawned.end(address.value, { reason, isAbnormal: false })
  return isEnded
    ? succeed({ pid: fields.pid })
    : fail('process.unknown', 'Only processes inside the relay are ended from here.', '/data/pid')
}

// ---------------------------------------------------------------- messages

/** With the rights of whoever asks. */
function sendTo(
  pid: unknown,
  message: ProcessMessage,
  { call, parts }: { readonly call: ServiceCall; readonly parts: Parts },
): Result<void> {
  const address = readPid(pid, parts)
  if (!address.ok) return address
  const allowed = parts.policy.check(call.by, 'request', address.value)
  if (!allowed.ok) return allowed
  const sent = parts.hub.send(call.from, address.value, message)
  return sent.ok ? sent : fail('process.unknown', 'No process has this PID now.', '/data/to')
}

function send(call: ServiceCall, parts: Parts): Result<unknown> {
  const message = readProcessMessage(call.data)
  if (message === undefined || message.topic.startsWith('@')) return wrongMessage()
  const sent = sendTo(readObject(call.data)?.to, message, { call, parts })
  return sent.ok ? succeed({}) : sent
}

function broadcast(call: ServiceCall, parts: Parts): Result<unknown> {
  const message = readProcessMessage(call.data)
  if (message === undefined || message.topic.startsWith('@')) return wrongMessage()
  const to: unknown = readObject(call.data)?.to
  if (!Array.isArray(to) || to.length > MAX_RECEIVERS) {
    return fail('frame.invalid_fields', `Expected at most ${String(MAX_RECEIVERS)} PIDs.`, '/data/to')
  }
  const failed: unknown[] = to.filter((pid: unknown) => !sendTo(pid, message, { call, parts }).ok)
  return succeed({ sent: to.length - failed.length, failed })
}

function wrongMessage(): Result<never> {
  return fail('frame.invalid_fields', 'Expected a topic that does not begin with @, and a payload.', '/data/topic')
}

// ---------------------------------------------------------------- ends

function watchProcess(
  call: ServiceCall,
  { kind, isOn }: { readonly kind: WatchKind; readonly isOn: boolean },
  parts: Parts,
): Result<unknown> {
  const pid: unknown = readObject(call.data)?.pid
  const address = readPid(pid, parts)
  if (!address.ok) return address
  const allowed = parts.policy.check(call.by, 'request', address.value)
  if (!allowed.ok) return allowed
  if (!isOn) parts.events.unwatch(call.from, address.value, kind)
  const watched = isOn ? parts.events.watch(call.from, address.value, kind) : succeed(undefined)
  return watched.ok ? succeed({ pid }) : watched
}
