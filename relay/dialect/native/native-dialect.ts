/** The relay's own protocol, subprotocol `semblante.v1`: one JSON message of the catalog per text frame. Leaves state and rights to the session. */
import { encodeMessage } from '#shared/protocol/codec'
import { parseClientMessage } from '#shared/protocol/codec-relay'
import type { RelayMessage } from '#shared/protocol/messages'
import type { Decoded, Dialect, Publication } from '../../ports.ts'
import { writePublicationMembers } from '../publication-json.ts'

export function createNativeDialect(): Dialect {
  const encoder = new TextEncoder()
  let last: { readonly publication: Publication; readonly frame: Uint8Array } | undefined

  function encode(message: RelayMessage): Uint8Array {
    return encoder.encode(encodeMessage(message))
  }
  function encodeMessageOf(publication: Publication, isRetained: boolean): Uint8Array {
    return encoder.encode(`{"type":"message",${writePublicationMembers(publication, isRetained)}}`)
  }
  return {
    name: 'native',
    isShared: true,
    decode,
    encode,
    encodePublication(publication, isRetained) {
      if (isRetained) return encodeMessageOf(publication, true)
      if (last?.publication !== publication) last = { publication, frame: encodeMessageOf(publication, false) }
      return last.frame
    },
  }
}

function decode(text: string): Decoded {
  const parsed = parseClientMessage(text)
  return parsed.ok ? { ok: true, message: parsed.value } : { ok: false, failure: parsed.failure, id: findId(text) }
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
