/** The events on each wire, on the relay's one port and on a port of their own: suites that know only a URL. */
import { describe, expect, it } from 'vitest'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'
import { findTransports } from '../../transport/choose-transport.ts'
import { describeNativeEvents, type EventSubject } from './testing/native-event-suite.ts'
import { describeSocketIo } from './testing/socket-io-suite.ts'

/** Long enough for every case, short enough to wait for. */
const HELLO_DEADLINE_MS = '3000'

async function start(transport: string, port: 'one' | 'own'): Promise<EventSubject> {
  const relay = await startTestRelay({
    settings: { RELAY_TRANSPORT: transport, HELLO_DEADLINE_MS, COMPAT_PORTS: '0:event', COMPAT_AUTH: 'token' },
  })
  const number = port === 'one' ? relay.port : ownPortOf(relay)
  return { origin: `http://127.0.0.1:${String(number)}`, token: await relay.acquireToken(), stop: () => relay.relay.stop() }
}

function ownPortOf(relay: TestRelay): number {
  const own = relay.compatPorts.find(({ dialect }) => dialect === 'event')
  if (own === undefined) throw new Error('no port of its own')
  return own.port
}

for (const transport of findTransports()) {
  describeNativeEvents(transport, { path: '/ws', start: () => start(transport, 'one') })
  describeNativeEvents(`${transport}, own port`, { path: '/', start: () => start(transport, 'own') })
  describeSocketIo(transport, () => start(transport, 'one'))
  describeSocketIo(`${transport}, own port`, () => start(transport, 'own'))
}

describe.each(findTransports())('a port of the events on %s', (transport) => {
  it('[EP1] tells plain requests what is spoken here', async () => {
    const { origin, stop } = await start(transport, 'own')
    const response = await fetch(`${origin}/`)
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        message: 'YektaYar WebSocket Server',
        version: '0.1.0',
        status: 'running',
        protocols: {
          socketio: { path: '/socket.io/', description: expect.any(String), transports: ['websocket', 'polling'] },
          websocket: { path: '/', description: expect.any(String), authentication: expect.any(String) },
        },
        usage: { socketio: expect.stringContaining(origin), websocket: expect.stringContaining(origin.slice('http://'.length)) },
      },
    ])
    await stop()
  })
})
