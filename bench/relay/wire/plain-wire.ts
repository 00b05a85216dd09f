/** WebSockets with no protocol on top: the path says what a connection is for. */
import { encodeText, upgradeStep, websocketFraming } from './websocket-wire.ts'
import { PAYLOAD, type Wire } from './wire.ts'

export function createPlainWire(port: number, payload = PAYLOAD): Wire {
  return {
    framing: websocketFraming,
    open: [upgradeStep({ port, path: '/publish' })],
    subscribe: [upgradeStep({ port, path: '/listen' })],
    publish: encodeText(payload),
    echo: () => ({ open: [upgradeStep({ port, path: '/echo' })], request: encodeText(PAYLOAD) }),
  }
}
