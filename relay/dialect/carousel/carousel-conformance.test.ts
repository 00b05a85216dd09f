/**
 * Each message of carousel_api's documents as a case, by a client that knows only a URL. Without CAROUSEL_URL (as `ws://host:8765`, of a relay whose
 * COMPAT_ROLE is operator, with its two simulated machines) it starts a whole relay of its own.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'
import { openCarouselClient, type CarouselClient } from './testing/carousel-client.ts'
import type { Told } from './testing/carousel-talk.ts'

const given = process.env['CAROUSEL_URL']
let relay: TestRelay | undefined
let url = given ?? ''

beforeAll(async () => {
  if (given === undefined) {
    relay = await startTestRelay({ settings: { COMPAT_PORTS: '0:carousel', COMPAT_ROLE: 'operator' } })
    url = `ws://127.0.0.1:${String(relay.compatPorts[0]?.port)}`
  }
  await stopMachines()
})
afterAll(() => relay?.[Symbol.asyncDispose]())

const TIMESTAMP = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const TEXT = expect.any(String)
const NUMBER = expect.any(Number)
const FLAT_WORDS = {
  READY: expect.stringMatching(/^(OK|Fallo)$/),
  RUN: expect.stringMatching(/^(Detenido|En movimiento)$/),
  MODO_OPERACION: expect.stringMatching(/^(Remoto|Manual)$/),
  ALARMA: expect.stringMatching(/^(Desactivada|Activa)$/),
}
const ALL_WORDS = {
  READY: TEXT,
  RUN: TEXT,
  MODO_OPERACION: TEXT,
  ALARMA: TEXT,
  PARADA_EMERGENCIA: TEXT,
  VFD: TEXT,
  ERROR_POSICIONAMIENTO: TEXT,
  SENTIDO_GIRO: TEXT,
}
const SHIPPED_RESULT = { status: ALL_WORDS, position: NUMBER, raw_status: NUMBER }

async function openGreeted(): Promise<CarouselClient> {
  const client = await openCarouselClient(url)
  await client.next('welcome')
  return client
}

/** Until they are read for the first time, and until somebody commands them the simulated ones move by themselves. */
async function stopMachines(): Promise<void> {
  using client = await openGreeted()
  for (const machine_id of ['machine_1', 'machine_2']) {
    for (let answer: Told | undefined; answer?.type !== 'command_result';) {
      if (answer !== undefined) await client.next('status_broadcast')
      client.send({ type: 'send_command', machine_id, command: STOP })
      answer = await client.next(isAnswer)
    }
  }
}

const STOP = 2
const isAnswer = ({ type }: Told): boolean => type === 'command_result' || type === 'error'

/** Waits until it stands still, so that it takes a command. */
async function waitUntilStill(client: CarouselClient, machineId: string): Promise<Told> {
  for (;;) {
    client.send({ type: 'get_status', machine_id: machineId })
    const status = await client.next('machine_status')
    if (status['connection_status'] === 'connected' && readWord(status, 'RUN') === 'Detenido') return status
    await client.next('status_broadcast')
  }
}

function readWord(message: Told, key: string): unknown {
  const status = message['status']
  return typeof status === 'object' && status !== null ? Object.entries(status).find(([name]) => name === key)?.[1] : undefined
}

