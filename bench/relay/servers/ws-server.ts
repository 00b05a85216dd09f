/** `ws` as its documentation shows it: what comes on /publish is sent to each client of /listen, /echo answers with the same. */
import { WebSocket, WebSocketServer } from 'ws'

const listeners = new Set<WebSocket>()
const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: false, clientTracking: false })

server.on('connection', (socket, request) => {
  if (request.url === '/listen') {
    listeners.add(socket)
    socket.on('close', () => listeners.delete(socket))
  } else if (request.url === '/publish') {
    socket.on('message', (data) => {
      for (const listener of listeners) if (listener.readyState === WebSocket.OPEN) listener.send(data, { binary: false })
    })
  } else {
    socket.on('message', (data) => socket.send(data, { binary: false }))
  }
})
