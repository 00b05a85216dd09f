/**
 * A conversation with the assistant, at the address `assistant`:
 * - `chat` `{message, conversationHistory?, locale?}` -> `{messageId}`, then `direct` messages to whoever asked, in this order: `{kind: 'start',
 *   messageId}`, any number of `{kind: 'chunk', messageId, chunk}`, and one of `{kind: 'complete', messageId, fullResponse}` and `{kind: 'error',
 *   messageId, error, code}`.
 * - `answer`, asked the same -> `{messageId, response}`, whole.
 * `frame.invalid_fields`, `assistant.busy` and `assistant.unavailable` come as the answer, before anything is asked of the chat server. A
 * conversation ends when whoever asked leaves. Nothing of it is kept or logged. Leaves the chat server to its adapter.
 */
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { CounterLabel } from '../../metric-catalog.ts'
import type { ChatServer, Clock, Log, LoopTurn, Metrics, Random } from '../../ports.ts'
import { startService, type ServiceCall, type ServiceHub, type ServiceMethod } from '../service-peer.ts'
import { parseChatQuestion, toTurns, type ChatQuestion } from './chat-question.ts'
import { createChatPlaces } from './chat-places.ts'

export const ASSISTANT_ADDRESS = 'assistant'
/** Conversations of one user under way at once. */
export const CHATS_PER_USER = 2
/** Conversations of all users: each is a connection to the chat server. */
export const CHATS_IN_ALL = 64

export interface AssistantService {
  /** Ends what is under way. Twice is harmless. */
  stop(): void
}

interface Options {
  readonly hub: ServiceHub
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly random: Random
  readonly metrics: Metrics
  readonly log: Log
  /** Undefined where none is configured. */
  readonly server: ChatServer | undefined
}

type Outcome = CounterLabel<'assistant_chats_total'>

/** One conversation that has its place. */
interface Chat {
  readonly messageId: string
  readonly question: ChatQuestion
  readonly signal: AbortSignal
  /** Counts it and gives its place back. */
  end(outcome: Outcome): void
}

export function startAssistant(options: Options): Result<AssistantService> {
  const { hub, clock, turn, random, metrics, server } = options
  const places = createChatPlaces({ perUser: CHATS_PER_USER, inAll: CHATS_IN_ALL })
  const underWay = new Set<AbortController>()
  const report = createReport(options.log)

  function refuse(failure: Failure): Result<never> {
    metrics.add('assistant_chats_total', 'refused')
    return { ok: false, failure }
  }
  function open({ data, by, onGone }: ServiceCall): Result<{ readonly chat: Chat; readonly server: ChatServer }> {
    const question = parseChatQuestion(data)
    if (!question.ok) return refuse(question.failure)
    if (server === undefined) return refuse(UNAVAILABLE)
    const giveBack = places.take(by.subject)
    if (giveBack === undefined) {
      metrics.add('limit_hits_total', 'assistant_chats')
      return refuse(BUSY)
    }
    const controller = new AbortController()
    underWay.add(controller)
    const stopWaiting = onGone(() => controller.abort())
    const end = (outcome: Outcome): void => {
      stopWaiting()
      giveBack()
      underWay.delete(controller)
      metrics.add('assistant_chats_total', outcome)
    }
    const messageId = createMessageId(clock, random)
    return succeed({ chat: { messageId, question: question.value, signal: controller.signal, end }, server })
  }
  /** @param onText called while whoever asked is there. */
  async function converse(
    { question, signal, end }: Chat,
    chatServer: ChatServer,
    onText: (text: string) => void,
  ): Promise<Result<string>> {
    const isLeft = (): boolean => signal.aborted
    const answer = isLeft()
      ? GONE
      : await chatServer.answer(toTurns(question), {
          signal,
          onText(text) {
            if (!isLeft()) onText(text)
          },
        })
    if (isLeft()) {
      end('cancelled')
      return GONE
    }
    end(answer.ok ? 'complete' : 'failed')
    report(answer)
    return answer
  }
  async function tellAnswer(chat: Chat, chatServer: ChatServer, tell: ServiceCall['tell']): Promise<void> {
    const { messageId, signal } = chat
    if (!signal.aborted) tell({ kind: 'start', messageId })
    const answer = await converse(chat, chatServer, (chunk) => tell({ kind: 'chunk', messageId, chunk }))
    if (answer.ok) tell({ kind: 'complete', messageId, fullResponse: answer.value })
    else tell({ kind: 'error', messageId, error: answer.failure.message, code: answer.failure.code })
  }

  function chat(call: ServiceCall): Result<unknown> {
    const opened = open(call)
    if (!opened.ok) return opened
    // The reply goes first.
    turn.atEnd(() => void tellAnswer(opened.value.chat, opened.value.server, call.tell))
    return succeed({ messageId: opened.value.chat.messageId })
  }
  async function answer(call: ServiceCall): Promise<Result<unknown>> {
    const opened = open(call)
    if (!opened.ok) return opened
    const whole = await converse(opened.value.chat, opened.value.server, () => undefined)
    return whole.ok ? succeed({ messageId: opened.value.chat.messageId, response: whole.value }) : whole
  }
  const methods = new Map<string, ServiceMethod>([
    ['chat', chat],
    ['answer', answer],
  ])
  const started = startService(hub, ASSISTANT_ADDRESS, methods, options.log)
  if (!started.ok) return started
  return succeed({
    stop() {
      for (const controller of underWay) controller.abort()
    },
  })
}

const UNAVAILABLE: Failure = { code: 'assistant.unavailable', message: 'No chat server is configured: the operator sets ASSISTANT_URL.' }
const BUSY: Failure = {
  code: 'assistant.busy',
  message: `At most ${String(CHATS_PER_USER)} conversations at once: wait until one has ended.`,
}
const GONE = fail('assistant.failed', 'The conversation was ended.')

const ID_CHARACTERS = 9
const BASE_36 = 36

/** `ai-<ms>-<9 base36>`. */
function createMessageId(clock: Clock, random: Random): string {
  const tail = Array.from({ length: ID_CHARACTERS }, () => Math.floor(random.fraction() * BASE_36).toString(BASE_36)).join('')
  return `ai-${String(clock.now())}-${tail}`
}

/** Logs when the chat server begins to fail and when it answers again, not each time between. */
function createReport(log: Log): (answer: Result<string>) => void {
  let isFailing = false
  return (answer) => {
    if (answer.ok === !isFailing) return
    isFailing = !answer.ok
    if (answer.ok) log.info({ event: 'assistant.recovered' })
    else log.warn({ event: 'assistant.failed', code: answer.failure.code, message: answer.failure.message })
  }
}
