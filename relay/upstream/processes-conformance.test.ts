/**
 * Each message of the document about Wippy's WebSocket relay as a case, by a client, a backend and processes that know only a URL. With
 * PROCESSES_URL (as `http://127.0.0.1:8080`, of a relay whose UPSTREAMS is `/ws/app=http://127.0.0.1:9000`) and PROCESSES_TOKEN (its ADMIN_TOKEN)
 * it asks that relay and is itself the backend; PROCESSES_BACKEND_PORT where that is not 9000. Without them it starts a whole relay of its own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readObject } from '#shared/protocol/socket-control'
import {
  openBackend,
  openClient,
  openProcess,
  openWorld,
  refusedUpgrade,
  type Backend,
  type Client,
  type Place,
  type RemoteProcess,
  type World,
} from './testing/process-world.ts'

const given = process.env['PROCESSES_URL']
const token = process.env['PROCESSES_TOKEN']
let own: World | undefined
let backend: Backend
let relay: Place
let url: string

beforeAll(async () => {
  if (given === undefined) {
    own = await openWorld()
    ;({ backend, relay, url } = own)
  } else {
    const { hostname, port } = new URL(given)
    relay = { host: hostname, port: Number(port) }
    url = `ws://${hostname}:${port}/ws/app`
    backend = await openBackend(Number(process.env['PROCESSES_BACKEND_PORT'] ?? 9000))
  }
})
afterAll(() => (own ?? backend)[Symbol.asyncDispose]())

interface Talk {
  readonly process: RemoteProcess
  readonly client: Client
  /** The client's. */
  readonly pid: string
}

async function openTalk(header: object = {}): Promise<Talk> {
  const process = await openProcess(relay, token)
  backend.handTo({ target_pid: process.pid, ...header })
  const client = await openClient(url)
  const joined = await process.inbox.next()
  expect(joined.topic).toBe('ws.join')
  return { process, client, pid: String(readObject(joined.payload)?.client_pid) }
}

describe('the header X-WS-Relay', () => {
  it('[WC1] all fields, as the document shows them', async () => {
    const header = { message_topic: 'ws.message', heartbeat_interval: '30s', metadata: { user_id: '7' } }
    const { process, client, pid } = await openTalk(header)
    client.socket.send('{"a":1}')
    expect(await process.inbox.next()).toMatchObject({
      topic: 'ws.message',
      payload: { client_pid: pid, type: 'text', data: '{"a":1}', metadata: { user_id: '7' } },
    })
  })
  it('[WC2] a message_topic of its own', async () => {
    const { process, client } = await openTalk({ message_topic: 'chat.line' })
    client.socket.send('x')
    expect((await process.inbox.next()).topic).toBe('chat.line')
  })
  it('[WC3] no header: no socket, the plain answer', async () => {
    backend.answer = (_request, response) => void response.writeHead(404).end('nothing here')
    expect(await refusedUpgrade(url)).toMatchObject({ status: 404, body: 'nothing here' })
  })
  it('[WC4] no origins configured: pages of the same host only', async () => {
    const process = await openProcess(relay, token)
    backend.handTo({ target_pid: process.pid })
    expect((await refusedUpgrade(url, { origin: 'https://app.example.com' })).status).toBe(403)
    const client = await openClient(url, { headers: { origin: `http://${relay.host ?? '127.0.0.1'}:${String(relay.port)}` } })
    client.socket.close()
  })
})

describe('what the process is told', () => {
  it('[WC5] ws.join and ws.leave with client_pid and metadata', async () => {
    const { process, client, pid } = await openTalk({ metadata: { room: 1 } })
    expect(pid).toMatch(/^\{[^|]+\|.+\}$/)
    client.socket.close()
    const left = await process.inbox.next()
    expect(left).toMatchObject({ topic: 'ws.leave', payload: { client_pid: pid, metadata: { room: 1 } } })
    expect(readObject(left.payload)?.reason).toEqual(expect.any(String))
  })
  it('[WC6] ws.message with the type binary', async () => {
    const { process, client, pid } = await openTalk()
    client.socket.send(Buffer.from('ÿ', 'latin1'))
    expect((await process.inbox.next()).payload).toEqual({ client_pid: pid, type: 'binary', data: '/w==', encoding: 'base64' })
  })
  it('[WC7] ws.heartbeat with uptime and message_count', async () => {
    const { process, pid } = await openTalk({ heartbeat_interval: '100ms' })
    const { topic, payload } = await process.inbox.next()
    expect([topic, payload]).toEqual(['ws.heartbeat', { client_pid: pid, uptime: expect.stringMatching(/^[\d.]+m?s$/), message_count: 0 }])
  })
})

describe('what the client is told', () => {
  it('[WC8] ws.send text and binary', async () => {
    const { process, client, pid } = await openTalk()
    process.send(pid, 'ws.send', { type: 'text', data: '{"event":"update","value":42}' })
    process.send(pid, 'ws.send', { type: 'binary', data: Buffer.from([1, 2, 3]).toString('base64') })
    expect(await client.frames.next()).toBe('{"event":"update","value":42}')
    expect(await client.frames.next()).toEqual(Buffer.from([1, 2, 3]))
  })
  it('[WC9] ws.close with code and reason', async () => {
    const { process, client, pid } = await openTalk()
    process.send(pid, 'ws.close', { code: 1000, reason: 'Sesion terminada' })
    expect(await client.closed).toEqual({ code: 1000, reason: 'Sesion terminada' })
  })
  it('[WC10] the same to many: each client a process knows', async () => {
    const { process, client, pid } = await openTalk()
    const second = await openClient(url)
    const other = String(readObject((await process.inbox.next()).payload)?.client_pid)
    for (const each of [pid, other]) process.send(each, 'ws.send', { type: 'text', data: 'to all' })
    expect([await client.frames.next(), await second.frames.next()]).toEqual(['to all', 'to all'])
  })
  it('[WC11] the end of the process closes the socket', async () => {
    const { process, client } = await openTalk()
    process.close()
    expect(await client.closed).toEqual({ code: 1000, reason: 'target process exited' })
  })
})

describe('sockets as processes', () => {
  it('[WC12] ws.control hands the socket to another process', async () => {
    const { process, client, pid } = await openTalk({ metadata: { m: 1 } })
    const next = await openProcess(relay, token)
    process.send(pid, 'ws.control', { target_pid: next.pid, message_topic: 'ws.message' })
    expect(await process.inbox.next()).toMatchObject({ topic: 'ws.leave', payload: { client_pid: pid } })
    expect(await next.inbox.next()).toMatchObject({ topic: 'ws.join', payload: { client_pid: pid, metadata: { m: 1 } } })
    client.socket.send('to the next')
    expect(readObject((await next.inbox.next()).payload)?.data).toBe('to the next')
  })
  it('[WC13] any process sends to a PID, monitors it and is told EXIT', async () => {
    const { client, pid } = await openTalk()
    const other = await openProcess(relay, token)
    await other.request('monitor', { pid })
    other.send(pid, 'ws.send', { type: 'text', data: 'hello' })
    expect(await client.frames.next()).toBe('hello')
    client.socket.close()
    expect((await other.inbox.next()).payload).toEqual({ kind: 'EXIT', from: pid, result: { value: 'websocket connection closed' } })
  })
  it('[WC14] a linked process is told of an abnormal end', async () => {
    const [one, other] = [await openProcess(relay, token), await openProcess(relay, token)]
    await one.request('link', { pid: other.pid })
    other.terminate()
    expect((await one.inbox.next()).payload).toMatchObject({ kind: 'LINK_DOWN', from: other.pid })
  })
})
