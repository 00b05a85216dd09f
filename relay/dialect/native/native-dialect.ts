/**
 * The relay's own protocol, subprotocol `semblante.v1`: one JSON message of the catalog per text frame; a request with bytes beside it as a binary
 * one. Leaves state and rights to the session.
 */
import { parseBinaryFrame } from '#shared/protocol/binary-frame'
import { encodeMessage } from '#shared/protocol/codec'
import { parseClientMessage } from '#shared/protocol/codec-relay'
import type { Conversation, Dialect, Publication } from '../../ports.ts'
import { writePublicationMembers } from '../publication-json.ts'

export function createNativeDialect(): Dialect {
  let last: { readonly publication: Publication; readonly frame: Uint8Array } | undefined

  function encodeMessageOf(publication: Publication, isRetained: boolean): Uint8Array {
    return encode(`{"type":"message",${writePublicationMembers(publication, isRetained)}}`)
  }
  return {
    name: 'native',
    isShared: true,
    read: (frame, conversation) => (typeof frame === 'string' ? readText(frame, conversation) : readBinary(frame, conversation)),
    write: (message, conversation) => conversation.send(encode(encodeMessage(message))),
    findId,
    encodePublication(publication, isRetained) {
      if (isRetained) return encodeMessageOf(publication, true)
      if (last?.publication !== publication) last = { publication, frame: encodeMessageOf(publication, false) }
      return last.frame
    },
  }
}

/** Twice as fast as a TextEncoder for frames below 1 KB, because Node cuts them from one piece of memory. */
function encode(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

function readText(text: string, conversation: Conversation): void {
  const parsed = parseClientMessage(text)
  if (parsed.ok) conversation.say(parsed.value)
  else conversation.blame(parsed.failure, findId(text))
}

function readBinary(frame: Uint8Array, conversation: Conversation): void {
  const parts = parseBinaryFrame(frame)
  if (!parts.ok) {
    conversation.blame(parts.failure, undefined)
    return
  }
  const { text, attachment } = parts.value
  const parsed = parseClientMessage(text)
  if (!parsed.ok) conversation.blame(parsed.failure, findId(text))
  else if (parsed.value.type === 'request') conversation.say(parsed.value, attachment)
  else {
    const message = `Only a \`request\` may have bytes beside it; this is a \`${parsed.value.type}\`. Send it as text.`
    conversation.blame({ code: 'frame.binary_unsupported', message }, parsed.value.id)
  }
}

/** Reads the sender's id from a message that is otherwise wrong, so that the error can be matched. Same bounds as the catalog's. */
function findId(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const id: unknown = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined
    return typeof id === 'string' && id.length >= 1 && id.length <= 64 ? id : undefined
  } catch {
    return undefined
  }
}
