/** HTTP status lines (RFC 9110 section 15), for transports that want the words as well. */
import { STATUS_CODES } from 'node:http'

export function statusLine(status: number): string {
  return `${String(status)} ${STATUS_CODES[status] ?? 'Unknown'}`
}

/** RFC 9110 section 6.4.1: these never have a body, nor a length of it. */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304
}
