/** Socket.IO v4 over its websocket transport (socket.io-protocol 5, engine.io-protocol 4). */
import type { Contestant } from '../contestant.ts'
import { startNodeServer } from '../server-process.ts'
import { encodeText, upgradeStep, websocketFraming } from '../wire/websocket-wire.ts'
import { PAYLOAD, type Step, type Wire } from '../wire/wire.ts'

export const socketIo: Contestant = {
  name: 'socket.io',
  title: '`socket.io` on node:http',
  echo: 'an event with the same 200 bytes back',
  start: (nodeArguments) => startNodeServer(nodeArguments, 'socket-io-server.ts'),
  wire: ({ port }) => createWire(port),
}

function createWire(port: number): Wire {
  const open: readonly Step[] = [
    upgradeStep({ port, path: '/socket.io/?EIO=4&transport=websocket', greeting: /0\{"sid":[^]*\}/ }),
    { send: encodeText('40'), until: /40\{"sid":[^]*\}$/ },
  ]
  const publish = encodeText(`42${JSON.stringify(['publish', PAYLOAD])}`)
  const echo = { open, request: encodeText(`42${JSON.stringify(['echo', PAYLOAD])}`) }
  const listen: Step = { send: encodeText('42["listen"]'), until: /42\["listening"\]$/ }
  return { framing: websocketFraming, open, subscribe: [...open, listen], publish, echo: () => echo }
}
