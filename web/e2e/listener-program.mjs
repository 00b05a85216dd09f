/**
 * A program someone else wrote: knows a URL and plain WebSocket, nothing of ours. Prints every message as one line of JSON and comes
 * back when the connection breaks. `node listener-program.mjs http://127.0.0.1:8080 emotion/+`
 */
import WebSocket from 'ws'

const [origin, topic] = process.argv.slice(2)
const RETRY_MS = 300

async function listen() {
  const response = await fetch(`${origin}/api/auth/acquire-session`, { method: 'POST' })
  const { data } = await response.json()
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/relay`, 'semblante.v1')
  socket.on('open', () => {
    socket.send(JSON.stringify({ type: 'hello', version: 1, token: data.token }))
    socket.send(JSON.stringify({ type: 'subscribe', topic }))
  })
  socket.on('message', (text) => console.log(text.toString()))
  await new Promise((resolve) => {
    socket.on('error', () => {})
    socket.on('close', resolve)
  })
}

for (;;) {
  await listen().catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
}
