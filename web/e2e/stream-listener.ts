/** Somebody else's program, running in a process of its own and listening to the relay; what it heard, for tests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseRelayMessage } from '#shared/protocol/codec'
import type { EmotionReading } from '#shared/protocol/emotion'
import type { RelayMessageOf } from '#shared/protocol/messages'
import { findTopic, isPayloadOf } from '#shared/protocol/topic-catalog'

const PROGRAM = fileURLToPath(new URL('./listener-program.mjs', import.meta.url))
const MAX_HEARD = 1_000

export type HeardMessage = RelayMessageOf<'message'>

export interface StreamListener {
  /** Oldest first; the last {@link MAX_HEARD}. */
  readonly heard: readonly EmotionReading[]
  /** Every message on any topic, last values too; as `heard`. */
  readonly messages: readonly HeardMessage[]
  /** Forgets what it heard. */
  clear(): void
  stop(): Promise<void>
}

export function startStreamListener(origin: string, topic = 'emotion/+'): StreamListener {
  const child = spawn(process.execPath, [PROGRAM, origin, topic], { stdio: ['ignore', 'pipe', 'inherit'] })
  const heard: EmotionReading[] = []
  const messages: HeardMessage[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = parseMessage(line)
    if (message === undefined) return
    keep(messages, message)
    const reading = toReading(message)
    if (reading !== undefined) keep(heard, reading)
  })
  return {
    heard,
    messages,
    clear() {
      heard.length = 0
      messages.length = 0
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

function keep<Item>(list: Item[], item: Item): void {
  list.push(item)
  if (list.length > MAX_HEARD) list.shift()
}

function parseMessage(line: string): HeardMessage | undefined {
  const parsed = parseRelayMessage(line)
  return parsed.ok && parsed.value.type === 'message' ? parsed.value : undefined
}

/** Everything that is no reading, or not one that just happened, is passed over. */
function toReading({ topic, data, isRetained }: HeardMessage): EmotionReading | undefined {
  return isRetained !== true && findTopic(topic) === 'emotion' && isPayloadOf('emotion', data) ? data : undefined
}
