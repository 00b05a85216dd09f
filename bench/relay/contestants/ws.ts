/** The `ws` library, the usual choice. */
import type { Contestant } from '../contestant.ts'
import { startNodeServer } from '../server-process.ts'
import { createPlainWire } from '../wire/plain-wire.ts'

export const ws: Contestant = {
  name: 'ws',
  title: '`ws`',
  echo: 'the same 200 bytes back',
  start: (nodeArguments) => startNodeServer(nodeArguments, 'ws-server.ts'),
  wire: ({ port }) => createPlainWire(port),
}
