/** Each address of carousel_api's REST API, with its statuses, codes and texts. */
import { describe, expect, it } from 'vitest'
import { fail } from '#shared/protocol/errors'
import { createStatus, ONE_MACHINE } from './testing/carousel-talk.ts'
import { createRestTalk } from './testing/rest-talk.ts'

const STATUS_DATA = {
  status: {
    READY: 'El equipo está listo para operar',
    RUN: 'El equipo no se está posicionando',
    MODO_OPERACION: 'Modo Remoto',
    ALARMA: 'No hay alarma',
    PARADA_EMERGENCIA: 'Sin parada de emergencia',
    VFD: 'El variador de velocidad está OK',
    ERROR_POSICIONAMIENTO: 'No hay error de posicionamiento',
    SENTIDO_GIRO: 'Ascendente',
  },
  position: 15,
  raw_status: 21,
  raw_status_bin: '10101000',
  timestamp: 1_699_999_999,
  machine_id: 'machine_1',
  connection_status: 'connected',
}
const MOVED = { position: 15, raw_status: 23, state: 'running', command_id: 'k1' }
const LOST = createStatus({ quality: 'stale', connection: 'disconnected', reason: 'timeout' })
const refusal = (error: string, code: string): object => ({ success: false, data: null, error, code })

describe('one machine', () => {
  const single = (): ReturnType<typeof createRestTalk> => createRestTalk({ list: ONE_MACHINE })

  it('[CD50] GET /v1/status answers in the envelope, with the fields of the deployed branch beside', async () => {
    expect(await single().get('/v1/status')).toMatchObject({
      status: 200,
      body: { success: true, data: STATUS_DATA, error: null, code: null },
    })
  })
  it('[CD51] GET /v1/status of a machine that cannot be read is PLC_CONN_ERROR', async () => {
    const talk = createRestTalk({ list: ONE_MACHINE, statuses: [LOST] })
    const text = 'Error de comunicación con el PLC: Fallo en comunicación PLC: timeout'
    expect(await talk.get('/v1/status')).toMatchObject({ status: 500, body: refusal(text, 'PLC_CONN_ERROR') })
  })
  it('[CD52] POST /v1/command commands the one', async () => {
    const talk = single()
    expect(await talk.post('/v1/command', { command: 1, argument: 3 })).toMatchObject({ status: 200, body: { success: true, data: MOVED } })
    expect(talk.asked).toMatchObject([{ to: 'machine/machine_1', method: 'command', data: { code: 1, argument: 3 } }])
  })
  it('[CD53] POST /v1/command with 0 reads and commands nothing', async () => {
    const talk = single()
    expect(await talk.post('/v1/command', { command: 0 })).toMatchObject({ status: 200, body: { data: STATUS_DATA } })
    expect(talk.asked).toMatchObject([{ to: 'machines', method: 'status' }])
  })
  it('[CD54] has no /v1/machines: that is how clients tell the modes apart', async () => {
    for (const path of ['/v1/machines', '/v1/machines/machine_1/status']) {
      expect(await single().get(path)).toMatchObject({ status: 500, body: { success: false, code: 'INTERNAL_ERROR' } })
    }
  })
  it('[CD55] GET /v1/health is not in the envelope', async () => {
    expect((await single().get('/v1/health')).body).toEqual({ status: 'ok', mode: 'single-plc' })
  })
})

