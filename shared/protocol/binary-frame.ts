/**
 * A binary frame of the native protocol: a `request` with bytes beside it, so that a picture needs no base64. 4 bytes of length, big-endian; so many
 * bytes of JSON as UTF-8; the rest is the attachment.
 */
import { fail, succeed, type Result } from './errors.ts'

const HEADER_BYTES = 4

/** @param text the message as JSON. */
export function encodeBinaryFrame(text: string, attachment: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(text)
  const frame = new Uint8Array(HEADER_BYTES + json.byteLength + attachment.byteLength)
  new DataView(frame.buffer).setUint32(0, json.byteLength)
  frame.set(json, HEADER_BYTES)
  frame.set(attachment, HEADER_BYTES + json.byteLength)
  return frame
}

/** @returns the JSON text, not yet read, and the attachment as a view of `frame`. Fails with `attachment.malformed`. */
export function parseBinaryFrame(frame: Uint8Array): Result<{ readonly text: string; readonly attachment: Uint8Array }> {
  const malformed = fail('attachment.malformed', 'A binary frame begins with 4 bytes of length, big-endian, and so many bytes of JSON.')
  if (frame.byteLength < HEADER_BYTES) return malformed
  const length = new DataView(frame.buffer, frame.byteOffset).getUint32(0)
  const end = HEADER_BYTES + length
  if (end > frame.byteLength) return malformed
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(HEADER_BYTES, end))
    return succeed({ text, attachment: frame.subarray(end) })
  } catch {
    return malformed
  }
}