describe('messages of the document', () => {
  it('[CD80] 1. welcome', async () => {
    using client = await openCarouselClient(url)
    const welcome = await client.next(() => true)
    expect(welcome).toMatchObject({
      type: 'welcome',
      timestamp: TIMESTAMP,
      mode: 'multi-plc',
      server_info: { version: '2.6.0', capabilities: ['status_updates', 'command_execution', 'real_time_notifications'] },
      machines: [
        { id: 'machine_1', name: 'Carrusel Principal', ip: TEXT, port: NUMBER, type: 'Simulator' },
        { id: 'machine_2', name: 'Carrusel Secundario', ip: TEXT, port: NUMBER, type: 'Simulator' },
      ],
    })
  })
  it('[CD81] 2. get_status', async () => {
    using client = await openGreeted()
    client.send({ type: 'get_status', machine_id: 'machine_1', timestamp: '2025-01-27T10:30:00.000Z' })
    expect(await client.next('machine_status')).toMatchObject({
      machine_id: 'machine_1',
      status: { ...FLAT_WORDS, ...SHIPPED_RESULT },
      position: NUMBER,
      raw_status: NUMBER,
      connection_status: expect.stringMatching(/^(connected|busy)$/),
      timestamp: TIMESTAMP,
    })
  })
  it.each([
    ['documented', 'machine_1', 32, (argument: number) => ({ command: { command: 1, argument } })],
    ['shipped', 'machine_2', 10, (argument: number) => ({ command: 1, argument })],
  ])('[CD82] 3. send_command, the %s shape', async (_shape, machine_id, positions, shape) => {
    using client = await openGreeted()
    using other = await openGreeted()
    const { position } = await waitUntilStill(client, machine_id)
    const argument = (Number(position) + 1) % positions
    client.send({ type: 'send_command', machine_id, ...shape(argument), timestamp: '2025-01-27T10:30:00.000Z' })
    expect(await client.next(isAnswer)).toMatchObject({
      type: 'command_result',
      machine_id,
      success: true,
      data: { command_sent: 1, argument, result: 'Comando ejecutado correctamente' },
      command: 1,
      argument,
      result: SHIPPED_RESULT,
      timestamp: TIMESTAMP,
    })
    expect(await other.next('command_executed')).toMatchObject({ command: 1, argument, machine_id, timestamp: TIMESTAMP })
    client.send({ type: 'send_command', machine_id, command: STOP })
    await client.next('command_result')
    expect(client.heard().filter(({ type }) => type === 'command_executed')).toEqual([])
  })
  it('[CD83] 4. subscribe to status_updates', async () => {
    using client = await openGreeted()
    const machine_ids = ['machine_1', 'machine_2']
    client.send({ type: 'subscribe', subscription_type: 'status_updates', machine_ids, timestamp: '2025-01-27T10:30:00.000Z' })
    expect(await client.next('subscription_confirmed')).toEqual({
      type: 'subscription_confirmed',
      subscription_type: 'status_updates',
      machine_ids,
      timestamp: TIMESTAMP,
    })
  })
  it('[CD84] 5. status_broadcast, unasked, of all machines', async () => {
    using client = await openGreeted()
    const entry = { status: FLAT_WORDS, position: NUMBER, raw_status: NUMBER, connection_status: TEXT }
    expect(await client.next('status_broadcast')).toMatchObject({ timestamp: TIMESTAMP, status: { machine_1: entry, machine_2: entry } })
  })
  it('[CD85] 6. error', async () => {
    using client = await openGreeted()
    client.send({ type: 'get_status', machine_id: 'invalid_machine' })
    expect(await client.next('error')).toEqual({
      type: 'error',
      error: "Error obteniendo estado: Máquina 'invalid_machine' no encontrada",
      code: 'MACHINE_NOT_FOUND',
      machine_id: 'invalid_machine',
      timestamp: TIMESTAMP,
    })
  })
  it('[CD86] subscriptions filter: command_results of one machine', async () => {
    using client = await openGreeted()
    using other = await openGreeted()
    client.send({ type: 'subscribe', subscription_type: 'command_results', machine_ids: ['machine_2'] })
    await client.next('subscription_confirmed')
    const { position } = await waitUntilStill(other, 'machine_2')
    other.send({ type: 'send_command', machine_id: 'machine_2', command: 1, argument: position })
    await other.next('command_result')
    // Nothing but what it subscribed to: whatever comes first is of that kind.
    expect(await client.next(() => true)).toMatchObject({ type: 'command_executed', machine_id: 'machine_2' })
    expect(await client.next(() => true)).toMatchObject({ type: 'command_result', machine_id: 'machine_2', success: true })
  })
  it('[CD87] subscriptions filter: all_events of one machine', async () => {
    using client = await openGreeted()
    client.send({ type: 'subscribe', subscription_type: 'all_events', machine_ids: ['machine_1'] })
    await client.next('subscription_confirmed')
    const { status } = await client.next('status_broadcast')
    expect(Object.keys(Object(status))).toEqual(['machine_1'])
  })
  it.each([
    ['MACHINE_NOT_FOUND', { type: 'send_command', machine_id: 'nowhere', command: 1, argument: 1 }],
    ['INVALID_COMMAND', { type: 'send_command', machine_id: 'machine_1', command: { command: 'move' } }],
    ['INVALID_COMMAND', { type: 'send_command', machine_id: 'machine_2', command: 1, argument: 200 }],
    ['INVALID_MESSAGE_FORMAT', '{"type":'],
    ['INVALID_MESSAGE_FORMAT', { type: 'unknown' }],
  ])('[CD88] error code %s', async (code, message) => {
    using client = await openGreeted()
    client.send(message)
    expect(await client.next('error')).toMatchObject({ code, error: TEXT, timestamp: TIMESTAMP })
    client.send({ type: 'ping' })
    expect(await client.next('pong')).toEqual({ type: 'pong', timestamp: TIMESTAMP })
  })
  it('[CD89] error code BUSY', async () => {
    using client = await openGreeted()
    const { position } = await waitUntilStill(client, 'machine_1')
    client.send({ type: 'send_command', machine_id: 'machine_1', command: 1, argument: (Number(position) + 16) % 32 })
    await client.next('command_result')
    client.send({ type: 'send_command', machine_id: 'machine_1', command: 1, argument: 1 })
    expect(await client.next('error')).toMatchObject({ code: 'BUSY', machine_id: 'machine_1' })
    client.send({ type: 'send_command', machine_id: 'machine_1', command: STOP })
    expect(await client.next('command_result')).toMatchObject({ success: true, command: STOP })
  })
})

