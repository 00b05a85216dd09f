/**
 * The parts of a `multipart/form-data` body (RFC 7578, RFC 2046 section 5.1) that is in memory already: names and bytes, nothing copied.
 * Node's own reader is not meant for servers; files in files and transfer encodings, which RFC 7578 does away with, are not read.
 */

export interface FormPart {
  readonly name: string
  /** A view of the body. */
  readonly bytes: Uint8Array
}

/** A form with more parts is none of ours. */
const MOST_PARTS = 32
const HEADERS_BYTES = 4 * 1024
const CRLF = '\r\n'

/** @returns undefined for a body that is no such form. */
export function parseMultipartForm(body: Uint8Array, contentType: string): readonly FormPart[] | undefined {
  const boundary = readBoundary(contentType)
  if (boundary === undefined) return undefined
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const delimiter = `${CRLF}--${boundary}`
  let start =
    bytes.subarray(0, boundary.length + 2).toString('latin1') === `--${boundary}` ? 0 : findAfter(bytes, delimiter, 0, CRLF.length)
  const parts: FormPart[] = []
  while (start !== undefined && parts.length < MOST_PARTS) {
    const lineStart = start + 2 + boundary.length
    if (bytes.subarray(lineStart, lineStart + 2).toString('latin1') === '--') return parts
    const headersStart = bytes.indexOf(CRLF, lineStart, 'latin1')
    const contentStart = bytes.indexOf(CRLF + CRLF, headersStart, 'latin1')
    const end = bytes.indexOf(delimiter, contentStart + CRLF.length, 'latin1')
    if (headersStart === -1 || contentStart === -1 || end === -1 || contentStart - headersStart > HEADERS_BYTES) return undefined
    const name = readName(bytes.subarray(headersStart, contentStart).toString('utf8'))
    // A part without bytes ends where its headers do.
    const from = Math.min(contentStart + 2 * CRLF.length, end)
    if (name !== undefined) parts.push({ name, bytes: body.subarray(from, end) })
    start = end + CRLF.length
  }
  return undefined
}

/** 1 to 70 characters (RFC 2046 section 5.1.1), quoted or not. */
function readBoundary(contentType: string): string | undefined {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? []
  return quoted ?? plain
}

function readName(headers: string): string | undefined {
  const disposition = /^content-disposition:\s*form-data\b(.*)$/im.exec(headers)?.[1]
  const [, quoted, plain] = /;\s*name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition ?? '') ?? []
  return quoted ?? plain
}

function findAfter(bytes: Buffer, text: string, from: number, offset: number): number | undefined {
  const at = bytes.indexOf(text, from, 'latin1')
  return at === -1 ? undefined : at + offset
}
