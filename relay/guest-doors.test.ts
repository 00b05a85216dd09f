/**
 * The doors that clients without a token may come in by, on a whole relay: what a web page of another origin gets there, how many guests one
 * address may be, TLS on ports of their own, and that stopping waits for none of them.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { request } from 'node:https'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { expectRefusal, openTestClient } from '#shared/testing/test-client'
import { startTestRelay } from './testing/test-relay.ts'
import { TLS_FILES } from './transport/transport-contract/contract-kit.ts'

const FOREIGN = ['https://elsewhere.example', 'null'] as const
const OPEN = { COMPAT_AUTH: 'none', COMPAT_ROLE: 'operator', COMPAT_PORTS: '0:carousel,0:vision,0:event,0:agent' }

function* everyPort({ port, compatPorts }: { readonly port: number; readonly compatPorts: readonly { readonly port: number }[] }) {
  yield port
  for (const compat of compatPorts) yield compat.port
}

describe('pages of other origins', () => {
  it.each(FOREIGN)('[GD1] open no socket of any older system from %s', async (origin) => {
    await using relay = await startTestRelay({ settings: OPEN })
    const paths = [
      '/carousel',
      '/vision',
      '/ws',
      '/ws/agent/a',
      '/relay',
      '/socket.io/?EIO=4&transport=websocket',
      '/ws/?EIO=4&transport=websocket',
    ]
    for (const port of everyPort(relay)) {
      for (const path of paths) {
        const refusal = await expectRefusal(`ws://127.0.0.1:${String(port)}${path}`, { headers: { origin } })
        expect([port, path, refusal.status]).toEqual([port, path, 403])
      }
    }
    for (const { port } of relay.compatPorts) {
      expect((await expectRefusal(`ws://127.0.0.1:${String(port)}/`, { headers: { origin } })).status).toBe(403)
    }
    expect(relay.relay.measure().connections).toBe(0)
  })
  it.each(FOREIGN)(
    '[GD2] poll no Socket.IO and ask nothing over plain HTTP from %s, also where no preflight comes first',
    async (origin) => {
      await using relay = await startTestRelay({ settings: OPEN })
      const asked: [string, string][] = [
        ['GET', '/socket.io/?EIO=4&transport=polling'],
        ['GET', '/v1/status'],
        ['POST', '/v1/command'],
        ['POST', '/v1/machines/machine_1/move'],
        ['POST', '/api/v1/predict'],
        ['POST', '/api/ai/chat'],
        ['POST', '/api/auth/acquire-session'],
      ]
      for (const port of everyPort(relay)) {
        for (const [method, path] of asked) {
          const body = method === 'POST' ? { body: '{"command":1,"argument":3}' } : {}
          const headers = { origin, 'content-type': 'text/plain' }
          const answer = await fetch(`http://127.0.0.1:${String(port)}${path}`, { method, headers, ...body })
          expect([port, path, answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([port, path, 403, null])
        }
      }
    },
  )
  it('[GD3] command nothing with what a page may send unasked: a body that says it is no JSON', async () => {
    await using relay = await startTestRelay({ settings: OPEN })
    const ask = (type: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${String(relay.port)}/v1/machines/machine_1/move`, {
        ...{ method: 'POST', headers: { 'content-type': type }, body: '{"position":300}' },
      })
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain; application/json',
    ]) {
      expect(await (await ask(type)).json()).toMatchObject({ code: 'BAD_REQUEST' })
    }
    expect(await (await ask('application/json')).json()).toMatchObject({ code: 'BAD_COMMAND' })
  })
})

it('[GD4] guests are somebody else each, so the bound of one address holds for them, on all ports together', async () => {
  await using relay = await startTestRelay({ settings: { ...OPEN, CONNECTIONS_PER_USER: '1', CONNECTIONS_PER_ADDRESS: '3' } })
  const [first, second, third, fourth] = [relay.port, ...relay.compatPorts.map(({ port }) => port)].map(
    (port) => `ws://127.0.0.1:${String(port)}`,
  )
  await using one = await openTestClient(`${String(first)}/carousel`)
  await using two = await openTestClient(String(second))
  await using three = await openTestClient(String(third))
  expect((await expectRefusal(`${String(fourth)}/carousel`)).status).toBe(429)
  for (const { socket } of [one, two, three]) expect(socket.readyState).toBe(WebSocket.OPEN)
  expect(relay.relay.measure().connections).toBe(3)
})

it('[GD5] ports of older systems speak TLS where the relay does', async () => {
  const settings = { ...OPEN, TLS_CERT: TLS_FILES.certFile, TLS_KEY: TLS_FILES.keyFile }
  await using relay = await startTestRelay({ settings })
  for (const { port } of relay.compatPorts) {
    const status = await new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path: '/health', rejectUnauthorized: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode)
      })
      asked.on('error', reject).end()
    })
    expect(status).toBe(200)
    await expect(fetch(`http://127.0.0.1:${String(port)}/health`)).rejects.toThrow()
  }
})

it('[GD6] stopping waits for no Socket.IO client that polls, nor for one that polls no more', async () => {
  const relay = await startTestRelay({ settings: { ...OPEN, DRAIN_SECONDS: '1' } })
  const at = `http://127.0.0.1:${String(relay.port)}/socket.io/?EIO=4&transport=polling&token=${await relay.acquireToken()}`
  const open = async (): Promise<string> => {
    const { sid }: { sid: string } = JSON.parse((await (await fetch(at)).text()).slice(1))
    await fetch(`${at}&sid=${sid}`, { method: 'POST', body: '40' })
    return sid
  }
  const [polling, silent] = [await open(), await open()]
  expect(silent).not.toBe(polling)
  await (await fetch(`${at}&sid=${polling}`)).text()
  const last = fetch(`${at}&sid=${polling}`).then((answer) => answer.text())
  await relay.relay.stop()
  expect(await last).toMatch(/draining|1$/)
  expect(relay.relay.measure().connections).toBe(0)
})

it('[GD7] stopping waits for no backend and no chat server that does not answer', async () => {
  let asked = 0
  const mute = createServer(() => {
    asked += 1
  }).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  const address = mute.address()
  const url = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}`
  const relay = await startTestRelay({
    settings: { ...OPEN, DRAIN_SECONDS: '1', UPSTREAMS: `/ws/app=${url}`, ASSISTANT_URL: url, ASSISTANT_MODEL: 'm' },
  })
  const host = `127.0.0.1:${String(relay.port)}`
  const headers = { authorization: `Bearer ${await relay.acquireToken()}`, 'content-type': 'application/json' }
  const asking = [
    fetch(`http://${host}/ws/app/plain`),
    openTestClient(`ws://${host}/ws/app/socket`),
    fetch(`http://${host}/api/ai/chat`, { method: 'POST', headers, body: '{"message":"hello"}' }),
  ]
  while (asked < asking.length) await new Promise((resolve) => setImmediate(resolve))
  const [plain, socket, chat] = await Promise.all([Promise.allSettled(asking), relay.relay.stop()]).then(([ended]) => ended)
  expect([plain?.status, socket?.status]).toEqual(['rejected', 'rejected'])
  expect(chat).toBeDefined()
  mute.closeAllConnections()
  mute.close()
})