describe('several machines', () => {
  it('[CD56] GET /v1/machines lists them as the welcome does', async () => {
    expect(await createRestTalk().get('/v1/machines')).toMatchObject({
      status: 200,
      body: {
        success: true,
        data: [
          { id: 'machine_1', name: 'Carrusel Principal', ip: '192.168.1.50', port: 3200, type: 'Real PLC', status: 'available' },
          { id: 'machine_2', name: 'Carrusel Secundario', type: 'Simulator', status: 'available' },
        ],
      },
    })
  })
  it('[CD57] GET /v1/machines/{id}/status answers as /v1/status', async () => {
    expect(await createRestTalk().get('/v1/machines/machine_1/status')).toMatchObject({ status: 200, body: { data: STATUS_DATA } })
  })
  it('[CD58] POST /v1/machines/{id}/command commands it', async () => {
    const talk = createRestTalk()
    const answer = await talk.post('/v1/machines/machine_2/command', { command: 2 })
    expect(answer).toMatchObject({ status: 200, body: { data: MOVED } })
    expect(talk.asked).toMatchObject([{ to: 'machine/machine_2', method: 'command', data: { code: 2 } }])
  })
  it('[CD59] POST /v1/machines/{id}/move moves it', async () => {
    const talk = createRestTalk()
    expect(await talk.post('/v1/machines/machine_1/move', { position: 31 })).toMatchObject({ status: 200, body: { data: MOVED } })
    expect(talk.asked).toMatchObject([{ to: 'machine/machine_1', method: 'move', data: { position: 31 } }])
  })
  it('[CD60] an unknown machine is 404 BAD_REQUEST', async () => {
    const talk = createRestTalk()
    const expected = { status: 404, body: refusal("Máquina 'machine 9' no encontrada", 'BAD_REQUEST') }
    expect(await talk.get('/v1/machines/machine%209/status')).toMatchObject(expected)
    expect(await talk.post('/v1/machines/machine%209/command', { command: 1 })).toMatchObject(expected)
    expect(await talk.post('/v1/machines/machine%209/move', { position: 1 })).toMatchObject(expected)
  })
  it('[CD61] /v1/status and /v1/command are errors, each with the code it had', async () => {
    const talk = createRestTalk()
    expect(await talk.get('/v1/status')).toMatchObject({ status: 500, body: { code: 'PLC_CONN_ERROR' } })
    expect(await talk.post('/v1/command', { command: 1 })).toMatchObject({ status: 500, body: { code: 'INTERNAL_ERROR' } })
  })
  it.each([
    ['healthy', [createStatus(), createStatus({ machine: 'machine_2' })], 2],
    ['degraded', [createStatus(), createStatus({ ...LOST, machine: 'machine_2' })], 1],
    ['critical', [LOST, createStatus({ ...LOST, machine: 'machine_2' })], 0],
  ])('[CD62] GET /v1/health says %s', async (overall_status, statuses, healthy) => {
    const { body } = await createRestTalk({ statuses }).get('/v1/health')
    expect(body).toMatchObject({
      status: 'ok',
      mode: 'multi-plc',
      health: { overall_status, total_machines: 2, healthy_machines: healthy, unhealthy_machines: 2 - healthy },
    })
  })
  it('[CD63] GET /v1/health tells the position of a healthy machine and the error of another', async () => {
    const { body } = await createRestTalk({ statuses: [createStatus(), { ...LOST, machine: 'machine_2' }] }).get('/v1/health')
    const last_check = '2023-11-14T22:13:19.000Z'
    expect(body).toHaveProperty('health.machines', {
      machine_1: { status: 'healthy', last_check, position: 15 },
      machine_2: { status: 'unhealthy', last_check, error: 'Fallo en comunicación PLC: timeout' },
    })
  })
})

describe('what the client gets wrong', () => {
  const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }
  it.each([
    ['text that is no JSON', '{', JSON_TYPE],
    ['JSON that is no object', '[]', JSON_TYPE],
    ['JSON that does not say so', '{"command":1}', { 'content-type': 'text/plain' }],
    ['JSON of no kind', '{"command":1}', {}],
  ])('[CD64] %s is 400 BAD_REQUEST, and nothing is commanded', async (_what, body, headers) => {
    const talk = createRestTalk({ list: ONE_MACHINE })
    expect(await talk.post('/v1/command', body, headers)).toMatchObject({
      status: 400,
      body: refusal('Solicitud debe ser JSON', 'BAD_REQUEST'),
    })
    expect(talk.asked).toEqual([])
  })
  it.each([
    ['/v1/machines/machine_1/command', {}, "El parámetro 'command' debe ser un entero entre 0 y 255"],
    ['/v1/machines/machine_1/command', { command: '1' }, "El parámetro 'command' debe ser un entero entre 0 y 255"],
    ['/v1/machines/machine_1/command', { command: 256 }, "El parámetro 'command' debe ser un entero entre 0 y 255"],
    ['/v1/machines/machine_1/command', { command: 1, argument: -1 }, "El parámetro 'argument' debe ser un entero entre 0 y 255"],
    ['/v1/machines/machine_2/move', { position: 10 }, "El parámetro 'position' debe ser un entero entre 0 y 9"],
    ['/v1/machines/machine_2/move', {}, "El parámetro 'position' debe ser un entero entre 0 y 9"],
    ['/v1/machines/machine_1/move', { position: 32 }, "El parámetro 'position' debe ser un entero entre 0 y 31"],
  ])('[CD65] %s %j is 400 BAD_COMMAND', async (path, body, text) => {
    const talk = createRestTalk()
    expect(await talk.post(path, body)).toMatchObject({ status: 400, body: refusal(text, 'BAD_COMMAND') })
    expect(talk.asked).toEqual([])
  })
  it('[CD66] a body over 2 KiB is 413, not in the envelope', async () => {
    const talk = createRestTalk()
    const large = { command: 1, padding: 'x'.repeat(2048) }
    expect(await talk.post('/v1/machines/machine_1/command', large)).toMatchObject({
      status: 413,
      body: { error: 'Payload demasiado grande' },
    })
  })
  it('[CD67] an address that is none is 404, a wrong method 405', async () => {
    const talk = createRestTalk()
    for (const path of [
      '/v1/machines/machine_1',
      '/v1/machines/machine_1/dance',
      '/v1/machines//status',
      '/v1/machines/%ZZ/status',
      '/v1/machines/a/status/b',
    ]) {
      expect(await talk.get(path), path).toMatchObject({ status: 404, body: { code: 'BAD_REQUEST' } })
    }
    expect(await talk.get('/v1/machines/machine_1/command')).toMatchObject({ status: 405, headers: { allow: 'POST' } })
    expect(await talk.post('/v1/machines/machine_1/status', {})).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  })
})