describe('messages only the server knew', () => {
  it('[CD90] get_status without machine_id', async () => {
    using client = await openGreeted()
    client.send({ type: 'get_status' })
    expect(await client.next('all_machines_status')).toMatchObject({
      timestamp: TIMESTAMP,
      status: { machine_1: SHIPPED_RESULT, machine_2: SHIPPED_RESULT },
    })
  })
  it('[CD91] ping', async () => {
    using client = await openGreeted()
    client.send({ type: 'ping', timestamp: '2025-01-27T10:30:00.000Z' })
    expect(await client.next('pong')).toEqual({ type: 'pong', timestamp: TIMESTAMP })
  })
  it('[CD92] any path, and a message of almost 1 MiB', async () => {
    using client = await openCarouselClient(`${url}/any/path`)
    await client.next('welcome')
    client.send({ type: 'ping', padding: 'x'.repeat(1024 * 1024 - 64) })
    await client.next('pong')
  })
  it('[CD93] a message over 1 MiB: an error, then 1009', async () => {
    using client = await openGreeted()
    client.send({ type: 'ping', padding: 'x'.repeat(1024 * 1024) })
    expect(await client.next('error')).toMatchObject({ code: 'INVALID_MESSAGE_FORMAT' })
    expect(await client.closed).toBe(1009)
  })
})

describe('its REST API', () => {
  const at = (path: string): string => `${url.replace(/^ws/, 'http')}${path}`
  const ask = async (path: string, body?: object): Promise<{ status: number; body: unknown }> => {
    const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await fetch(at(path), init)
    return { status: response.status, body: JSON.parse(await response.text()) }
  }

  it('[CD94] GET /v1/health', async () => {
    expect(await ask('/v1/health')).toMatchObject({ status: 200, body: { status: 'ok', mode: 'multi-plc', health: { total_machines: 2 } } })
  })
  it('[CD95] GET /v1/machines', async () => {
    const data = [
      { id: 'machine_1', name: 'Carrusel Principal' },
      { id: 'machine_2', name: 'Carrusel Secundario' },
    ]
    expect(await ask('/v1/machines')).toMatchObject({ status: 200, body: { success: true, data, error: null, code: null } })
  })
  it('[CD96] GET /v1/machines/{id}/status', async () => {
    expect(await ask('/v1/machines/machine_1/status')).toMatchObject({
      status: 200,
      body: {
        success: true,
        data: { ...SHIPPED_RESULT, raw_status_bin: expect.stringMatching(/^[01]{8}$/), timestamp: NUMBER },
        error: null,
        code: null,
      },
    })
  })
  it('[CD97] POST /v1/machines/{id}/move, and 409 PLC_BUSY while it moves', async () => {
    using client = await openGreeted()
    const { position } = await waitUntilStill(client, 'machine_1')
    const target = (Number(position) + 16) % 32
    expect(await ask('/v1/machines/machine_1/move', { position: target })).toMatchObject({ status: 200, body: { success: true } })
    expect(await ask('/v1/machines/machine_1/move', { position: 0 })).toMatchObject({
      status: 409,
      body: { success: false, data: null, code: 'PLC_BUSY' },
    })
    expect(await ask('/v1/machines/machine_1/command', { command: STOP })).toMatchObject({ status: 200, body: { success: true } })
  })
  it('[CD98] 400, 404, 413 and 500 as they were', async () => {
    expect(await ask('/v1/machines/machine_1/move', { position: 99 })).toMatchObject({ status: 400, body: { code: 'BAD_COMMAND' } })
    expect(await ask('/v1/machines/nowhere/status')).toMatchObject({
      status: 404,
      body: { code: 'BAD_REQUEST', error: "Máquina 'nowhere' no encontrada" },
    })
    expect(await ask('/v1/command', { command: 1, padding: 'x'.repeat(2048) })).toEqual({
      status: 413,
      body: { error: 'Payload demasiado grande' },
    })
    expect(await ask('/v1/status')).toMatchObject({ status: 500, body: { code: 'PLC_CONN_ERROR' } })
    expect(await ask('/v1/command', { command: 1 })).toMatchObject({ status: 500, body: { code: 'INTERNAL_ERROR' } })
  })
})
