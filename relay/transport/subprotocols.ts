/** Reads the list a client offers in `Sec-WebSocket-Protocol` (RFC 6455 section 11.3.4). */
export function parseSubprotocols(header: string | undefined): string[] {
  return (header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