describe('what goes wrong', () => {
  it.each([
    ['machine.busy', 409, 'PLC_BUSY', 'PLC ocupado, intente de nuevo en unos segundos'],
    ['machine.moving', 409, 'PLC_BUSY', 'PLC en movimiento'],
    ['machine.reserved', 409, 'PLC_BUSY', 'PLC ocupado por otro proceso, intente de nuevo en unos segundos'],
    ['machine.unreachable', 500, 'INTERNAL_ERROR', 'Error al procesar el comando: Fallo en comunicación PLC'],
    ['machine.invalid_command', 400, 'BAD_COMMAND', 'Comando o argumento inválido.'],
    ['auth.forbidden', 403, 'FORBIDDEN', 'Sin permiso para esta operación'],
  ] as const)('[CD68] %s after a command is %i %s', async (ours, status, code, text) => {
    const talk = createRestTalk({ list: ONE_MACHINE, command: fail(ours, 'In our words.') })
    const answer = await talk.post('/v1/command', { command: 1, argument: 3 })
    expect(answer).toMatchObject({ status, body: { ...refusal(text, code), cause: ours, hint: 'In our words.' } })
  })
  it('[CD77] a machine that cannot be asked how it is is PLC_CONN_ERROR', async () => {
    const answer = await createRestTalk({ failure: 'request.deadline_passed' }).get('/v1/status')
    const text = 'Error de comunicación con el PLC: Fallo en comunicación PLC: sin respuesta a tiempo'
    expect(answer).toMatchObject({ status: 500, body: refusal(text, 'PLC_CONN_ERROR') })
  })
  it('[CD69] names the machine that could not be moved', async () => {
    const talk = createRestTalk({ command: fail('machine.not_confirmed', 'In our words.') })
    const answer = await talk.post('/v1/machines/machine_1/move', { position: 3 })
    expect(answer).toMatchObject({
      status: 500,
      body: { code: 'INTERNAL_ERROR', error: expect.stringMatching(/^Error moviendo machine_1: /) },
    })
  })
  it('[CD70] says at the door in its envelope who may not come in', () => {
    const talk = createRestTalk()
    expect(talk.refuse('/v1/command', 'auth.token_missing')).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: refusal('Autenticación requerida', 'UNAUTHORIZED'),
    })
    expect(talk.refuse('/v1/machines', 'rate.limited')).toMatchObject({ status: 429 })
  })
  it('[CD71] lives for probes without a token, and tells them nothing of the machines', () => {
    const talk = createRestTalk()
    expect(talk.refuse('/v1/health', 'auth.token_missing')).toMatchObject({ status: 200, body: { status: 'ok' } })
    expect(talk.refuse('/v1/health', 'server.draining')).toMatchObject({ status: 503 })
  })
  it('[CD72] lives where the machines cannot be listed', async () => {
    expect(await createRestTalk({ failure: 'request.unknown_target' }).get('/v1/health')).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    })
  })
})
