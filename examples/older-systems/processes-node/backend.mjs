// A chat room as a backend: decides over HTTP who may come in, and speaks to whoever came as a process of the relay.
// Needs only the package `ws`:  RELAY_TOKEN=… node examples/older-systems/processes-node/backend.mjs [http://localhost:8080] [9000]
import { createServer } from 'node:http'
import { WebSocket } from 'ws'

const relay = process.argv[2] ?? 'http://localhost:8080'
const port = Number(process.argv[3] ?? 9000)
const clients = new Map()
let ownPid

// ---- the process: a client of the relay under a name of its own
const socket = new WebSocket(`${relay.replace('http', 'ws')}/relay`, 'semblante.v1')
const say = (message) => socket.send(JSON.stringify(message))
const tell = (pid, topic, payload) => say({ type: 'send', to: pid, data: { topic, payload } })
const tellAll = (text) => {
  for (const pid of clients.keys()) tell(pid, 'ws.send', { type: 'text', data: text })
}

socket.on('open', () => say({ type: 'hello', version: 1, token: process.env.RELAY_TOKEN ?? '' }))
socket.on('message', (bytes) => {
  const message = JSON.parse(bytes.toString())
  if (message.type === 'welcome') say({ type: 'request', id: 'name', to: 'processes', method: 'register', data: { name: 'chat' } })
  if (message.type === 'replied' && message.id === 'name') open(message.data.pid)
  if (message.type === 'direct') receive(message.data)
  if (message.type === 'error') console.error(message.error.code, message.error.message)
})
socket.on('close', (code) => {
  console.error(`the relay closed with ${code}`)
  process.exit(1)
})

function receive({ topic, payload }) {
  const name = payload?.metadata?.name
  if (topic === 'ws.join') {
    clients.set(payload.client_pid, name)
    tellAll(`${name} is here`)
  }
  if (topic === 'ws.message') {
    if (payload.data === '/quit') tell(payload.client_pid, 'ws.close', { code: 4000, reason: 'bye' })
    else tellAll(`${name}: ${payload.data}`)
  }
  if (topic === 'ws.leave') {
    clients.delete(payload.client_pid)
    tellAll(`${name} has left`)
  }
}

// ---- the HTTP side: the relay asks it before it opens a socket
function open(pid) {
  ownPid = pid
  createServer((request, response) => {
    const name = new URL(request.url, 'http://backend').searchParams.get('name')
    if (!name) return response.writeHead(401).end('Say who you are: ?name=…\n')
    // JSON in a header, with nothing but ASCII in it.
    const header = JSON.stringify({ target_pid: ownPid, heartbeat_interval: '30s', metadata: { name } })
    response.setHeader(
      'X-WS-Relay',
      header.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
    )
    return response.end()
  }).listen(port, '127.0.0.1', () => console.log(`the chat ${pid} waits for questions on port ${port}`))
}
