/**
 * What waits to be sent on one socket, within a bound. Frames leave in order. While the client does not keep up, a `latest` frame takes the
 * place of the unsent older one of the same key. Leaves to the session what happens when the bound is reached.
 */
import type { Socket } from '../ports.ts'

export interface OutboxLimits {
  readonly socketBytes: number
  readonly outboxBytes: number
  readonly outboxFrames: number
}

export interface Outbox {
  /**
   * @param key of a `latest` frame; none for frames that must all arrive.
   * @returns false when the frame was not taken because the outbox is full.
   */
  push(frame: Uint8Array, key?: string): boolean
  /** Sends what the socket will take. */
  readonly flush: () => void
  /** Sends all that waits, over the socket's limit if it must be: the last words before a close. */
  sendAll(): void
  /** Forgets what waits. */
  clear(): void
  waitingBytes(): number
}

interface Waiting {
  frame: Uint8Array
  readonly key: string | undefined
}

export function createOutbox(socket: Socket, limits: OutboxLimits): Outbox {
  let waiting: Waiting[] = []
  let waitingBytes = 0
  const newest = new Map<string, Waiting>()

  function isBlocked(): boolean {
    return socket.bufferedBytes() >= limits.socketBytes
  }
  /** @returns whether an unsent older frame gave way. */
  function replace(frame: Uint8Array, key: string): boolean {
    const older = newest.get(key)
    if (older === undefined || !isBlocked()) return false
    waitingBytes += frame.byteLength - older.frame.byteLength
    older.frame = frame
    return true
  }
  function sendUpTo(socketBytes: number): void {
    let sent = 0
    let bufferedBytes = socket.bufferedBytes()
    for (const { frame, key } of waiting) {
      if (bufferedBytes >= socketBytes) break
      bufferedBytes = socket.sendText(frame)
      waitingBytes -= frame.byteLength
      if (key !== undefined) newest.delete(key)
      sent += 1
    }
    waiting = sent === waiting.length ? [] : waiting.slice(sent)
    for (const item of waiting) if (item.key !== undefined) newest.set(item.key, item)
  }
  function flush(): void {
    if (waiting.length === 0 || isBlocked()) return
    if (waiting.length === 1) sendUpTo(limits.socketBytes)
    else socket.cork(() => sendUpTo(limits.socketBytes))
  }
  return {
    push(frame, key) {
      if (key !== undefined && replace(frame, key)) return true
      if (isFull(frame)) flush()
      if (isFull(frame)) return false
      const item: Waiting = { frame, key }
      waiting.push(item)
      waitingBytes += frame.byteLength
      if (key !== undefined) newest.set(key, item)
      return true
    },
    flush,
    sendAll() {
      if (waiting.length > 0) socket.cork(() => sendUpTo(Number.POSITIVE_INFINITY))
    },
    clear() {
      waiting = []
      waitingBytes = 0
      newest.clear()
    },
    waitingBytes: () => waitingBytes,
  }

  function isFull(frame: Uint8Array): boolean {
    return waiting.length >= limits.outboxFrames || waitingBytes + frame.byteLength > limits.outboxBytes
  }
}
