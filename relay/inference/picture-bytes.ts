/** The bytes of a picture however it came, without decoding it: base64 with or without a data URL, or the file itself. */
import { fail, succeed, type Result } from '#shared/protocol/errors'

const DATA_URL = /^data:[^,]{0,128},/
/** RFC 4648 sections 4 and 5, with line breaks, as mail and some clients write it. */
const NOT_BASE64 = /[^A-Za-z0-9+/=_\s-]/

/** Fails with `image.missing`, `image.too_large` or `image.undecodable`. */
export function readPictureBytes(source: string | Uint8Array, limitBytes: number): Result<Uint8Array> {
  if (typeof source !== 'string') return checkSize(source, limitBytes)
  const prefix = DATA_URL.exec(source)?.[0] ?? ''
  if (prefix !== '' && !/;base64,$/i.test(prefix)) return fail('image.undecodable', 'The data URL is not base64.')
  const text = source.slice(prefix.length)
  if (NOT_BASE64.test(text)) return fail('image.undecodable', 'The picture is no base64: it has characters that base64 does not know.')
  const bytes = Buffer.from(text, 'base64')
  return checkSize(bytes, limitBytes)
}

function checkSize(bytes: Uint8Array, limitBytes: number): Result<Uint8Array> {
  if (bytes.length === 0) return fail('image.missing', 'The picture is empty.')
  if (bytes.length > limitBytes) {
    return fail('image.too_large', `The picture has ${String(bytes.length)} bytes; at most ${String(limitBytes)} are read.`)
  }
  return succeed(bytes)
}
