/** The real relay on a free loopback port, for tests of programs that talk to it: the client, `npm run tail`, the examples. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { acquireToken } from '#shared/client/acquire-session'
import { createRelayClient, type RelayClient } from '#shared/client/relay-client'
import type { EmotionReading } from '#shared/protocol/emotion'
import { RELAY_PATH } from '#shared/protocol/protocol'
import { createSystemRelay } from '../../relay/app.ts'
import { parseConfig } from '../../relay/config.ts'

export interface RealRelay extends AsyncDisposable {
  readonly port: number
  /** As `http://127.0.0.1:12345`. */
  readonly url: string
}

/**
 * @param port 0 picks a free one; a number takes the place of a relay that stopped.
 * @param settings as in the environment.
 */
export async function openRealRelay(port = 0, settings: Readonly<Record<string, string>> = {}): Promise<RealRelay> {
  const staticDir = await mkdtemp(join(tmpdir(), 'semblante-page-'))
  await writeFile(join(staticDir, 'index.html'), '<!doctype html><title>test</title>')
  const wantedPort = port === 0 ? await findFreePort() : port
  const parsed = parseConfig({ STATIC_DIR: staticDir, LOG_LEVEL: 'error', ...settings, PORT: String(wantedPort) })
  if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
  const { relay } = createSystemRelay(parsed.config, 'semblante/test')
  const started = await relay.start()
  if (!started.ok) throw new Error(`the relay did not start: ${started.problem}`)
  return {
    port: started.port,
    url: `http://127.0.0.1:${String(started.port)}`,
    async [Symbol.asyncDispose]() {
      await relay.stop()
      await rm(staticDir, { recursive: true, force: true })
    },
  }
}

/**
 * uWebSockets.js sets SO_REUSEADDR only where it is given a port. Without it the connections of a relay that stopped keep the
 * port for a minute, and a test could not start the next one there.
 */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
  })
}

/** A client as a tablet or a dashboard would be, stopped at the end of the block. */
export function openClient(relay: { readonly port: number }, onProblem: (code: string) => void = () => {}): RelayClient & Disposable {
  const client = createRelayClient({
    url: `ws://127.0.0.1:${String(relay.port)}${RELAY_PATH}`,
    webSocket: WebSocket,
    acquireToken: () => acquireToken(`http://127.0.0.1:${String(relay.port)}`),
    onProblem: ({ code }) => {
      onProblem(code)
    },
  })
  client.start()
  return Object.assign(client, {
    [Symbol.dispose]() {
      client.stop()
    },
  })
}

/** What a station with one happy face says. */
export function createReading(changes: Partial<EmotionReading> = {}): EmotionReading {
  return {
    station: 'desk-1',
    time: 1_700_000_000_123,
    model: 'test@1.0.0',
    faces: [
      {
        id: 1,
        box: { x: 0.25, y: 0.25, width: 0.5, height: 0.5 },
        emotion: 'happiness',
        confidence: 0.93,
        isCertain: true,
        probabilities: {
          neutral: 0.01,
          happiness: 0.93,
          surprise: 0.01,
          sadness: 0.01,
          anger: 0.01,
          disgust: 0.01,
          fear: 0.01,
          contempt: 0.01,
        },
      },
    ],
    ...changes,
  }
}
