/**
 * A device whose values are read and written one by one, whatever protocol carries them: connects and comes back with growing pauses, reads all
 * tags of a map at once, writes those of a command once. Leaves bytes and addresses to the protocol's line.
 */
import type { Clock, PlcDriver, PlcReadResult, PlcWriteResult, Random } from '../../ports.ts'
import type { StatusProfile } from '../profiles/status-profile.ts'
import type { TagMap, TagName, ValueType } from './tag-map.ts'
import { toTaggedReading, toWrites, type PlainWrite, type TagValue } from './tagged-reading.ts'

/** One connection of a protocol. Everything rejects with an error whose message says what is wrong. */
export interface TagLine<Address> {
  connect(): Promise<void>
  /** All at once, in the order asked for. @throws Garbled where the device answers what is no answer. */
  read(tags: readonly { readonly address: Address; readonly type: ValueType }[]): Promise<readonly TagValue[]>
  write(write: PlainWrite<Address>): Promise<void>
  /** Of a line that is told of changes: when it last knew that what it gives is so, Unix milliseconds. */
  heardAt?(): number | undefined
  /** Twice is harmless; never rejects. */
  close(): Promise<void>
}

/** The device is reached and answers what is no answer. */
export class GarbledError extends Error {}

/** Milliseconds between attempts to connect. */
export interface RetryTimes {
  readonly firstMs: number
  readonly maxMs: number
}
export const RETRY_TIMES: RetryTimes = { firstMs: 1_000, maxMs: 30_000 }

/** Milliseconds that a line waits for one answer, where nothing else is said. */
export const ANSWER_MS = 2_000

/** Where the machine is and what is known of it, whatever its protocol. */
export interface TaggedMachine {
  readonly host: string
  readonly port: number
  readonly positions: number
  readonly firstPosition: number
  readonly profile: StatusProfile
  /** Milliseconds for one answer. */
  readonly answerMs?: number
  readonly retry?: Partial<RetryTimes>
  readonly clock: Clock
  readonly random: Random
}

interface Options<Address> extends TaggedMachine {
  readonly line: TagLine<Address>
  readonly map: TagMap<Address>
}

/** Failed readings in a row after which a connection that nobody closed is given up. */
const FAILURES_TO_RECONNECT = 3
const JITTER = 0.2

type State =
  | { readonly kind: 'off' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'waiting'; readonly problem: string; readonly cancel: () => void }

export function createTaggedDriver<Address>(options: Options<Address>): PlcDriver {
  const { line, map, host, port, positions, firstPosition, profile, clock, random } = options
  const where = `${host}:${String(port)}`
  const retry = { ...RETRY_TIMES, ...options.retry }
  const asked = [...map.tags].map(([name, { address, type }]) => ({ name, address, type }))
  let state: State = { kind: 'off' }
  let attempts = 0
  let failures = 0
  let lastPosition: number | undefined
  /** Ends what waits for an answer: not every library does when its connection is closed. */
  let letGo: (error: Error) => void = () => undefined

  async function connect(): Promise<void> {
    state = { kind: 'connecting' }
    try {
      await line.connect()
      if (isOff()) await line.close()
      else state = { kind: 'open' }
    } catch (error) {
      if (!isOff()) await giveUp(describe(error))
    }
  }
  /** Closes, and tries again after a pause. */
  async function giveUp(problem: string): Promise<void> {
    attempts += 1
    failures = 0
    const pauseMs = Math.min(retry.maxMs, retry.firstMs * 2 ** Math.min(attempts - 1, 16)) * (1 + JITTER * random.fraction())
    state = { kind: 'waiting', problem, cancel: clock.after(Math.round(pauseMs), () => void connect()) }
    await closeLine()
  }
  function untilClosed<Value>(work: Promise<Value>): Promise<Value> {
    const closed = new Promise<never>((_, reject) => {
      letGo = reject
    })
    return Promise.race([work, closed])
  }
  async function closeLine(): Promise<void> {
    letGo(new Error('closed the connection'))
    await line.close()
  }
  function isOff(): boolean {
    return state.kind === 'off'
  }
  function describe(error: unknown): string {
    return `${where} ${error instanceof Error ? error.message : String(error)}`
  }
  function findAbsence(): string | undefined {
    if (state.kind === 'open') return undefined
    if (state.kind === 'waiting') return state.problem
    return `${where} ${state.kind === 'off' ? 'is switched off' : 'is not connected yet'}`
  }
  async function onFailure(problem: string): Promise<void> {
    failures += 1
    if (failures >= FAILURES_TO_RECONNECT && state.kind === 'open') await giveUp(problem)
  }

  return {
    async start() {
      if (state.kind === 'off') await connect()
    },
    async read(): Promise<PlcReadResult> {
      const absence = findAbsence()
      if (absence !== undefined) return { ok: false, problem: absence }
      try {
        const values = await untilClosed(line.read(asked))
        const named = new Map<TagName, TagValue>()
        for (const [index, { name }] of asked.entries()) named.set(name, values[index] ?? Number.NaN)
        const read = toTaggedReading(map, named, { positions, firstPosition, profile, lastPosition })
        if (!read.ok) return { ok: false, problem: `${where}: ${read.problem}`, isGarbled: true }
        attempts = 0
        failures = 0
        lastPosition = read.reading.position
        const readAt = line.heardAt?.()
        return readAt === undefined ? read : { ...read, readAt }
      } catch (error) {
        const problem = describe(error)
        await onFailure(problem)
        return { ok: false, problem, isGarbled: error instanceof GarbledError }
      }
    },
    async write(command): Promise<PlcWriteResult> {
      const absence = findAbsence()
      if (absence !== undefined) return { ok: false, problem: absence, isSent: false }
      const writes = toWrites(map, command, firstPosition)
      if (writes === undefined) {
        return { ok: false, problem: `${where}: no values are named for ${command.kind}`, isSent: false, isUnsupported: true }
      }
      try {
        for (const write of writes) await untilClosed(line.write(write))
        return { ok: true }
      } catch (error) {
        const problem = describe(error)
        await onFailure(problem)
        return { ok: false, problem, isSent: true }
      }
    },
    async stop() {
      if (state.kind === 'waiting') state.cancel()
      state = { kind: 'off' }
      await closeLine()
    },
  }
}
