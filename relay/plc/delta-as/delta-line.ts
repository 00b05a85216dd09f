/** The TCP connection to one Delta AS: kept open, opened again with patience, one request and its answer at a time. */
import { connect, type Socket } from 'node:net'
import type { Clock, Random } from '../../ports.ts'
import { LONG_ANSWER, parseAnswer, type AnswerLength, type Quiet } from './delta-frame.ts'

/** Milliseconds. */
export interface LineTimes {
  readonly connectMs: number
  /** From request to whole answer; the real device needs up to 200. */
  readonly answerMs: number
  /** A pause after which one packet of an answer counts as all of it, where that is to be guessed. */
  readonly quietMs: number
  /** From a close, or a refusal, to the next attempt: the device refuses for about 5.6 s. */
  readonly refusalMs: number
  /** The longest pause between attempts. */
  readonly maxRefusalMs: number
}

export const LINE_TIMES: LineTimes = { connectMs: 5_000, answerMs: 1_500, quietMs: 60, refusalMs: 6_000, maxRefusalMs: 30_000 }

export type Exchanged =
  | { readonly ok: true; readonly raw: number; readonly position: number }
  /** `isGarbled`: something came that is no answer. */
  | { readonly ok: false; readonly problem: string; readonly isSent: boolean; readonly isGarbled?: boolean }

export interface DeltaLine {
  /** Tries once and settles either way; goes on trying in the background. */
  open(): Promise<void>
  /** Never rejects. Fails at once while there is no connection. */
  exchange(request: Uint8Array): Promise<Exchanged>
  /** What came was no answer: drains before the next request. */
  distrust(): void
  /** Twice is harmless. */
  close(): Promise<void>
}

interface Options {
  readonly host: string
  readonly port: number
  readonly answerLength?: AnswerLength
  readonly times?: Partial<LineTimes>
  readonly clock: Clock
  readonly random: Random
}

/** Answers missing in a row after which the connection counts as dead though nothing said so: a cable was pulled. */
const MISSES_TO_RECONNECT = 3
/** Two bytes of which the second is zero, so often in a row, are a short answer after all. */
const AMBIGUOUS_TO_BELIEVE = 3
/** More than this waits only where the device pours out what nobody asked for. */
const MAX_WAITING_BYTES = 16 * LONG_ANSWER
const JITTER = 0.1

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'waiting'; readonly problem: string; readonly cancel: () => void }
  | { readonly kind: 'connecting'; readonly socket: Socket }
  | { readonly kind: 'open'; readonly socket: Socket }

