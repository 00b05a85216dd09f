/**
 * Server-sent events (WHATWG HTML section 9.2): publications as `message` events, everything else under its own name. The id of each event names
 * the position of every topic seen on the stream, so that `Last-Event-ID` resumes all of them; one dialect per stream, because it remembers.
 * Speaks only: nothing can be said on a stream.
 */
import type { RelayMessage } from '#shared/protocol/messages'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import type { Dialect } from '../../ports.ts'
import { writePublicationMembers } from '../publication-json.ts'

interface Position {
  readonly topic: string
  readonly epoch: string
  readonly seq: number
}

/** Characters of an event's id: it comes back in a request header, and servers between take few thousand. Topics longest unheard give way. */
const MAX_ID_LENGTH = 2_000
/** Pause the browser makes before it comes back, milliseconds. */
const RETRY_MS = 2_000
/** Messages that mean something to a listener. The rest is conversation. */
const SPOKEN: readonly RelayMessage['type'][] = ['subscribed', 'resumed', 'gap', 'reset', 'error', 'expiring', 'draining']

export function createEventsDialect(resumed: readonly Position[]): Dialect {
  const encoder = new TextEncoder()
  /** Of topics that are not `latest`, the one heard longest ago first. */
  const seen = new Map<string, Position>()
  for (const position of resumed) note(position)
  let isFirst = true

  function note(position: Position): void {
    seen.delete(position.topic)
    seen.set(position.topic, position)
    if (seen.size <= PROTOCOL_LIMITS.resumePoints) return
    for (const topic of seen.keys()) {
      seen.delete(topic)
      return
    }
  }
  /** @param json one line: JSON text has no line breaks of its own. */
  function toBlock(name: string | undefined, json: string): Uint8Array {
    const retry = isFirst ? `retry: ${String(RETRY_MS)}\n` : ''
    isFirst = false
    const event = name === undefined ? '' : `event: ${name}\n`
    return encoder.encode(`${retry}${event}id: ${formatEventId([...seen.values()])}\ndata: ${json}\n\n`)
  }
  return {
    name: 'events',
    isShared: false,
    read: (_frame, conversation) =>
      conversation.blame({ code: 'frame.unknown_type', message: 'Nothing can be said on a stream.' }, undefined),
    write(message, conversation) {
      if (!SPOKEN.includes(message.type)) return
      if (message.type === 'subscribed') {
        for (const { topic, seq } of message.positions) if (!seen.has(topic)) note({ topic, epoch: message.epoch, seq })
      }
      const known = 'topic' in message ? seen.get(message.topic) : undefined
      if (message.type === 'resumed' && known !== undefined) note({ ...known, epoch: message.epoch })
      if (message.type === 'reset') note({ topic: message.topic, epoch: message.epoch, seq: 0 })
      if (message.type === 'gap') note({ topic: message.topic, epoch: message.epoch, seq: message.to })
      const { type, ...rest } = message
      conversation.send(toBlock(type, JSON.stringify(rest)))
    },
    encodePublication(publication, isRetained) {
      const { topic, delivery, epoch, seq } = publication
      if (delivery !== 'latest') note({ topic, epoch, seq })
      return toBlock(undefined, `{${writePublicationMembers(publication, isRetained)}}`)
    },
    keepAlive: encoder.encode(': alive\n\n'),
  }
}

/** As `epoch topic=seq,topic=seq`, newest topics kept when it gets long. Topics are percent-encoded, so that nothing of theirs can split it. */
export function formatEventId(positions: readonly Position[]): string {
  let text = ''
  let epoch = ''
  for (const position of [...positions].reverse()) {
    if (epoch === '') epoch = position.epoch
    const part = `${encodeURIComponent(position.topic)}=${String(position.seq)}`
    const isOtherEpoch = position.epoch !== epoch
    if (isOtherEpoch || text.length + part.length > MAX_ID_LENGTH) continue
    text = text === '' ? part : `${text},${part}`
  }
  return `${epoch} ${text}`
}

const EVENT_ID = /^([A-Za-z0-9_-]{0,32}) ([^\s]*)$/

/** @returns undefined for what is no id of ours. An id without topics is one. */
export function parseEventId(text: string): readonly Position[] | undefined {
  const [, epoch, list] = EVENT_ID.exec(text) ?? []
  if (epoch === undefined || list === undefined) return text.trim() === '' ? [] : undefined
  const positions: Position[] = []
  for (const part of list === '' ? [] : list.split(',')) {
    const position = parsePosition(part, epoch)
    if (position === undefined) return undefined
    positions.push(position)
  }
  return positions.length <= PROTOCOL_LIMITS.resumePoints ? positions : undefined
}

function parsePosition(part: string, epoch: string): Position | undefined {
  const [name, number, ...more] = part.split('=')
  if (name === undefined || number === undefined || more.length > 0 || !/^\d{1,15}$/.test(number)) return undefined
  try {
    return { topic: decodeURIComponent(name), epoch, seq: Number(number) }
  } catch {
    return undefined
  }
}
