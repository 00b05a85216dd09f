/** YektaYar's events over a bare WebSocket: `{"event":name,"data":…}` in both directions. Binary frames are read as text, as they always were. */
import type { Clock, Conversation, Dialect, Random } from '../../ports.ts'
import { findJsonDefect } from '#shared/protocol/plain-json'
import type { EngineFacts } from './event-answers.ts'
import { createEventSpeech, findEventId, unknownEventText, type EventSpeech } from './event-speech.ts'
import type { PublicationFrames } from './publication-frames.ts'

export interface NativeEventOptions {
  readonly clock: Clock
  readonly random: Random
  readonly publications: PublicationFrames
  readonly tokenTail: string
  /** @returns undefined for a subject that is nobody in particular. */
  readonly toUserId: (subject: string) => string | undefined
}

export const NATIVE_BEFORE = '{"event":"message","data":'
export const NATIVE_AFTER = '}'
const NO_ENGINE: EngineFacts = { transport: 'websocket', activeConnections: 0 }

export function createNativeEventDialect({ clock, random, publications, tokenTail, toUserId }: NativeEventOptions): Dialect {
  const encoder = new TextEncoder()
  let speech: EventSpeech | undefined

  function open(conversation: Conversation): EventSpeech {
    const { address, identity } = conversation
    return createEventSpeech({
      clock,
      client: {
        protocol: 'native-websocket',
        socketId: `ws-${String(clock.now())}-${createBase36(random)}`,
        userId: toUserId(identity.subject),
        tokenTail,
        peer: address,
      },
      emit: (event, data) => conversation.send(encoder.encode(JSON.stringify({ event, data }))),
      engine: () => NO_ENGINE,
      onUnknown: (name) => conversation.blame({ code: 'frame.unknown_type', message: unknownEventText(name) }, undefined),
    })
  }
  return {
    name: 'event',
    isShared: false,
    read(frame, conversation) {
      const text = typeof frame === 'string' ? frame : new TextDecoder().decode(frame)
      const event = parseEvent(text)
      if (event === undefined) conversation.blame({ code: 'frame.malformed_json', message: 'Failed to process message' }, undefined)
      else {
        const sizeBytes = Buffer.byteLength(text)
        speech?.onEvent({ ...event, sizeBytes, hasBytes: false, acknowledge: undefined }, conversation)
      }
    },
    write(message, conversation) {
      if (message.type === 'welcome') {
        speech = open(conversation)
        speech.greet()
      } else speech?.write(message)
    },
    encodePublication: (publication, isRetained) => publications.encode(publication, isRetained),
    findId: (text) => findEventId(parseEvent(text)?.data),
  }
}

/** @returns undefined for what is no JSON object, or holds what no JSON should. */
function parseEvent(text: string): { readonly name: string; readonly data: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || findJsonDefect(value) !== undefined) return undefined
    const name = 'event' in value ? value.event : undefined
    return { name: typeof name === 'string' ? name : typeof name, data: 'data' in value ? value.data : undefined }
  } catch {
    return undefined
  }
}

const ID_LENGTH = 9

function createBase36(random: Random): string {
  return Array.from({ length: ID_LENGTH }, () => Math.floor(random.fraction() * 36).toString(36)).join('')
}
