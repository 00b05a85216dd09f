// Prints what every station reads. Needs only the `ws` package: node examples/node/listen.mjs [http://localhost:8080]
import { WebSocket } from 'ws'

const relay = process.argv[2] ?? 'http://localhost:8080'
const response = await fetch(`${relay}/api/auth/acquire-session`, { method: 'POST' })
const { data: session } = await response.json()

const socket = new WebSocket(`${relay.replace('http', 'ws')}/relay`, 'semblante.v1')
const send = (message) => socket.send(JSON.stringify(message))

socket.on('open', () => send({ type: 'hello', version: 1, token: session.token }))
socket.on('message', (text) => {
  const message = JSON.parse(text.toString())
  if (message.type === 'welcome') send({ type: 'subscribe', topic: 'emotion/#' })
  if (message.type === 'error') console.error(message.error.code, message.error.message)
  if (message.type === 'message') print(message.data)
})
socket.on('close', (code) => console.error(`closed with ${code}`))

function print({ station, faces }) {
  if (faces.length === 0) console.log(`${station}: no face`)
  for (const { emotion, confidence } of faces) console.log(`${station}: ${emotion} ${Math.round(confidence * 100)} %`)
}
