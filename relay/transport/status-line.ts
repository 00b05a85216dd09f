/** HTTP status lines (RFC 9110 section 15), for transports that want the words as well. */
import { STATUS_CODES } from 'node:http'

export function statusLine(status: number): string {
  return `${String(status)} ${STATUS_CODES[status] ?? 'Unknown'}`
}
