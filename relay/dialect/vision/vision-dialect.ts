/**
 * One VisionAI client: its commands are answered in the order they came, one at a time, as its own server did; what it may leave waiting is
 * bounded, and what is beyond is answered with an error in its turn. Pictures are read by the service `vision`; how answers look is left to
 * `vision-answers.ts`.
 */
import type { Failure } from '#shared/protocol/errors'
import type { RelayMessage } from '#shared/protocol/messages'
import type { Clock, Conversation, Dialect } from '../../ports.ts'
import { PREDICT_DEADLINE_MS, PREDICT_WISH, VISION_SERVICE } from './picture-question.ts'
import { readVisionFrame, refuse, type RequestId, type VisionCommand } from './read-command.ts'
import { readPrediction, readVisionInfo } from './service-reply.ts'
import {
  EMOTIONS_LIST,
  explainPicture,
  isNotLoaded,
  MODEL_NOT_LOADED,
  TEXTS,
  toErrorAnswer,
  toHealth,
  toModelInfo,
  toPredictionAnswer,
  WELCOME,
  type Body,
} from './vision-answers.ts'

export const VISION_WAITING = {
  /** Pictures of one connection, and their bytes. */
  pictures: 64,
  bytes: 16 * 1024 * 1024,
  /** Answers one connection may have to come, errors included. Beyond, it is ended. */
  answers: 512,
} as const

export interface VisionClients {
  /** @returns takes the client away; harmless twice. */
  add(): () => void
  count(): number
}

export interface VisionDialectOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly clients: VisionClients
}

/** The question to the service that is under way. */
interface Asked {
  readonly kind: 'predict' | 'model_info'
  readonly id: string
  readonly requestId: RequestId | undefined
}

type PredictCommand = Extract<VisionCommand, { readonly kind: 'predict' }>
type Outcome = { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly failure: Failure }

const BAD_REPLY: Failure = { code: 'server.internal', message: 'The vision service answered something that is no answer.' }

