/** What a process is told of one client: the payloads, and the terms it asked for. Sends nothing. */
import { formatGoDuration } from '#shared/protocol/go-duration'
import { HEARTBEAT_MS, SOCKET_TOPICS, type MessageFormat, type ProcessMessage, type SocketControl } from '#shared/protocol/socket-control'

type Metadata = Readonly<Record<string, unknown>>

/** What the process of the moment wants. */
interface Terms {
  readonly messageTopic: string
  readonly messageFormat: MessageFormat
  readonly heartbeatMs: number
  readonly metadata: Metadata | undefined
}

export interface ProcessPayloads {
  readonly terms: Terms
  /** What is left out stays. */
  apply(control: SocketControl): void
  join(): ProcessMessage
  /** One frame of the client's; counts it. */
  message(frame: string | Uint8Array): object
  heartbeat(uptimeMs: number): ProcessMessage
  /** @param metadata what the process was told before; the present one when left out. */
  leave(reason: string, metadata?: Metadata): ProcessMessage
}

/** @param pid the client's. */
export function createProcessPayloads(pid: string): ProcessPayloads {
  let terms: Terms = {
    messageTopic: SOCKET_TOPICS.message,
    messageFormat: 'document',
    heartbeatMs: HEARTBEAT_MS.fallback,
    metadata: undefined,
  }
  let messageCount = 0

  function withMetadata(metadata = terms.metadata): { readonly metadata?: Metadata } {
    return metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata }
  }
  return {
    get terms() {
      return terms
    },
    apply(control) {
      terms = {
        messageTopic: control.messageTopic ?? terms.messageTopic,
        messageFormat: control.messageFormat ?? terms.messageFormat,
        heartbeatMs: control.heartbeatMs ?? terms.heartbeatMs,
        metadata: control.metadata ?? terms.metadata,
      }
    },
    join: () => ({ topic: SOCKET_TOPICS.join, payload: { client_pid: pid, ...withMetadata() } }),
    message(frame) {
      messageCount += 1
      const isText = typeof frame === 'string'
      const topic = terms.messageTopic
      const data = isText ? frame : Buffer.from(frame).toString('base64')
      const encoding = isText ? {} : { encoding: 'base64' }
      if (terms.messageFormat === 'raw') return { topic, payload: data, ...encoding }
      return { topic, payload: { client_pid: pid, type: isText ? 'text' : 'binary', data, ...encoding, ...withMetadata() } }
    },
    heartbeat: (uptimeMs) => ({
      topic: SOCKET_TOPICS.heartbeat,
      payload: { client_pid: pid, uptime: formatGoDuration(uptimeMs), message_count: messageCount, ...withMetadata() },
    }),
    leave: (reason, metadata) => ({ topic: SOCKET_TOPICS.leave, payload: { client_pid: pid, reason, ...withMetadata(metadata) } }),
  }
}
