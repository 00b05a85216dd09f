/** Each message of carousel_api's document, and each that only its server knew, against a bus in hand. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  MACHINE_1,
  MACHINE_2,
  createCarouselTalk,
  createStatus,
  createStep,
  NOW_TEXT,
  ONE_MACHINE,
  TWO_MACHINES,
  type Told,
} from './testing/carousel-talk.ts'

const LONG_WORDS = {
  READY: 'El equipo está listo para operar',
  RUN: 'El equipo no se está posicionando',
  MODO_OPERACION: 'Modo Remoto',
  ALARMA: 'No hay alarma',
  PARADA_EMERGENCIA: 'Sin parada de emergencia',
  VFD: 'El variador de velocidad está OK',
  ERROR_POSICIONAMIENTO: 'No hay error de posicionamiento',
  SENTIDO_GIRO: 'Ascendente',
}
const DOCUMENTED_WORDS = { READY: 'OK', RUN: 'Detenido', MODO_OPERACION: 'Remoto', ALARMA: 'Desactivada' }

describe('the beginning', () => {
  it('[CD1] greets with what the document shows, and what its server added, before anything else', () => {
    const talk = createCarouselTalk()
    expect(talk.told).toEqual([
      {
        type: 'welcome',
        timestamp: NOW_TEXT,
        mode: 'multi-plc',
        server_info: {
          version: '2.6.0',
          capabilities: ['status_updates', 'command_execution', 'real_time_notifications'],
          server: 'semblante/test',
        },
        machines: [
          {
            id: 'machine_1',
            name: 'Carrusel Principal',
            ip: '192.168.1.50',
            port: 3200,
            type: 'Real PLC',
            status: 'available',
            positions: 32,
          },
          {
            id: 'machine_2',
            name: 'Carrusel Secundario',
            ip: '192.168.1.51',
            port: 3200,
            type: 'Simulator',
            status: 'available',
            positions: 10,
          },
        ],
      },
    ])
  })
  it('[CD76] shows a machine that is simulated without an address at this machine, and what its operator wrote of one', () => {
    const described = { ...MACHINE_2, address: undefined, description: 'Al fondo' }
    const [welcome] = createCarouselTalk({ list: { ...TWO_MACHINES, machines: [described] } }).told
    expect(welcome).toMatchObject({ machines: [{ ip: '127.0.0.1', port: 0, type: 'Simulator', description: 'Al fondo' }] })
  })
  it('[CD2] greets as single-plc, without machines, where there is one', () => {
    const [welcome] = createCarouselTalk({ list: ONE_MACHINE }).told
    expect(welcome).toMatchObject({ type: 'welcome', mode: 'single-plc' })
    expect(welcome).not.toHaveProperty('machines')
  })
  it('[CD3] answers what came before the machines were known after the welcome, in order', () => {
    const talk = createCarouselTalk({ isListHeld: true })
    talk.send({ type: 'ping' })
    talk.send({ type: 'get_status', machine_id: 'machine_1' })
    expect(talk.told).toEqual([])
    talk.reply(TWO_MACHINES)
    expect(talk.told.map(({ type }) => type)).toEqual(['welcome', 'pong', 'machine_status'])
  })
  it('[CD4] keeps a bounded number of early messages and says which it did not', () => {
    const talk = createCarouselTalk({ isListHeld: true })
    for (let sent = 0; sent < 33; sent += 1) talk.send({ type: 'ping' })
    expect(talk.news()).toMatchObject([{ type: 'error', code: 'BUSY' }])
    talk.reply(TWO_MACHINES)
    expect(talk.news().filter(({ type }) => type === 'pong')).toHaveLength(32)
  })
  it('[CD5] keeps a bounded number of early characters', () => {
    const talk = createCarouselTalk({ isListHeld: true })
    talk.send(JSON.stringify({ type: 'ping', padding: 'x'.repeat(64 * 1024) }))
    expect(talk.news()).toMatchObject([{ type: 'error', code: 'BUSY' }])
  })
  it('[CD6] greets without machines and says why when they cannot be listed', () => {
    const talk = createCarouselTalk({ isListHeld: true })
    talk.refuse('auth.forbidden')
    expect(talk.told).toMatchObject([
      { type: 'welcome', machines: [] },
      { type: 'error', code: 'FORBIDDEN', cause: 'auth.forbidden' },
    ])
  })
  it('[CD7] treats a list of another shape as a defect, not as machines', () => {
    const talk = createCarouselTalk({ isListHeld: true })
    talk.reply({ machines: [{ id: 'machine_1' }] })
    expect(talk.told).toMatchObject([
      { type: 'welcome', machines: [] },
      { type: 'error', code: 'INTERNAL_ERROR' },
    ])
  })
})

describe('status', () => {
  it('[CD8] answers get_status flat as documented and nested as shipped at once', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'get_status', machine_id: 'machine_1', timestamp: '2025-01-27T10:30:00.000Z' })
    expect(talk.news()).toEqual([
      {
        type: 'machine_status',
        timestamp: NOW_TEXT,
        machine_id: 'machine_1',
        status: { ...LONG_WORDS, ...DOCUMENTED_WORDS, status: LONG_WORDS, position: 15, raw_status: 21 },
        position: 15,
        raw_status: 21,
        connection_status: 'connected',
      },
    ])
  })
  it('[CD9] answers get_status without machine_id with all machines, as shipped', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'get_status' })
    expect(talk.news()).toEqual([
      {
        type: 'all_machines_status',
        timestamp: NOW_TEXT,
        status: {
          machine_1: { status: LONG_WORDS, position: 15, raw_status: 21, connection_status: 'connected' },
          machine_2: { status: LONG_WORDS, position: 9, raw_status: 21, connection_status: 'connected' },
        },
      },
    ])
  })
  it('[CD10] answers status in single-plc mode, and machine_status to who names the machine', () => {
    const talk = createCarouselTalk({ list: ONE_MACHINE })
    talk.send({ type: 'get_status' })
    talk.send({ type: 'get_status', machine_id: 'machine_1' })
    const [single, named] = talk.news()
    expect(single).toMatchObject({ type: 'status', status: { status: LONG_WORDS, position: 15, raw_status: 21 } })
    expect(named).toMatchObject({ type: 'machine_status', status: DOCUMENTED_WORDS })
  })
  it('[CD11] shows a machine it lost with its last values, not ready, with connection_status and error', () => {
    const lost = createStatus({ quality: 'stale', connection: 'disconnected', reason: 'connect ECONNREFUSED' })
    const talk = createCarouselTalk({ statuses: [lost] })
    talk.send({ type: 'get_status', machine_id: 'machine_1' })
    expect(talk.news()).toMatchObject([
      {
        type: 'machine_status',
        status: { READY: 'Fallo', status: { READY: 'El equipo no puede operar' } },
        position: 15,
        connection_status: 'disconnected',
        error: 'Fallo en comunicación PLC: connect ECONNREFUSED',
      },
    ])
  })
  it('[CD12] answers CONNECTION_ERROR for a machine that was never read', () => {
    const never = createStatus({ quality: 'bad', connection: 'disconnected', reason: 'timeout' })
    const talk = createCarouselTalk({ statuses: [never] })
    talk.send({ type: 'get_status', machine_id: 'machine_1' })
    talk.send({ type: 'get_status' })
    expect(talk.news()).toEqual([
      {
        type: 'error',
        timestamp: NOW_TEXT,
        error: 'Error obteniendo estado: Fallo en comunicación PLC: timeout',
        code: 'CONNECTION_ERROR',
        machine_id: 'machine_1',
      },
      {
        type: 'all_machines_status',
        timestamp: NOW_TEXT,
        status: { machine_1: { connection_status: 'disconnected', error: 'Fallo en comunicación PLC: timeout' } },
      },
    ])
  })
  it('[CD13] says what the bus says when a status cannot be asked', () => {
    const talk = createCarouselTalk({ statuses: [] })
    talk.send({ type: 'get_status', machine_id: 'machine_2' })
    talk.refuse('request.deadline_passed')
    expect(talk.news()).toMatchObject([
      { type: 'error', code: 'CONNECTION_ERROR', machine_id: 'machine_2', cause: 'request.deadline_passed' },
    ])
  })
})

describe('commands', () => {
  const done = { command: 'k1', state: 'running', status: createStatus({ isMoving: true, raw: 23 }) }
  const result = {
    type: 'command_result',
    timestamp: NOW_TEXT,
    machine_id: 'machine_1',
    success: true,
    data: { command_sent: 1, argument: 25, result: 'Comando ejecutado correctamente' },
    command: 1,
    argument: 25,
    result: { status: { ...LONG_WORDS, RUN: 'El equipo está en movimiento' }, position: 15, raw_status: 23 },
    state: 'running',
    command_id: 'k1',
  }

  it.each([
    ['documented', { command: { command: 1, argument: 25 } }],
    ['shipped', { command: 1, argument: 25 }],
    ['mixed', { command: { command: 1 }, argument: 25 }],
  ])('[CD14] takes the %s shape of send_command, and answers with the fields of both', (_shape, fields) => {
    const talk = createCarouselTalk()
    talk.send({ type: 'send_command', machine_id: 'machine_1', ...fields })
    expect(talk.said.at(-1)).toMatchObject({ type: 'request', to: 'machine/machine_1', method: 'command', data: { code: 1, argument: 25 } })
    talk.reply(done)
    expect(talk.news()).toEqual([result])
  })
  it('[CD15] sends a command without argument without one, and answers null', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'send_command', machine_id: 'machine_1', command: { command: 2, argument: null } })
    expect(talk.said.at(-1)).toMatchObject({ data: { code: 2 } })
    expect(talk.said.at(-1)).not.toHaveProperty('data.argument')
    talk.reply({ ...done, state: 'done' })
    expect(talk.news()).toMatchObject([{ success: true, data: { command_sent: 2, argument: null }, argument: null, state: 'done' }])
  })
  it('[CD16] reads for command 0 and commands nothing', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'send_command', machine_id: 'machine_1', command: 0 })
    expect(talk.said.at(-1)).toMatchObject({ to: 'machines', method: 'status' })
    expect(talk.news()).toMatchObject([{ type: 'command_result', success: true, command: 0, result: { position: 15 } }])
  })
  it('[CD17] takes the only machine where none is named, and no other where one is', () => {
    const talk = createCarouselTalk({ list: ONE_MACHINE })
    talk.send({ type: 'send_command', command: 1, argument: 3 })
    expect(talk.said.at(-1)).toMatchObject({ to: 'machine/machine_1' })
    talk.send({ type: 'send_command', machine_id: 'machine_9', command: 1, argument: 3 })
    expect(talk.news()).toMatchObject([{ type: 'error', code: 'MACHINE_NOT_FOUND', machine_id: 'machine_9' }])
  })
  it.each([
    ['machine.busy', 'BUSY', 'Error ejecutando comando: PLC ocupado, intente de nuevo en unos segundos'],
    ['machine.moving', 'BUSY', 'Error ejecutando comando: PLC en movimiento'],
    ['machine.unreachable', 'CONNECTION_ERROR', 'Error ejecutando comando: Fallo en comunicación PLC'],
    ['machine.invalid_command', 'INVALID_COMMAND', 'Error ejecutando comando: Comando o argumento inválido.'],
    ['auth.forbidden', 'FORBIDDEN', 'Error ejecutando comando: Sin permiso para esta operación'],
  ] as const)('[CD18] words %s as %s, with the machine and our own words beside it', (ours, code, error) => {
    const talk = createCarouselTalk()
    talk.send({ type: 'send_command', machine_id: 'machine_1', command: 1, argument: 3 })
    talk.refuse(ours)
    expect(talk.news()).toEqual([
      { type: 'error', timestamp: NOW_TEXT, error, code, machine_id: 'machine_1', cause: ours, hint: 'In our words.' },
    ])
  })
})

describe('what the client gets wrong', () => {
  it.each([
    ['no JSON', '{', 'INVALID_MESSAGE_FORMAT', 'Formato JSON inválido'],
    ['JSON that is no object', '[1]', 'INVALID_MESSAGE_FORMAT', 'Formato JSON inválido'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe]), 'INVALID_MESSAGE_FORMAT', 'Formato JSON inválido'],
    ['no type', {}, 'INVALID_MESSAGE_FORMAT', 'Tipo de mensaje no reconocido: None'],
    ['an unknown type', { type: 'dance' }, 'INVALID_MESSAGE_FORMAT', 'Tipo de mensaje no reconocido: dance'],
    ['a long type', { type: 'x'.repeat(90) }, 'INVALID_MESSAGE_FORMAT', `Tipo de mensaje no reconocido: ${'x'.repeat(64)}…`],
    ['a machine_id of numbers', { type: 'get_status', machine_id: 1 }, 'INVALID_MESSAGE_FORMAT', 'machine_id debe ser un texto'],
    ['no command', { type: 'send_command', machine_id: 'machine_1' }, 'INVALID_COMMAND', 'El comando debe ser un entero entre 0 y 255'],
    [
      'a command of text',
      { type: 'send_command', machine_id: 'machine_1', command: '1' },
      'INVALID_COMMAND',
      'El comando debe ser un entero entre 0 y 255',
    ],
    [
      'command 256',
      { type: 'send_command', machine_id: 'machine_1', command: { command: 256 } },
      'INVALID_COMMAND',
      'El comando debe ser un entero entre 0 y 255',
    ],
    [
      'a broken argument',
      { type: 'send_command', machine_id: 'machine_1', command: 1, argument: 1.5 },
      'INVALID_COMMAND',
      'Error ejecutando comando: El argumento debe ser un entero.',
    ],
    [
      'argument 256',
      { type: 'send_command', machine_id: 'machine_1', command: 1, argument: 256 },
      'INVALID_COMMAND',
      'Error ejecutando comando: Argumento fuera de rango (0-255)',
    ],
    ['no machine', { type: 'send_command', command: 1, argument: 3 }, 'INVALID_MESSAGE_FORMAT', 'machine_id requerido en modo multi-PLC'],
    [
      'an unknown machine',
      { type: 'get_status', machine_id: 'invalid_machine' },
      'MACHINE_NOT_FOUND',
      "Error obteniendo estado: Máquina 'invalid_machine' no encontrada",
    ],
    [
      'a command for an unknown machine',
      { type: 'send_command', machine_id: 'x/#', command: 1 },
      'MACHINE_NOT_FOUND',
      "Error ejecutando comando: Máquina 'x/#' no encontrada",
    ],
    [
      'an unknown subscription',
      { type: 'subscribe', subscription_type: 'news' },
      'INVALID_MESSAGE_FORMAT',
      'Tipo de suscripción no reconocido: news',
    ],
    [
      'machine_ids of numbers',
      { type: 'subscribe', machine_ids: [1] },
      'INVALID_MESSAGE_FORMAT',
      'machine_ids debe ser una lista de hasta 256 textos',
    ],
  ])('[CD19] %s: a clear error, counted, and the next message is answered', (_what, message, code, error) => {
    const talk = createCarouselTalk()
    const asked = talk.said.length
    talk.send(message)
    talk.send({ type: 'ping' })
    expect(talk.news()).toMatchObject([{ type: 'error', code, error, timestamp: NOW_TEXT }, { type: 'pong' }])
    expect(talk.mistakes()).toBe(1)
    expect(talk.said).toHaveLength(asked)
  })
  it('[CD20] names the machine in errors about one', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'send_command', machine_id: 'machine_1', command: 999 })
    talk.send({ type: 'get_status', machine_id: 'invalid_machine' })
    expect(talk.news()).toMatchObject([{ machine_id: 'machine_1' }, { machine_id: 'invalid_machine' }])
  })
  it('[CD21] reads bytes that hold text, as its server did', () => {
    const talk = createCarouselTalk()
    talk.send(new TextEncoder().encode('{"type":"ping"}'))
    expect(talk.news()).toEqual([{ type: 'pong', timestamp: NOW_TEXT }])
  })
})

describe('whatever comes', () => {
  const anything = fc.oneof(fc.jsonValue(), fc.constantFrom('machine_1', 'machine_9', '', 0, 1, 255, 256, -1, null))
  const message = fc.record(
    {
      type: fc.oneof(fc.constantFrom('ping', 'get_status', 'send_command', 'subscribe'), anything),
      machine_id: anything,
      command: fc.oneof(anything, fc.record({ command: anything, argument: anything }, { requiredKeys: [] })),
      argument: anything,
      subscription_type: fc.oneof(fc.constantFrom('status_updates', 'command_results', 'all_events'), anything),
      machine_ids: fc.oneof(anything, fc.array(anything)),
    },
    { requiredKeys: [] },
  )
  it.each(['multi-plc', 'single-plc'])('[CD74] is answered or asked of the bus, in %s mode, and nothing throws', (mode) => {
    const frames = fc.oneof(
      fc.string(),
      fc.uint8Array(),
      fc.json(),
      message.map((fields) => JSON.stringify(fields)),
    )
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 10 }), (sent) => {
        const talk = createCarouselTalk({ list: mode === 'multi-plc' ? TWO_MACHINES : ONE_MACHINE })
        for (const frame of sent) {
          const before = talk.said.length
          talk.send(frame)
          expect(talk.news().length + talk.said.length - before).toBeGreaterThan(0)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('broadcasts', () => {
  const moving = createStatus({ isMoving: true, direction: 'down', position: 25, raw: 151 })
  const publishStatus = (talk: ReturnType<typeof createCarouselTalk>, status: ReturnType<typeof createStatus>, isRetained = false): void =>
    talk.publish(`machine/${status.machine}/status`, status, isRetained)
  /** A client that knows the last values of both. */
  function createInformedTalk(): ReturnType<typeof createCarouselTalk> {
    const talk = createCarouselTalk()
    publishStatus(talk, createStatus(), true)
    publishStatus(talk, createStatus({ machine: 'machine_2', position: 9, positions: 10 }), true)
    talk.news()
    return talk
  }

  it('[CD22] tells a change to every client, with all machines in the documented words', () => {
    const talk = createInformedTalk()
    publishStatus(talk, moving)
    expect(talk.news()).toEqual([
      {
        type: 'status_broadcast',
        timestamp: NOW_TEXT,
        status: {
          machine_1: {
            status: { ...LONG_WORDS, ...DOCUMENTED_WORDS, RUN: 'En movimiento', SENTIDO_GIRO: 'Descendente' },
            position: 25,
            raw_status: 151,
            connection_status: 'connected',
          },
          machine_2: { status: { ...LONG_WORDS, ...DOCUMENTED_WORDS }, position: 9, raw_status: 21, connection_status: 'connected' },
        },
      },
    ])
  })
  it('[CD23] says nothing that a naive client could take for its answer before something happens', () => {
    const talk = createCarouselTalk()
    publishStatus(talk, createStatus(), true)
    talk.publish('machine/machine_1/command', createStep(), true)
    expect(talk.news()).toEqual([])
  })
  it('[CD24] repeats itself when the machines do, once for all of them', () => {
    const talk = createInformedTalk()
    const repeat = (): void => {
      publishStatus(talk, createStatus({ time: talk.clock.now() }))
      publishStatus(talk, createStatus({ machine: 'machine_2', position: 9, positions: 10, time: talk.clock.now() }))
    }
    repeat()
    expect(talk.news()).toEqual([])
    talk.clock.advance(5_000)
    repeat()
    expect(talk.news()).toMatchObject([{ type: 'status_broadcast', status: { machine_1: {}, machine_2: {} } }])
  })
  it('[CD25] holds a machine that cannot be read, with connection_status and the error', () => {
    const talk = createInformedTalk()
    publishStatus(talk, createStatus({ quality: 'bad', connection: 'disconnected', reason: 'timeout' }))
    expect(talk.news()).toMatchObject([
      {
        status: {
          machine_1: {
            status: { READY: 'Fallo' },
            position: null,
            raw_status: null,
            connection_status: 'disconnected',
            error: 'Fallo en comunicación PLC: timeout',
          },
          machine_2: { connection_status: 'connected' },
        },
      },
    ])
  })
  it('[CD26] in single-plc mode is the machine itself, as shipped, and holds it under its id as well', () => {
    const talk = createCarouselTalk({ list: ONE_MACHINE })
    publishStatus(talk, moving)
    const [broadcast] = talk.news()
    expect(broadcast).toMatchObject({
      type: 'status_broadcast',
      status: {
        status: { RUN: 'El equipo está en movimiento' },
        position: 25,
        raw_status: 151,
        machine_1: { status: { RUN: 'En movimiento' } },
      },
    })
  })
  it('[CD27] does not remember machines that are not configured', () => {
    const talk = createInformedTalk()
    publishStatus(talk, createStatus({ machine: 'machine_3' }))
    expect(talk.news()).toEqual([])
  })
  it('[CD73] learns of machines that come, and forgets those that go', async () => {
    const talk = createInformedTalk()
    talk.clock.advance(10_000)
    talk.setList({ ...TWO_MACHINES, machines: [MACHINE_1, { ...MACHINE_2, machine: 'machine_3' }] })
    publishStatus(talk, createStatus({ machine: 'machine_3' }))
    await Promise.resolve()
    publishStatus(talk, createStatus({ machine: 'machine_3' }))
    expect(Object.keys(statusOf(talk.news().at(-1)))).toEqual(['machine_1', 'machine_3'])
    talk.send({ type: 'get_status', machine_id: 'machine_2' })
    expect(talk.news()).toMatchObject([{ type: 'error', code: 'MACHINE_NOT_FOUND' }])
  })
  it('[CD28] does not repeat what only the relay knows of a machine', () => {
    const talk = createInformedTalk()
    publishStatus(talk, createStatus({ lease: { by: 'somebody', until: 1 } }))
    expect(talk.news()).toEqual([])
  })

  describe('subscribed', () => {
    it('[CD29] confirms as documented and shows at once what is subscribed to', () => {
      const talk = createInformedTalk()
      talk.send({ type: 'subscribe', subscription_type: 'status_updates', machine_ids: ['machine_1', 'machine_2'] })
      const [confirmed, broadcast] = talk.news()
      expect(confirmed).toEqual({
        type: 'subscription_confirmed',
        timestamp: NOW_TEXT,
        subscription_type: 'status_updates',
        machine_ids: ['machine_1', 'machine_2'],
      })
      expect(broadcast).toMatchObject({ type: 'status_broadcast', status: { machine_1: {}, machine_2: {} } })
    })
    it('[CD30] means status_updates of all machines where nothing is named', () => {
      const talk = createInformedTalk()
      talk.send({ type: 'subscribe' })
      expect(talk.news()[0]).toMatchObject({ subscription_type: 'status_updates', machine_ids: ['machine_1', 'machine_2'] })
    })
    it('[CD31] really filters by machine_ids', () => {
      const talk = createInformedTalk()
      talk.send({ type: 'subscribe', subscription_type: 'status_updates', machine_ids: ['machine_2'] })
      expect(Object.keys(statusOf(talk.news().at(-1)))).toEqual(['machine_2'])
      publishStatus(talk, moving)
      expect(talk.news()).toEqual([])
      publishStatus(talk, createStatus({ machine: 'machine_2', position: 3 }))
      expect(Object.keys(statusOf(talk.news()[0]))).toEqual(['machine_2'])
    })
    it('[CD32] really filters by kind', () => {
      const talk = createInformedTalk()
      talk.send({ type: 'subscribe', subscription_type: 'command_results' })
      expect(talk.news()).toHaveLength(1)
      publishStatus(talk, moving)
      expect(talk.news()).toEqual([])
      talk.publish('machine/machine_1/command', createStep())
      expect(talk.news()).toMatchObject([{ type: 'command_executed' }])
    })
    it('[CD33] hears both kinds with all_events', () => {
      const talk = createInformedTalk()
      talk.send({ type: 'subscribe', subscription_type: 'all_events', machine_ids: ['machine_1'] })
      talk.news()
      publishStatus(talk, moving)
      talk.publish('machine/machine_1/command', createStep())
      talk.publish('machine/machine_2/command', createStep({ machine: 'machine_2', command: 'k2' }))
      expect(talk.news().map(({ type }) => type)).toEqual(['status_broadcast', 'command_executed'])
    })
    it('[CD34] takes the machines it knows of a list, and names one it does not', () => {
      const talk = createInformedTalk()
      talk.send({ type: 'subscribe', subscription_type: 'command_results', machine_ids: ['machine_7', 'machine_2'] })
      expect(talk.news()).toMatchObject([
        { type: 'error', code: 'MACHINE_NOT_FOUND', machine_id: 'machine_7' },
        { type: 'subscription_confirmed', machine_ids: ['machine_2'] },
      ])
      talk.send({ type: 'subscribe', subscription_type: 'command_results', machine_ids: ['machine_8'] })
      expect(talk.news()).toMatchObject([{ type: 'error', code: 'MACHINE_NOT_FOUND', machine_id: 'machine_8' }])
    })
    it('[CD35] puts the same kind again in the place of the one before', () => {
      const talk = createInformedTalk()
      talk.send({ type: 'subscribe', subscription_type: 'status_updates', machine_ids: ['machine_2'] })
      talk.send({ type: 'subscribe', subscription_type: 'status_updates', machine_ids: ['machine_1'] })
      talk.news()
      publishStatus(talk, createStatus({ machine: 'machine_2', position: 3 }))
      expect(talk.news()).toEqual([])
    })
  })
})

