/** Somebody else's program, running in a process of its own and listening to the relay; what it heard, for tests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseRelayMessage } from '#shared/protocol/codec'
import type { EmotionReading } from '#shared/protocol/emotion'
import { isPayloadOf } from '#shared/protocol/topic-catalog'

const PROGRAM = fileURLToPath(new URL('./listener-program.mjs', import.meta.url))
const MAX_HEARD = 1_000

export interface StreamListener {
  /** Oldest first; the last {@link MAX_HEARD}. */
  readonly heard: readonly EmotionReading[]
  /** Forgets what it heard. */
  clear(): void
  stop(): Promise<void>
}

export function startStreamListener(origin: string, topic = 'emotion/+'): StreamListener {
  const child = spawn(process.execPath, [PROGRAM, origin, topic], { stdio: ['ignore', 'pipe', 'inherit'] })
  const heard: EmotionReading[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const reading = parseReading(line)
    if (reading === undefined) return
    heard.push(reading)
    if (heard.length > MAX_HEARD) heard.shift()
  })
  return {
    heard,
    clear: () => void heard.splice(0),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}

/** Everything that is no reading, or not one that just happened, is passed over. */
function parseReading(line: string): EmotionReading | undefined {
  const parsed = parseRelayMessage(line)
  if (!parsed.ok || parsed.value.type !== 'message' || parsed.value.isRetained === true) return undefined
  return isPayloadOf('emotion', parsed.value.data) ? parsed.value.data : undefined
}
