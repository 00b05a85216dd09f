/**
 * carousel_api's WebSocket protocol for one connection: what its clients ask becomes requests to the machines' services, what those publish becomes
 * `status_broadcast` and `command_executed`. Rights, limits, slow readers and the heartbeat are the session's. Why two shapes at once: see
 * `carousel-frames.ts`.
 */
import type { Failure, Result } from '#shared/protocol/errors'
import type { MachineCommandEvent, MachineInfo, MachineList, MachineStatus } from '#shared/protocol/machine'
import type { RelayMessage } from '#shared/protocol/messages'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import type { Clock, Conversation, Dialect, Publication } from '../../ports.ts'
import { wordUnknownMachine } from './carousel-errors.ts'
import * as frames from './carousel-frames.ts'
import { parseCarouselRequest, type CarouselRequest, type Mistake } from './carousel-request.ts'
import { createCommandWatch, type CommandNews } from './command-news.ts'
import { createHeardMachines } from './heard-machines.ts'
import { createQuestions, type Answer } from './questions.ts'
import { createStatusBoard } from './status-board.ts'
import {
  machineAddress,
  MACHINES_ADDRESS,
  readCommandDone,
  readMachineList,
  readMachineStatus,
  readMachineStatuses,
} from './machine-replies.ts'
import { describeTrouble, isUnknown } from './machine-wording.ts'

export interface CarouselDialectDependencies {
  readonly clock: Pick<Clock, 'now'>
  /** The payload of a publication: read once for all connections. */
  readonly readPayload: (publication: Publication) => unknown
}

/** Frames that come before the machines are known wait: so many, with so many characters or bytes together. */
const MAX_EARLY_FRAMES = 32
const MAX_EARLY_LENGTH = 64 * 1024
/** Between two looks at which machines there are. */
const RELIST_MS = 5_000
/** Reads the status without telling the device anything. */
const STATUS_COMMAND = 0

const READING = 'Error obteniendo estado'
const COMMANDING = 'Error ejecutando comando'

type RequestOf<Kind extends CarouselRequest['kind']> = Extract<CarouselRequest, { kind: Kind }>

/** Only the data valid in that state. */
type State =
  | { readonly kind: 'starting'; readonly early: (string | Uint8Array)[]; length: number }
  | ({ readonly kind: 'talking'; readonly conversation: Conversation } & MachineList)

