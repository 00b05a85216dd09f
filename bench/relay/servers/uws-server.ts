/**
 * uWebSockets.js with nothing around it: what it gets on /publish goes to everybody on /listen, /echo answers with the same.
 * `node uws-server.ts PORT publish` hands one message to the library's own topics, `loop` sends to each socket in turn.
 */
import uws, { type WebSocket } from 'uWebSockets.js'

type Nothing = Record<string, never>

const port = Number(process.argv[2])
const isLoop = process.argv[3] === 'loop'
const listeners = new Set<WebSocket<Nothing>>()
const app = uws.App()
const settings = { idleTimeout: 0, sendPingsAutomatically: false, maxBackpressure: 64 * 1024 * 1024, maxPayloadLength: 64 * 1024 }

app.ws<Nothing>('/listen', {
  ...settings,
  open: (ws) => {
    if (isLoop) listeners.add(ws)
    else ws.subscribe('bench')
  },
  close: (ws) => void listeners.delete(ws),
})
app.ws<Nothing>('/publish', {
  ...settings,
  message: (_ws, message) => {
    if (isLoop) for (const listener of listeners) listener.send(message, false)
    else app.publish('bench', message, false)
  },
})
app.ws<Nothing>('/echo', { ...settings, message: (ws, message) => void ws.send(message, false) })
app.listen('127.0.0.1', port, () => {})
