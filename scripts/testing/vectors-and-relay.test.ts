/** The golden vectors against the real relay, over a plain WebSocket as a stranger's client would send them. */
import { readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { acquireToken } from '#shared/client/acquire-session'
import { RELAY_PATH, SUBPROTOCOL } from '#shared/protocol/protocol'
import { openRealRelay, type RealRelay } from './real-relay.ts'

interface Vector {
  readonly name: string
  readonly frame?: { readonly type: string }
  readonly text?: string
  readonly base64?: string
  readonly sizeBytes?: number
  readonly code: string
  readonly field?: string
}

const FOLDER = new URL('../../shared/protocol/vectors/', import.meta.url)
const read = (file: string) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
const files: { message?: string; direction?: string; invalid: Vector[] }[] = readdirSync(FOLDER)
  .filter((name) => name.startsWith('message-') || name === 'frames.json')
  .map(read)
const invalid = files
  .filter(({ direction }) => direction !== 'to-client')
  .flatMap(({ message, invalid }) => invalid.map((vector) => ({ ...vector, title: `${message ?? 'frame'}: ${vector.name}` })))

let relay: RealRelay
let token: string

beforeAll(async () => {
  relay = await openRealRelay()
  token = await acquireToken(relay.url)
})
afterAll(async () => {
  await relay[Symbol.asyncDispose]()
})

async function nextFrame(socket: WebSocket): Promise<unknown> {
  const [data] = await once(socket, 'message')
  return JSON.parse(String(data))
}

/** An open session, or before the hello where that is what a vector is about. */
async function openSocket(isWelcomed: boolean): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(relay.port)}${RELAY_PATH}`, SUBPROTOCOL)
  await once(socket, 'open')
  if (!isWelcomed) return socket
  socket.send(JSON.stringify({ type: 'hello', version: 1, token }))
  expect(await nextFrame(socket)).toMatchObject({ type: 'welcome' })
  return socket
}

function toFrame({ frame, text, base64, sizeBytes }: Vector): string | Buffer {
  if (base64 !== undefined) return Buffer.from(base64, 'base64')
  if (sizeBytes !== undefined) return 'x'.repeat(sizeBytes)
  return text ?? JSON.stringify(frame)
}

describe('the relay', () => {
  it.each(invalid)('[VR1] refuses $title', async (vector) => {
    const socket = await openSocket(vector.frame?.type !== 'hello')
    socket.send(toFrame(vector))
    const answer = await nextFrame(socket)
    expect(answer).toMatchObject({ type: 'error', error: { code: vector.code } })
    if (vector.field !== undefined) expect(answer).toMatchObject({ error: { field: vector.field } })
    socket.terminate()
  })

  it('[VR2] lives on after refusing: the same connection and others still work', async () => {
    const [one, other] = await Promise.all([openSocket(true), openSocket(true)])
    one.send('nonsense')
    expect(await nextFrame(one)).toMatchObject({ type: 'error' })
    for (const socket of [one, other]) {
      socket.send('{"type":"ping","id":"still here"}')
      expect(await nextFrame(socket)).toMatchObject({ type: 'pong', id: 'still here' })
      socket.terminate()
    }
  })
})