export function createCarouselDialect({ clock, readPayload }: CarouselDialectDependencies): Dialect {
  let state: State = { kind: 'starting', early: [], length: 0 }
  const questions = createQuestions()
  const heard = createHeardMachines()
  const board = createStatusBoard({ clock, heard })
  const commands = createCommandWatch(() => (state.kind === 'talking' ? state.conversation.identity.subject : ''))
  let relistedAt = 0

  // -------------------------------------------------------------- to the client

  function encode({ type, ...fields }: frames.CarouselMessage): Uint8Array {
    return ENCODER.encode(JSON.stringify({ type, timestamp: new Date(clock.now()).toISOString(), ...fields }))
  }
  function refuse(mistake: Mistake, conversation: Conversation): void {
    conversation.send(encode(frames.errorOfMistake(mistake)))
    conversation.countMistake()
  }

  // -------------------------------------------------------------- the beginning

  function start(conversation: Conversation, server: string): void {
    questions.ask(conversation, { to: MACHINES_ADDRESS, method: 'list' }, (result) => {
      const list = result.ok ? readMachineList(result.value) : result
      const known = list.ok ? list.value : NO_MACHINES
      const early = state.kind === 'starting' ? state.early : []
      state = { kind: 'talking', conversation, ...known }
      conversation.send(encode(frames.welcome(known, server)))
      if (!list.ok) conversation.send(encode(frames.errorOfFailure(list.failure, READING)))
      conversation.say({ type: 'subscribe', topic: 'machine/+/status' })
      conversation.say({ type: 'subscribe', topic: 'machine/+/command' })
      board.begin()
      for (const frame of early) read(frame, conversation)
    })
  }
  function keepEarly(frame: string | Uint8Array, conversation: Conversation): void {
    if (state.kind !== 'starting') return
    state.length += frame.length
    if (state.early.length < MAX_EARLY_FRAMES && state.length <= MAX_EARLY_LENGTH) state.early.push(frame)
    else refuse({ kind: 'busy', text: 'Demasiados mensajes antes de la bienvenida' }, conversation)
  }

  // -------------------------------------------------------------- what the client asks

  function read(frame: string | Uint8Array, conversation: Conversation): void {
    if (state.kind === 'starting') {
      keepEarly(frame, conversation)
      return
    }
    const parsed = parseCarouselRequest(frame)
    if (!parsed.ok) {
      refuse(parsed.mistake, conversation)
      return
    }
    const { request } = parsed
    switch (request.kind) {
      case 'ping':
        conversation.send(encode(frames.pong()))
        return
      case 'getStatus':
        getStatus(request)
        return
      case 'sendCommand':
        sendCommand(request)
        return
      case 'subscribe':
        subscribe(request)
    }
  }

  /** The named one; the only one where none is named. Otherwise the client is told. */
  function chooseMachine(machineId: string | undefined, doing: string): MachineInfo | undefined {
    if (state.kind !== 'talking') return undefined
    const { machines, mode, conversation } = state
    if (machineId === undefined) {
      if (mode === 'single-plc') return machines[0]
      refuse({ kind: 'malformed', text: 'machine_id requerido en modo multi-PLC' }, conversation)
      return undefined
    }
    const found = machines.find(({ machine }) => machine === machineId)
    if (found === undefined) refuse({ kind: 'unknownMachine', text: `${doing}: ${wordUnknownMachine(machineId)}`, machineId }, conversation)
    return found
  }
  function getStatus({ machineId }: RequestOf<'getStatus'>): void {
    if (state.kind !== 'talking') return
    const { conversation, mode } = state
    if (machineId === undefined && mode === 'multi-plc') {
      getAllStatuses(conversation)
      return
    }
    const machine = chooseMachine(machineId, READING)
    if (machine === undefined) return
    readStatus(machine, conversation, (status) => {
      conversation.send(encode(machineId === undefined ? frames.singleStatus(status) : frames.machineStatus(status)))
    })
  }
  function getAllStatuses(conversation: Conversation): void {
    questions.ask(conversation, { to: MACHINES_ADDRESS, method: 'status', data: {} }, (result) => {
      const read = result.ok ? readMachineStatuses(result.value) : result
      conversation.send(encode(read.ok ? frames.allMachinesStatus(read.value) : frames.errorOfFailure(read.failure, READING)))
    })
  }
  function readStatus({ machine }: MachineInfo, conversation: Conversation, onStatus: (status: MachineStatus) => void): void {
    questions.ask(conversation, { to: MACHINES_ADDRESS, method: 'status', data: { machine } }, (result) => {
      const read = result.ok ? readMachineStatus(result.value) : result
      if (!read.ok) conversation.send(encode(frames.errorOfFailure(read.failure, READING, machine)))
      else if (isUnknown(read.value)) sendTrouble(read.value, conversation)
      else onStatus(read.value)
    })
  }
  /** There is nothing to show of it. */
  function sendTrouble(status: MachineStatus, conversation: Conversation): void {
    const text = `${READING}: ${describeTrouble(status)}`
    conversation.send(encode(frames.errorOfMistake({ kind: 'connection', text, machineId: status.machine })))
  }
  function sendCommand({ machineId, command, argument }: RequestOf<'sendCommand'>): void {
    const machine = chooseMachine(machineId, COMMANDING)
    if (state.kind !== 'talking' || machine === undefined) return
    const { conversation } = state
    const sent = { machineId: machine.machine, command, argument }
    if (command === STATUS_COMMAND) {
      readStatus(machine, conversation, (status) => {
        conversation.send(encode(frames.commandResult(sent, { command: '', state: 'done', status })))
      })
      return
    }
    commands.begin(machine.machine)
    const data = { code: command, ...(argument === undefined ? {} : { argument }) }
    const question = { to: machineAddress(machine.machine), method: 'command', data, isSlow: true }
    questions.ask(conversation, question, (result) => finishCommand(sent, result, conversation))
  }
  function finishCommand(sent: frames.SentCommand, result: Result<unknown>, conversation: Conversation): void {
    const done = result.ok ? readCommandDone(result.value) : result
    conversation.send(
      encode(done.ok ? frames.commandResult(sent, done.value) : frames.errorOfFailure(done.failure, COMMANDING, sent.machineId)),
    )
    for (const news of commands.end(sent.machineId, done.ok ? done.value : undefined)) {
      for (const message of tellCommand(news)) conversation.send(encode(message))
    }
  }
  function subscribe({ subscription, machineIds }: RequestOf<'subscribe'>): void {
    if (state.kind !== 'talking') return
    const { machines, conversation } = state
    const known = machines.map(({ machine }) => machine)
    const unknown = machineIds?.find((id) => !known.includes(id))
    if (unknown !== undefined) refuse({ kind: 'unknownMachine', text: wordUnknownMachine(unknown), machineId: unknown }, conversation)
    const wanted = machineIds === undefined ? known : known.filter((id) => machineIds.includes(id))
    if (unknown !== undefined && wanted.length === 0) return
    heard.add(subscription, machineIds === undefined ? undefined : wanted)
    conversation.send(encode(frames.subscriptionConfirmed(subscription, wanted)))
    const broadcast = subscription === 'command_results' ? undefined : composeBroadcast()
    if (broadcast !== undefined) conversation.send(broadcast)
  }

  // -------------------------------------------------------------- what the machines publish

  function composeBroadcast(): Uint8Array | undefined {
    const broadcast = state.kind === 'talking' ? board.compose(state.mode) : undefined
    return broadcast === undefined ? undefined : encode(broadcast)
  }
  function hearStatus(status: MachineStatus, isRetained: boolean): Uint8Array | undefined {
    if (!isKnown(status.machine)) {
      relist()
      return undefined
    }
    const hasChanged = board.put(status)
    if (hasChanged && isUnknown(status)) relist()
    if (isRetained || !heard.hearsStatus(status.machine)) return undefined
    return hasChanged || board.isRefreshDue() ? composeBroadcast() : undefined
  }
  /** The relay's machines may change while it runs: one is heard that was not there, or has its last word. */
  function relist(): void {
    if (state.kind !== 'talking' || clock.now() - relistedAt < RELIST_MS) return
    relistedAt = clock.now()
    const { conversation } = state
    const keep: Answer = (result) => {
      const list = result.ok ? readMachineList(result.value) : result
      if (!list.ok) return
      state = { kind: 'talking', conversation, ...list.value }
      board.keepOnly(list.value.machines.map(({ machine }) => machine))
    }
    // Not now: the hub may be in the middle of telling.
    queueMicrotask(() => questions.ask(conversation, { to: MACHINES_ADDRESS, method: 'list' }, keep))
  }
  function tellCommand({ event, isExecuted, isEnd }: CommandNews): readonly frames.CarouselMessage[] {
    const executed = isExecuted && heard.hearsCommands(event.machine) ? [frames.commandExecuted(event)] : []
    const ended = isEnd && heard.hearsResults(event.machine) ? [frames.otherResult(event)] : []
    return [...executed, ...ended]
  }
  function hearCommand(event: MachineCommandEvent): Uint8Array | undefined {
    const messages = commands.hear(event).flatMap(tellCommand)
    const last = messages.at(-1)
    if (state.kind !== 'talking' || last === undefined) return undefined
    for (const message of messages.slice(0, -1)) state.conversation.send(encode(message))
    return encode(last)
  }

  // -------------------------------------------------------------- what the relay says

  function writeFailure(failure: Failure, id: string | undefined, conversation: Conversation): void {
    if (id !== undefined && questions.finish(id, { ok: false, failure })) return
    conversation.send(encode(frames.errorOfFailure(failure)))
  }
  return {
    name: 'carousel',
    isShared: false,
    read,
    write(message: RelayMessage, conversation) {
      if (message.type === 'welcome') start(conversation, message.server)
      else if (message.type === 'replied') questions.finish(message.id, toResult(message))
      else if (message.type === 'error') writeFailure(message.error, message.id, conversation)
    },
    encodePublication(publication, isRetained) {
      const data = readPayload(publication)
      if (isPayloadOf('machineStatus', data)) return hearStatus(data, isRetained)
      return isPayloadOf('machineCommand', data) && !isRetained && isKnown(data.machine) ? hearCommand(data) : undefined
    },
    end() {
      questions.clear()
    },
  }

  /** Bounds what is remembered: only configured machines are. */
  function isKnown(machineId: string): boolean {
    return state.kind === 'talking' && state.machines.some(({ machine }) => machine === machineId)
  }
}

const ENCODER = new TextEncoder()
/** Where they cannot be listed. */
const NO_MACHINES: MachineList = { machines: [], mode: 'multi-plc' }

function toResult({ data, error }: Extract<RelayMessage, { type: 'replied' }>): Result<unknown> {
  return error === undefined ? { ok: true, value: data } : { ok: false, failure: { code: 'server.internal', message: error } }
}
