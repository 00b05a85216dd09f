/** carousel_api's clients in a whole relay: on the one port and on their own, with their rights, beside native clients, in both modes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTestClient } from '#shared/testing/test-client'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'
import { openCarouselClient, type CarouselClient } from './testing/carousel-client.ts'

const OWN_PORT = { COMPAT_PORTS: '0:carousel' }
const ownUrl = ({ compatPorts }: TestRelay): string => `ws://127.0.0.1:${String(compatPorts[0]?.port)}`

/** Until it was read for the first time. */
async function waitUntilRead(client: CarouselClient): Promise<void> {
  for (;;) {
    client.send({ type: 'get_status', machine_id: 'machine_1' })
    if ((await client.next(({ type }) => type === 'machine_status' || type === 'error')).type === 'machine_status') return
    await client.next('status_broadcast')
  }
}

describe('rights', () => {
  it('[CD110] a viewer, as clients without a token are by default, looks and does not command', async () => {
    await using relay = await startTestRelay({ settings: OWN_PORT })
    using client = await openCarouselClient(ownUrl(relay))
    await waitUntilRead(client)
    client.send({ type: 'send_command', machine_id: 'machine_1', command: { command: 1, argument: 3 } })
    expect(await client.next('error')).toMatchObject({
      error: 'Error ejecutando comando: Sin permiso para esta operación',
      code: 'FORBIDDEN',
      machine_id: 'machine_1',
      cause: 'auth.forbidden',
    })
    const rest = await fetch(`${ownUrl(relay).replace('ws', 'http')}/v1/machines/machine_1/move`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"position":3}',
    })
    expect(rest.status).toBe(403)
    expect(await rest.json()).toMatchObject({ success: false, data: null, code: 'FORBIDDEN' })
  })
  it('[CD111] with COMPAT_AUTH=token nobody comes in without one', async () => {
    await using relay = await startTestRelay({ settings: { ...OWN_PORT, COMPAT_AUTH: 'token' } })
    await expect(openCarouselClient(ownUrl(relay))).rejects.toThrow('401')
    const http = ownUrl(relay).replace('ws', 'http')
    expect((await fetch(`${http}/v1/machines`)).status).toBe(401)
    expect(await (await fetch(`${http}/v1/health`)).json()).toEqual({ status: 'ok' })
    using client = await openCarouselClient(`${ownUrl(relay)}?token=${await relay.acquireToken()}`)
    expect(await client.next(() => true)).toMatchObject({ type: 'welcome' })
  })
})

describe('places', () => {
  it('[CD112] is spoken at /carousel of the one port as well', async () => {
    await using relay = await startTestRelay()
    using client = await openCarouselClient(`ws://127.0.0.1:${String(relay.port)}/carousel`)
    expect(await client.next(() => true)).toMatchObject({ type: 'welcome', mode: 'multi-plc' })
    expect(await relay.get('/v1/machines')).toMatchObject({ status: 200 })
  })
  it('[CD113] answers a plain request to its own port', async () => {
    await using relay = await startTestRelay({ settings: OWN_PORT })
    const answer = await fetch(ownUrl(relay).replace('ws', 'http'))
    expect(await answer.json()).toEqual({ service: 'carousel_api', status: 'ok', websocket: '/carousel', rest: '/v1' })
  })
})

describe('the bus', () => {
  it('[CD114] native clients and other carousel_api clients hear what one commands', async () => {
    await using relay = await startTestRelay({ settings: { ...OWN_PORT, COMPAT_ROLE: 'operator' } })
    using client = await openCarouselClient(ownUrl(relay))
    using other = await openCarouselClient(ownUrl(relay))
    await waitUntilRead(client)
    await using native = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/relay`)
    native.send({ type: 'hello', version: 1, token: await relay.acquireToken() })
    await native.nextOf('welcome')
    native.send({ type: 'subscribe', topic: 'machine/+/command' })
    await native.nextOf('subscribed')
    client.send({ type: 'send_command', machine_id: 'machine_1', command: 2 })
    expect(await native.nextOf('message')).toMatchObject({
      topic: 'machine/machine_1/command',
      data: { machine: 'machine_1', name: 'stop', code: 2 },
    })
    expect(await other.next('command_executed')).toMatchObject({ machine_id: 'machine_1', command: 2 })
  })
})

describe('single-plc mode', () => {
  it('[CD115] is that of a carousel_api config.json', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'semblante-machines-'))
    const file = join(folder, 'config.json')
    writeFileSync(file, JSON.stringify({ ip: '192.168.1.50', port: 3200, simulator_enabled: true, api_port: 5000 }))
    try {
      await using relay = await startTestRelay({ settings: { ...OWN_PORT, COMPAT_ROLE: 'operator', MACHINES_FILE: file } })
      using client = await openCarouselClient(ownUrl(relay))
      const welcome = await client.next(() => true)
      expect(welcome).toMatchObject({ type: 'welcome', mode: 'single-plc' })
      expect(welcome).not.toHaveProperty('machines')
      await waitUntilRead(client)
      client.send({ type: 'get_status' })
      expect(await client.next('status')).toMatchObject({
        status: { status: { MODO_OPERACION: 'Modo Remoto' }, position: expect.any(Number) },
      })
      client.send({ type: 'send_command', command: 2 })
      expect(await client.next('command_result')).toMatchObject({ success: true, result: { status: { ALARMA: 'No hay alarma' } } })
      const http = ownUrl(relay).replace('ws', 'http')
      expect((await fetch(`${http}/v1/status`)).status).toBe(200)
      expect((await fetch(`${http}/v1/machines`)).status).toBe(500)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