export function createVisionDialect({ clock, clients }: VisionDialectOptions): Dialect {
  const encoder = new TextEncoder()
  const waiting: VisionCommand[] = []
  let waitingPictures = 0
  let waitingBytes = 0
  let asked: Asked | undefined
  let isAnswering = false
  let questions = 0
  let leave: () => void = () => {}

  function answer(conversation: Conversation, body: Body, requestId: RequestId | undefined): void {
    const whole = requestId === undefined ? body : { ...body, request_id: requestId }
    conversation.send(encoder.encode(JSON.stringify(whole)))
  }

  // ---------------------------------------------------------------- what waits

  function enqueue(command: VisionCommand, conversation: Conversation): void {
    if (waiting.length >= VISION_WAITING.answers) {
      conversation.end({ close: 'tooManyErrors', reason: 'as many answers are to come as may be' })
      return
    }
    if (command.kind === 'predict') {
      waitingPictures += 1
      waitingBytes += command.picture.byteLength
    }
    waiting.push(command)
    answerWaiting(conversation)
  }

  function hasRoom(picture: Uint8Array): boolean {
    return waitingPictures < VISION_WAITING.pictures && waitingBytes + picture.byteLength <= VISION_WAITING.bytes
  }

  function takeNext(): VisionCommand | undefined {
    const command = waiting.shift()
    if (command?.kind === 'predict') {
      waitingPictures -= 1
      waitingBytes -= command.picture.byteLength
    }
    return command
  }

  /** Answers until one has to wait for the service. What the service says at once comes back in here: once is enough. */
  function answerWaiting(conversation: Conversation): void {
    if (isAnswering) return
    isAnswering = true
    while (asked === undefined) {
      const command = takeNext()
      if (command === undefined) break
      begin(command, conversation)
    }
    isAnswering = false
  }

  function begin(command: VisionCommand, conversation: Conversation): void {
    const { requestId } = command
    switch (command.kind) {
      case 'predict':
        predict(command, conversation)
        break
      case 'model_info':
        asked = { kind: 'model_info', id: nextId(), requestId }
        conversation.say({ type: 'request', id: asked.id, to: VISION_SERVICE, method: 'info' })
        break
      case 'emotions':
        answer(conversation, EMOTIONS_LIST, requestId)
        break
      case 'health':
        answer(conversation, toHealth(clients.count(), clock.now()), requestId)
        break
      case 'refused':
        answer(conversation, toErrorAnswer(command.problem), requestId)
        if (command.isMalformed) conversation.countMistake()
        break
    }
  }

  // ---------------------------------------------------------------- the service

  function nextId(): string {
    questions += 1
    return `v${String(questions)}`
  }

  function predict({ picture, requestId }: PredictCommand, conversation: Conversation): void {
    const id = nextId()
    asked = { kind: 'predict', id, requestId }
    const question = {
      type: 'request',
      id,
      to: VISION_SERVICE,
      method: 'predict',
      data: PREDICT_WISH,
      deadlineMs: PREDICT_DEADLINE_MS,
    } as const
    conversation.say(question, picture)
  }

  function settle({ kind, requestId }: Asked, outcome: Outcome, conversation: Conversation): void {
    asked = undefined
    answer(conversation, kind === 'predict' ? toPictureAnswer(outcome, clock.now()) : toInfoAnswer(outcome), requestId)
    answerWaiting(conversation)
  }

  return {
    name: 'vision',
    isShared: false,
    read(frame, conversation) {
      const command = readVisionFrame(frame)
      if (command.kind !== 'predict' || hasRoom(command.picture)) enqueue(command, conversation)
      else enqueue(refuse(BUSY, { requestId: command.requestId }), conversation)
    },
    write(message, conversation) {
      if (message.type === 'welcome') {
        leave()
        leave = clients.add()
        conversation.send(encoder.encode(JSON.stringify(WELCOME)))
        return
      }
      const outcome = toOutcome(message)
      if (outcome === undefined) return
      if (asked !== undefined && outcome.id === asked.id) settle(asked, outcome, conversation)
      // Not about a question of ours: a frame that was refused at the door. Its answer keeps its place in the order.
      else if (!outcome.ok) enqueue(refuse(explainPicture(outcome.failure)), conversation)
    },
    encodePublication: () => undefined,
    end() {
      leave()
      waiting.length = 0
    },
  }
}

const BUSY = {
  message: TEXTS.internal,
  code: 'vision.busy',
  detail: 'As many pictures of this connection wait as may; send the next one after an answer.',
} as const

/** @param now Unix milliseconds. */
function toPictureAnswer(outcome: Outcome, now: number): Body {
  const prediction = outcome.ok ? readPrediction(outcome.data) : undefined
  if (prediction !== undefined) return toPredictionAnswer(prediction, now)
  return toErrorAnswer(explainPicture(outcome.ok ? BAD_REPLY : outcome.failure))
}

function toInfoAnswer(outcome: Outcome): Body {
  const info = outcome.ok ? readVisionInfo(outcome.data) : undefined
  if (info !== undefined) return toModelInfo(info)
  const failure = outcome.ok ? BAD_REPLY : outcome.failure
  if (isNotLoaded(failure)) return MODEL_NOT_LOADED
  return toErrorAnswer({ message: TEXTS.modelInfo, code: failure.code, detail: failure.message })
}

/** How a question ended, or what went wrong without one. */
function toOutcome(message: RelayMessage): (Outcome & { readonly id: string | undefined }) | undefined {
  if (message.type === 'replied') {
    const { id, data, error } = message
    return error === undefined ? { ok: true, data, id } : { ok: false, failure: { code: 'server.internal', message: error }, id }
  }
  if (message.type !== 'error') return undefined
  const { code, message: text } = message.error
  return { ok: false, failure: { code, message: text }, id: message.id }
}
