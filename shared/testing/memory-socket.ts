/** One end of a socket without a wire: keeps what is sent, and blocks or drains when a test says so. It has the shape of the relay's `Socket` port. */

export interface MemorySocket {
  readonly isTwoWay: boolean
  sendText(utf8: Uint8Array): number
  sendBinary(bytes: Uint8Array): number
  cork(sends: () => void): void
  bufferedBytes(): number
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
  readonly remoteAddress: string
  /** Text frames that left, in order. */
  readonly sent: readonly string[]
  /** Binary ones. */
  readonly sentBinary: readonly Uint8Array[]
  readonly pings: number
  /** `open`, the close frame as `4008 too slow`, or `terminated`. */
  readonly state: string
  readonly corks: number
  /** From now on the reader takes nothing: what is sent counts as buffered. */
  block(): void
  /** The reader takes everything. */
  unblock(): void
}

export function createMemorySocket(): MemorySocket {
  const sent: string[] = []
  const sentBinary: Uint8Array[] = []
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let buffered = 0
  let isBlocked = false
  let state = 'open'
  let pings = 0
  let corks = 0
  return {
    isTwoWay: true,
    remoteAddress: '127.0.0.1',
    sendText(utf8) {
      if (state !== 'open') return 0
      sent.push(decoder.decode(utf8))
      if (isBlocked) buffered += utf8.byteLength
      return buffered
    },
    sendBinary(bytes) {
      if (state !== 'open') return 0
      sentBinary.push(bytes)
      if (isBlocked) buffered += bytes.byteLength
      return buffered
    },
    cork(sends) {
      corks += 1
      sends()
    },
    bufferedBytes: () => buffered,
    ping() {
      pings += 1
    },
    close(code, reason) {
      if (state === 'open') state = `${String(code)} ${reason}`
    },
    terminate() {
      state = 'terminated'
    },
    sent,
    sentBinary,
    get pings() {
      return pings
    },
    get state() {
      return state
    },
    get corks() {
      return corks
    },
    block() {
      isBlocked = true
    },
    unblock() {
      isBlocked = false
      buffered = 0
    },
  }
}