export function createDeltaLine({ host, port, answerLength, times: changes, clock, random }: Options): DeltaLine {
  const times = { ...LINE_TIMES, ...changes }
  let state: State = { kind: 'closed' }
  let length = answerLength
  let failures = 0
  let misses = 0
  let ambiguous = 0
  /** Something may still come that belongs to no request. */
  let isDirty = false
  let received = Buffer.alloc(0)
  /** Told of each packet and of the end of the connection. */
  let onChange: () => void = () => undefined

  function describe(problem: string): string {
    return `${host}:${String(port)} ${problem}`
  }
  function attempt(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 })
      const giveUp = clock.after(times.connectMs, () => socket.destroy(new Error('did not answer')))
      state = { kind: 'connecting', socket }
      let problem = 'closed the connection'
      socket.on('connect', () => {
        giveUp()
        state = { kind: 'open', socket }
        resolve()
      })
      socket.on('data', (bytes) => {
        received = Buffer.concat([received, bytes])
        if (received.byteLength > MAX_WAITING_BYTES) received = received.subarray(received.byteLength - MAX_WAITING_BYTES)
        onChange()
      })
      socket.on('error', (error) => {
        problem = toProblem(error)
      })
      socket.on('close', () => {
        giveUp()
        if (state.kind !== 'closed') comeBack(problem)
        onChange()
        resolve()
      })
    })
  }
  function comeBack(problem: string): void {
    failures += 1
    misses = 0
    const pauseMs = Math.min(times.maxRefusalMs, times.refusalMs * failures) * (1 + JITTER * random.fraction())
    const cancel = clock.after(Math.round(pauseMs), () => void attempt())
    state = { kind: 'waiting', problem: describe(problem), cancel }
    received = Buffer.alloc(0)
    isDirty = false
  }
  /** Waits until nothing has come for a moment, and forgets what came. */
  async function drain(): Promise<void> {
    const until = clock.now() + times.answerMs
    for (;;) {
      const before = received.byteLength
      const hasCome = await change(times.quietMs)
      const isQuiet = !hasCome || received.byteLength === before
      if (isQuiet || state.kind !== 'open' || clock.now() >= until) break
    }
    received = Buffer.alloc(0)
    isDirty = false
  }
  /** @returns whether something happened within the time. */
  function change(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (hasHappened: boolean): void => {
        cancel()
        onChange = () => undefined
        resolve(hasHappened)
      }
      const cancel = clock.after(withinMs, () => finish(false))
      onChange = () => finish(true)
    })
  }
  function miss(problem: string, isGarbled: boolean): Exchanged {
    isDirty = true
    length = answerLength
    ambiguous = 0
    misses += 1
    if (misses >= MISSES_TO_RECONNECT && state.kind === 'open') state.socket.destroy(new Error(problem))
    return { ok: false, problem: describe(problem), isSent: true, isGarbled }
  }
  function take(raw: number, position: number): Exchanged {
    failures = 0
    misses = 0
    ambiguous = 0
    received = Buffer.alloc(0)
    return { ok: true, raw, position }
  }
  function takeAmbiguous(raw: number): Exchanged {
    ambiguous += 1
    if (ambiguous >= AMBIGUOUS_TO_BELIEVE) {
      length = 2
      return take(raw, 0)
    }
    received = Buffer.alloc(0)
    isDirty = true
    return { ok: false, problem: describe('answered with two bytes, which may be the beginning of more; asking again'), isSent: true }
  }
  async function awaitAnswer(socket: Socket): Promise<Exchanged> {
    const until = clock.now() + times.answerMs
    let quiet: Quiet = 'no'
    for (;;) {
      const answer = parseAnswer(received, { length, quiet })
      if (answer.kind === 'answer') {
        length ??= answer.length
        return take(answer.raw, answer.position)
      }
      if (answer.kind === 'ambiguous') return takeAmbiguous(answer.raw)
      if (answer.kind === 'garbage') return miss(`sent what is no answer: ${answer.problem}`, true)
      const leftMs = until - clock.now()
      if (quiet === 'long' || leftMs <= 0) return miss('did not answer in time', false)
      const hasCome = await change(Math.min(leftMs, quiet === 'no' ? times.quietMs : leftMs))
      if (state.kind !== 'open' || state.socket !== socket) return { ok: false, problem: describe('closed the connection'), isSent: true }
      quiet = hasCome ? 'no' : clock.now() >= until ? 'long' : received.byteLength > 0 ? 'short' : 'no'
    }
  }

  return {
    async open() {
      if (state.kind === 'closed') await attempt()
    },
    async exchange(request) {
      if (state.kind === 'waiting') return { ok: false, problem: state.problem, isSent: false }
      if (state.kind !== 'open') return { ok: false, problem: describe('is not connected yet'), isSent: false }
      const { socket } = state
      if (isDirty || received.byteLength > 0) await drain()
      if (!socket.writable) return { ok: false, problem: describe('closed the connection'), isSent: false }
      socket.write(request)
      return awaitAnswer(socket)
    },
    distrust() {
      isDirty = true
    },
    close() {
      const last = state
      state = { kind: 'closed' }
      if (last.kind === 'waiting') last.cancel()
      if (last.kind !== 'open' && last.kind !== 'connecting') return Promise.resolve()
      return new Promise((resolve) => {
        last.socket.once('close', () => resolve())
        last.socket.destroy()
      })
    },
  }
}

function toProblem(error: Error): string {
  const code: unknown = Reflect.get(error, 'code')
  if (code === 'ECONNREFUSED') return 'refuses connections'
  if (code === 'ECONNRESET') return 'reset the connection'
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'cannot be reached'
  return typeof code === 'string' ? code : error.message
}
