/** Socket.IO on node:http as its documentation shows it: a room of listeners, an event that goes to the room, an event that is answered. */
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const http = createServer()
// A ping in the middle of a run would be counted against it.
const io = new Server(http, { transports: ['websocket'], pingInterval: 3_600_000, serveClient: false })

io.on('connection', (socket) => {
  socket.on('listen', () => {
    void socket.join('bench')
    socket.emit('listening')
  })
  socket.on('publish', (text: string) => void io.to('bench').emit('message', text))
  socket.on('echo', (text: string) => void socket.emit('echo', text))
})
http.listen(Number(process.argv[2]), '127.0.0.1')