describe('commands of others', () => {
  const step = (talk: ReturnType<typeof createCarouselTalk>, changes: Parameters<typeof createStep>[0] = {}): void =>
    talk.publish('machine/machine_1/command', createStep(changes))

  it('[CD36] tells every client once that a command was executed', () => {
    const talk = createCarouselTalk()
    for (const state of ['accepted', 'running', 'done'] as const) step(talk, { state })
    expect(talk.news()).toEqual([
      {
        type: 'command_executed',
        timestamp: NOW_TEXT,
        command: 1,
        argument: 25,
        machine_id: 'machine_1',
        state: 'running',
        command_id: 'k1',
      },
    ])
  })
  it('[CD37] tells a command that is done at once', () => {
    const talk = createCarouselTalk()
    step(talk, { state: 'done', code: 2 })
    expect(talk.news()).toMatchObject([{ type: 'command_executed', command: 2, state: 'done' }])
  })
  it('[CD38] does not call a refused command executed', () => {
    const talk = createCarouselTalk()
    step(talk, { state: 'refused', error: 'machine.busy' })
    expect(talk.news()).toEqual([])
  })
  it('[CD39] tells how they ended to who subscribed to results', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'subscribe', subscription_type: 'command_results', machine_ids: ['machine_1'] })
    talk.news()
    step(talk, { state: 'done' })
    step(talk, { state: 'failed', command: 'k2', error: 'machine.alarm', message: 'The machine reports an alarm.' })
    expect(talk.news()).toMatchObject([
      { type: 'command_executed', command_id: 'k1' },
      { type: 'command_result', success: true, data: { command_sent: 1, argument: 25 }, by_another_client: true, command_id: 'k1' },
      {
        type: 'command_result',
        success: false,
        data: { result: 'The machine reports an alarm.' },
        cause: 'machine.alarm',
        state: 'failed',
        command_id: 'k2',
      },
    ])
  })
  it('[CD40] answers its own command and does not tell it, whichever comes first', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'send_command', machine_id: 'machine_1', command: 1, argument: 25 })
    step(talk, { by: 'me', state: 'accepted' })
    step(talk, { by: 'me', state: 'running' })
    talk.reply({ command: 'k1', state: 'running', status: createStatus() })
    step(talk, { by: 'me', state: 'done' })
    expect(talk.news().map(({ type }) => type)).toEqual(['command_result'])
  })
  it("[CD41] tells another's command that came while its own was refused", () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'send_command', machine_id: 'machine_1', command: 1, argument: 25 })
    step(talk, { command: 'k8', state: 'running' })
    step(talk, { command: 'k9', by: 'me', state: 'refused' })
    expect(talk.news()).toEqual([])
    talk.refuse('machine.busy')
    expect(talk.news()).toMatchObject([
      { type: 'error', code: 'BUSY' },
      { type: 'command_executed', command_id: 'k8' },
    ])
  })
  it('[CD75] does not tell how its own command failed, beside the error, and tells how another did', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'subscribe', subscription_type: 'command_results' })
    talk.news()
    talk.send({ type: 'send_command', machine_id: 'machine_1', command: 1, argument: 25 })
    step(talk, { command: 'k7', by: 'another', state: 'failed' })
    step(talk, { command: 'k8', by: 'me', state: 'refused' })
    talk.refuse('machine.busy')
    expect(talk.news().map(({ type, command_id }) => [type, command_id])).toEqual([
      ['error', undefined],
      ['command_result', 'k7'],
    ])
  })
  it('[CD42] holds back a bounded number of steps while its own command waits', () => {
    const talk = createCarouselTalk()
    talk.send({ type: 'send_command', machine_id: 'machine_1', command: 1, argument: 25 })
    for (let number = 0; number < 66; number += 1) step(talk, { command: `x${String(number)}` })
    expect(talk.news().map(({ command_id }) => command_id)).toEqual(['x0', 'x1'])
    talk.reply({ command: 'k1', state: 'done', status: createStatus() })
    expect(talk.news().filter(({ type }) => type === 'command_executed')).toHaveLength(64)
  })
})

function statusOf(message: Told | undefined): object {
  const status = message?.['status']
  return typeof status === 'object' && status !== null ? status : {}
}
