/**
 * Looks at a WebSocket handshake before anything is decided about it (RFC 6455 section 4.2.1). Both libraries are laxer, each in its own way:
 * uWebSockets.js looks at the key's length only, `ws` takes version 8 as well.
 */
import type { HttpResponse } from '../ports.ts'
import { failureResponse } from './http-answer.ts'

const VERSION = '13'
/** 16 bytes as base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/

/** False for a request that asks for no WebSocket at all: it is a plain one. */
export function asksForWebSocket(method: string, headers: ReadonlyMap<string, string>): boolean {
  return method.toUpperCase() === 'GET' && hasWord(headers.get('upgrade'), 'websocket') && hasWord(headers.get('connection'), 'upgrade')
}

/** @returns the refusal of a handshake that is malformed; undefined when it is well formed. */
export function refuseHandshake(headers: ReadonlyMap<string, string>): HttpResponse | undefined {
  if (headers.get('sec-websocket-version') !== VERSION) {
    const refusal = failureResponse({ code: 'http.upgrade_required', message: `Sec-WebSocket-Version must be ${VERSION}.` })
    // Section 4.4: names the version that would do.
    return { ...refusal, headers: { ...refusal.headers, 'sec-websocket-version': VERSION } }
  }
  if (KEY.test(headers.get('sec-websocket-key') ?? '')) return undefined
  return failureResponse({ code: 'frame.invalid_fields', message: 'Sec-WebSocket-Key must be 16 bytes as base64.' })
}

function hasWord(header: string | undefined, word: string): boolean {
  return (header ?? '').split(',').some((part) => part.trim().toLowerCase() === word)
}
