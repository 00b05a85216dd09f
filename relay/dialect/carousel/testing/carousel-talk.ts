/** One carousel_api client over the dialect, with a bus in hand: lists and statuses are answered at once, commands when the test says. */
import type { ErrorCode } from '#shared/protocol/errors'
import type { MachineCommandEvent, MachineInfo, MachineList, MachineStatus } from '#shared/protocol/machine'
import type { ClientMessage, ClientMessageOf, RelayMessageOf } from '#shared/protocol/messages'
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import type { Conversation, Frame, Identity } from '../../../ports.ts'
import { createCarouselDialect } from '../carousel-dialect.ts'
import { createPayloadReader } from '../carousel-system.ts'

export type Told = Readonly<Record<string, unknown>>

export interface CarouselTalk {
  readonly clock: FakeClock
  /** All the client was sent, in order. */
  readonly told: readonly Told[]
  readonly said: readonly ClientMessage[]
  /** Times the dialect called something the client's mistake. */
  readonly mistakes: () => number
  /** What the client was sent since the last call. */
  news(): readonly Told[]
  /** The client sends an object as JSON, a text or bytes as they are. */
  send(message: object | string | Uint8Array): void
  /** From now on these are configured. */
  setList(list: MachineList): void
  /** The relay's session opens. */
  open(): void
  publish(topic: string, data: unknown, isRetained?: boolean): void
  /** Answers the oldest request that waits. */
  reply(data: unknown): void
  refuse(code: ErrorCode): void
}

/** The clock's, as the document writes moments. */
export const NOW_TEXT = '2023-11-14T22:13:20.000Z'

export function createStatus(changes: Partial<MachineStatus> = {}): MachineStatus {
  return {
    machine: 'machine_1',
    name: 'Carrusel Principal',
    time: 1_699_999_999_000,
    quality: 'good',
    position: 15,
    positions: 32,
    isMoving: false,
    direction: 'none',
    mode: 'remote',
    isReady: true,
    hasAlarm: false,
    isEmergencyStopped: false,
    hasDriveFault: false,
    hasPositioningError: false,
    raw: 21,
    connection: 'connected',
    ...changes,
  }
}

export function createStep(changes: Partial<MachineCommandEvent> = {}): MachineCommandEvent {
  return {
    machine: 'machine_1',
    command: 'k1',
    name: 'move',
    code: 1,
    argument: 25,
    by: 'another',
    state: 'running',
    time: 1_699_999_999_000,
    ...changes,
  }
}

export const MACHINE_1: MachineInfo = {
  machine: 'machine_1',
  name: 'Carrusel Principal',
  driver: 'delta_as',
  address: { host: '192.168.1.50', port: 3200 },
  positions: 32,
  firstBucket: 0,
}
export const MACHINE_2: MachineInfo = {
  machine: 'machine_2',
  name: 'Carrusel Secundario',
  driver: 'simulated',
  address: { host: '192.168.1.51', port: 3200 },
  positions: 10,
  firstBucket: 0,
}
export const TWO_MACHINES: MachineList = { machines: [MACHINE_1, MACHINE_2], mode: 'multi-plc' }
export const ONE_MACHINE: MachineList = { machines: [MACHINE_1], mode: 'single-plc' }

export interface TalkOptions {
  readonly list?: MachineList
  readonly statuses?: readonly MachineStatus[]
  /** The list is not answered by itself. */
  readonly isListHeld?: boolean
  /** The session does not open by itself. */
  readonly isClosed?: boolean
}

export function createCarouselTalk({ isListHeld = false, isClosed = false, ...options }: TalkOptions = {}): CarouselTalk {
  const statuses = options.statuses ?? [createStatus(), createStatus({ machine: 'machine_2', position: 9, positions: 10 })]
  let list = options.list ?? TWO_MACHINES
  const clock = createFakeClock()
  const dialect = createCarouselDialect({ clock, readPayload: createPayloadReader() })
  const told: Told[] = []
  const said: ClientMessage[] = []
  const waiting: ClientMessageOf<'request'>[] = []
  let mistakes = 0
  let read = 0
  let seq = 0

  function keep(frame: Frame | undefined): void {
    if (frame === undefined) return
    if (!(frame instanceof Uint8Array)) throw new Error('a binary frame')
    const message: Told = JSON.parse(new TextDecoder().decode(frame))
    told.push(message)
  }
  function answer(request: ClientMessageOf<'request'>): unknown {
    if (request.to !== 'machines') return undefined
    if (request.method === 'list') return isListHeld ? undefined : list
    const { data } = request
    const machine = typeof data === 'object' && data !== null && 'machine' in data ? data.machine : undefined
    return machine === undefined ? { statuses } : statuses.find((status) => status.machine === machine)
  }
  const conversation: Conversation = {
    address: 'peer/1',
    identity: IDENTITY,
    remoteAddress: '127.0.0.1',
    say(message) {
      said.push(message)
      if (message.type !== 'request') return
      const data = answer(message)
      if (data === undefined) waiting.push(message)
      else dialect.write({ type: 'replied', id: message.id, from: message.to, data }, conversation)
    },
    send: keep,
    blame: () => undefined,
    countMistake() {
      mistakes += 1
    },
    end: () => undefined,
  }
  function takeWaiting(): ClientMessageOf<'request'> {
    const request = waiting.shift()
    if (request === undefined) throw new Error('no request waits')
    return request
  }
  const talk: CarouselTalk = {
    ...{ clock, told, said },
    mistakes: () => mistakes,
    news() {
      const since = told.slice(read)
      read = told.length
      return since
    },
    send: (message) => {
      dialect.read(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message), conversation)
    },
    setList: (changed) => {
      list = changed
    },
    open: () => {
      dialect.write(SESSION_OPEN, conversation)
    },
    publish(topic, data, isRetained = false) {
      seq += 1
      const publication = {
        kind: 'publication',
        topic,
        delivery: 'latest',
        epoch: 'e',
        seq,
        time: clock.now(),
        json: JSON.stringify(data),
      } as const
      keep(dialect.encodePublication(publication, isRetained))
    },
    reply(data) {
      const { id, to } = takeWaiting()
      dialect.write({ type: 'replied', id, from: to, data }, conversation)
    },
    refuse(code) {
      dialect.write({ type: 'error', id: takeWaiting().id, error: { code, message: 'In our words.', retry: 'later' } }, conversation)
    },
  }
  if (!isClosed) {
    talk.open()
    if (!isListHeld) talk.news()
  }
  return talk
}

const IDENTITY: Identity = {
  subject: 'me',
  roles: ['operator'],
  rights: { subscribe: [], publish: [], request: [] },
  station: undefined,
  expiresAt: Number.MAX_SAFE_INTEGER,
}

const SESSION_OPEN: RelayMessageOf<'welcome'> = {
  type: 'welcome',
  version: 1,
  peer: 'peer/1',
  roles: ['operator'],
  server: 'semblante/test',
  time: 0,
  epoch: 'e',
  expiresAt: 0,
  pingIntervalMs: 30_000,
  limits: { frameBytes: 1, subscriptions: 1, pendingRequests: 1 },
}
