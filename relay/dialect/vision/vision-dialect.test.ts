/** The dialect alone, over a conversation and a vision service of its own: what VisionAI's clients read, word for word. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '#shared/protocol/errors'
import type { ClientMessage, RelayMessageOf } from '#shared/protocol/messages'
import { WELCOME } from '#shared/testing/scripted-relay'
import type { Conversation, SessionEnd } from '../../ports.ts'
import { createVisionSystem } from './vision-system.ts'
import { VISION_WAITING } from './vision-dialect.ts'

const NOW = new Date(2025, 10, 14, 10, 30, 45, 123).getTime()
const PICTURE = Buffer.from('a picture').toString('base64')

const HAPPY_FACE = {
  box: { x: 0.25, y: 0.1, width: 0.33333333, height: 0.4 },
  probabilities: { neutral: 0.05, happiness: 0.83, surprise: 0.05, sadness: 0.01, anger: 0.02, disgust: 0.02, fear: 0.01, contempt: 0.01 },
  emotion: 'happiness',
  confidence: 0.83,
  certain: true,
  quality: 1,
}
const MODEL = {
  name: 'semblante-emotion',
  version: '1.2.0',
  classes: ['neutral', 'happiness', 'surprise', 'sadness', 'anger', 'disgust', 'fear', 'contempt'],
}
const REPLY = { faces: [HAPPY_FACE], width: 64, height: 48, model: MODEL, processingMs: 12.4, queuedMs: 0.6 }

interface Asked {
  readonly message: ClientMessage
  readonly attachment: Uint8Array | undefined
}

class Bench {
  readonly system = createVisionSystem({ clock: { now: () => NOW }, imageBytes: 1_000_000 })
  readonly asked: Asked[] = []
  readonly frames: string[] = []
  mistakes = 0
  ended: SessionEnd | undefined
  readonly dialect = this.open()
  readonly conversation: Conversation = {
    address: 'peer/1',
    identity: { subject: 'compat', roles: [], rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: NOW },
    remoteAddress: '127.0.0.1',
    say: (message, attachment) => void this.asked.push({ message, attachment }),
    send: (frame) => void this.frames.push(frame instanceof Uint8Array ? Buffer.from(frame).toString('utf8') : '(binary)'),
    blame: () => {},
    countMistake: () => void (this.mistakes += 1),
    end: (end) => void (this.ended = end),
  }

  open() {
    const made = this.system.rootSocket.createDialect({
      path: '/',
      query: new URLSearchParams(),
      headers: new Map(),
      subprotocols: [],
      remoteAddress: '127.0.0.1',
    })
    if (!made.ok) throw new Error(made.failure.message)
    return made.value
  }

  welcome(): this {
    this.dialect.write(WELCOME, this.conversation)
    this.frames.length = 0
    return this
  }

  send(message: unknown): this {
    this.dialect.read(JSON.stringify(message), this.conversation)
    return this
  }

  /** The next answer to the client. */
  next(): Record<string, unknown> {
    const frame = this.frames.shift()
    if (frame === undefined) throw new Error('no answer is there')
    return JSON.parse(frame)
  }

  answer(message: unknown): Record<string, unknown> {
    return this.send(message).next()
  }

  question(): Extract<ClientMessage, { type: 'request' }> {
    const message = this.asked.at(-1)?.message
    if (message?.type !== 'request') throw new Error('nothing was asked')
    return message
  }

  reply(data: unknown): this {
    const replied: RelayMessageOf<'replied'> = { type: 'replied', id: this.question().id, from: 'vision', data }
    this.dialect.write(replied, this.conversation)
    return this
  }

  fail(code: ErrorCode, message = 'why'): this {
    this.dialect.write({ type: 'error', id: this.question().id, error: { code, message, retry: 'never' } }, this.conversation)
    return this
  }
}

const open = (): Bench => new Bench().welcome()

describe('each message of the document', () => {
  it('[VD1] greets as documented', () => {
    const bench = new Bench()
    bench.dialect.write(WELCOME, bench.conversation)
    expect(bench.next()).toEqual({
      type: 'welcome',
      message: 'Bienvenido a VisionAI WebSocket Server',
      version: '2.0.0',
      commands: {
        predict: 'Predecir emoción',
        emotions: 'Obtener lista de emociones',
        model_info: 'Información del modelo ML',
        health: 'Estado del servidor',
      },
    })
  })

  it('[VD2] predict: the documented fields exactly, and what is known besides', () => {
    const bench = open().send({ command: 'predict', image: PICTURE, request_id: 'r-7' })
    expect(bench.question()).toMatchObject({ to: 'vision', method: 'predict', data: { keep: true } })
    expect(Buffer.from(bench.asked[0]?.attachment ?? []).toString()).toBe('a picture')
    const answer = bench.reply(REPLY).next()
    expect(answer).toMatchObject({
      type: 'prediction',
      status: 'success',
      emotion_name: 'happy',
      // 0.83 of the 0.99 that are not contempt.
      confidence: 0.8384,
      model_version_tag: 'v1.2.0',
      processing_time_ms: 12,
      timestamp: '2025-11-14T10:30:45.123000',
      request_id: 'r-7',
      emotion_id: 4,
      box: { x: 0.25, y: 0.1, width: 0.3333, height: 0.4 },
      certain: true,
      faces: [{ emotion_name: 'happy' }],
    })
    expect(Object.keys(Object(answer['probabilities']))).toEqual(['angry', 'disgust', 'fear', 'happy', 'neutral', 'sad', 'surprise'])
  })

  it('[VD3] takes a message without a command for predict, a data URL for its picture, and commands in any case', () => {
    const bench = open().send({ image: `data:image/png;base64,${PICTURE}` })
    expect(Buffer.from(bench.asked[0]?.attachment ?? []).toString()).toBe('a picture')
    bench.reply(REPLY)
    bench.frames.length = 0
    expect(bench.answer({ command: 'HEALTH' })).toMatchObject({ type: 'health' })
  })

  it('[VD4] emotions: seven, with ids, names and descriptions', () => {
    expect(open().answer({ command: 'emotions' })).toEqual({
      type: 'emotions',
      status: 'success',
      emotions: [
        { id: 1, name: 'angry', description: 'Enojo o ira' },
        { id: 2, name: 'disgust', description: 'Disgusto o asco' },
        { id: 3, name: 'fear', description: 'Miedo o temor' },
        { id: 4, name: 'happy', description: 'Felicidad o alegría' },
        { id: 5, name: 'neutral', description: 'Neutral' },
        { id: 6, name: 'sad', description: 'Tristeza' },
        { id: 7, name: 'surprise', description: 'Sorpresa' },
      ],
    })
  })

  it('[VD5] model_info: what is loaded, and that nothing is', () => {
    const bench = open().send({ command: 'model_info' })
    expect(bench.question()).toMatchObject({ to: 'vision', method: 'info' })
    expect(
      bench.reply({ ...MODEL, input: { width: 48, height: 48, channels: 1, layout: 'NCHW' }, runtime: 'onnxruntime-node' }).next(),
    ).toMatchObject({
      type: 'model_info',
      status: 'success',
      info: { status: 'loaded', input_shape: [48, 48, 1], num_classes: 7, model_version_tag: 'v1.2.0' },
    })
    expect(bench.send({ command: 'model_info' }).fail('vision.unavailable').next()).toMatchObject({
      type: 'model_info',
      info: { status: 'not_loaded' },
    })
    expect(bench.send({ command: 'model_info' }).fail('request.deadline_passed').next()).toMatchObject({
      type: 'error',
      message: 'Error al obtener información del modelo',
      code: 'request.deadline_passed',
    })
  })

  it('[VD6] health: counts who is connected, the asker included, until they leave', () => {
    const bench = open()
    const second = bench.open()
    second.write(WELCOME, bench.conversation)
    expect(bench.next()).toMatchObject({ type: 'welcome' })
    expect(bench.answer({ command: 'health' })).toEqual({
      type: 'health',
      status: 'healthy',
      service: 'VisionAI Backend',
      timestamp: '2025-11-14T10:30:45.123000',
      clients_connected: 2,
    })
    second.end?.()
    second.end?.()
    expect(bench.answer({ command: 'health' })).toMatchObject({ clients_connected: 1 })
  })
})

describe('pictures without a face, and with several', () => {
  it('[VD7] asks that a picture without a face be read as a face itself, never as a certain one', () => {
    const bench = open().send({ image: PICTURE })
    expect(bench.question().data).toEqual({ keep: true, faces: 'all', crop: true })
    const whole = { ...HAPPY_FACE, box: { x: 0, y: 0, width: 1, height: 1 }, certain: false }
    const answer = bench.reply({ ...REPLY, faces: [whole] }).next()
    expect(answer).toMatchObject({ type: 'prediction', emotion_name: 'happy', certain: false, box: { width: 1 } })
  })

  it('[VD9] answers with the largest face and lists all', () => {
    const small = { ...HAPPY_FACE, box: { x: 0, y: 0, width: 0.1, height: 0.1 }, probabilities: { anger: 0.9, neutral: 0.1 } }
    const answer = open()
      .send({ image: PICTURE })
      .reply({ ...REPLY, faces: [small, HAPPY_FACE] })
      .next()
    expect(answer).toMatchObject({ emotion_name: 'happy', faces: [{ emotion_name: 'happy' }, { emotion_name: 'angry', confidence: 0.9 }] })
  })

  it('[VD10] never answers contempt: the seven classes share what is left', () => {
    const face = { ...HAPPY_FACE, probabilities: { contempt: 0.9, sadness: 0.08, anger: 0.02 } }
    expect(
      open()
        .send({ image: PICTURE })
        .reply({ ...REPLY, faces: [face] })
        .next(),
    ).toMatchObject({ emotion_name: 'sad', confidence: 0.8 })
  })
})

describe('errors in VisionAI’s words, with a stable code beside them', () => {
  const cases: readonly (readonly [string, unknown, string, string])[] = [
    ['no image', { command: 'predict' }, "Campo 'image' requerido", 'image.missing'],
    ['an empty object', {}, "Campo 'image' requerido", 'image.missing'],
    ['an empty image', { image: '' }, 'La imagen está vacía', 'image.missing'],
    ['an image that is nothing but signs', { image: '!!!' }, 'La imagen está vacía', 'image.missing'],
    ['wrong padding', { image: 'YWI' }, 'Error al decodificar imagen: Incorrect padding', 'image.undecodable'],
    [
      'one letter too many',
      { image: 'YWJjZ' },
      'Error al decodificar imagen: Invalid base64-encoded string: number of data characters (5) cannot be 1 more than a multiple of 4',
      'image.undecodable',
    ],
    [
      'a number',
      { image: 5 },
      "Error al decodificar imagen: argument should be a bytes-like object or ASCII string, not 'int'",
      'image.undecodable',
    ],
    [
      'null',
      { image: null },
      "Error al decodificar imagen: argument should be a bytes-like object or ASCII string, not 'NoneType'",
      'image.undecodable',
    ],
    [
      'letters beyond ASCII',
      { image: 'ñ' },
      'Error al decodificar imagen: string argument should contain only ASCII characters',
      'image.undecodable',
    ],
    ['an unknown command', { command: 'dance' }, 'Comando desconocido: dance', 'frame.unknown_type'],
    ['a command that is null', { command: null }, 'Comando desconocido: None', 'frame.unknown_type'],
    ['a list', [1, 2], 'Error al procesar mensaje', 'frame.not_an_object'],
    ['a number by itself', 7, 'Error al procesar mensaje', 'frame.not_an_object'],
  ]
  it.each(cases)('[VD11] %s', (_, message, text, code) => {
    expect(open().answer(message)).toMatchObject({ type: 'error', message: text, code })
  })

  it('[VD12] names the commands beside an unknown one, and repeats no more than a line of it', () => {
    const answer = open().answer({ command: 'x'.repeat(5000) })
    expect(answer).toMatchObject({ available_commands: ['predict', 'emotions', 'model_info', 'health'] })
    expect(String(answer['message']).length).toBeLessThan(200)
  })

  it('[VD13] answers text that is no JSON and counts it against the client, but not a bad picture', () => {
    const bench = open()
    bench.dialect.read('{"command":', bench.conversation)
    expect(bench.next()).toMatchObject({ type: 'error', message: 'JSON inválido', code: 'frame.malformed_json' })
    expect(bench.mistakes).toBe(1)
    bench.answer({ image: '' })
    expect(bench.mistakes).toBe(1)
  })

  const failures: readonly (readonly [ErrorCode, string])[] = [
    ['image.undecodable', 'No se pudo procesar la imagen proporcionada.'],
    ['image.unsupported', 'No se pudo procesar la imagen proporcionada.'],
    ['image.too_large', 'No se pudo procesar la imagen proporcionada.'],
    ['vision.busy', 'Error interno del servidor'],
    ['vision.unavailable', 'Error interno del servidor'],
    ['auth.forbidden', 'Error interno del servidor'],
    ['request.unknown_target', 'Error interno del servidor'],
  ]
  it.each(failures)('[VD14] %s of the service is “%s”', (code, message) => {
    expect(open().send({ image: PICTURE, id: 3 }).fail(code, 'the reason').next()).toEqual({
      type: 'error',
      message,
      code,
      retry: expect.any(String),
      detail: 'the reason',
      request_id: 3,
    })
  })

  it('[VD15] a reply that is none is told as an error, and the next picture is fine', () => {
    const bench = open()
    expect(
      bench
        .send({ image: PICTURE })
        .reply({ ...REPLY, faces: [] })
        .next(),
    ).toMatchObject({ type: 'error', code: 'server.internal' })
    expect(bench.send({ image: PICTURE }).reply('nonsense').next()).toMatchObject({ type: 'error', code: 'server.internal' })
    expect(bench.send({ image: PICTURE }).reply(REPLY).next()).toMatchObject({ type: 'prediction' })
  })
})

describe('order and bounds', () => {
  it('[VD16] answers in the order of the questions, one picture at a time', () => {
    const bench = open().send({ image: PICTURE, id: 1 }).send({ command: 'health', id: 2 }).send({ image: PICTURE, id: 3 }).send({ id: 4 })
    expect(bench.asked).toHaveLength(1)
    expect(bench.frames).toHaveLength(0)
    bench.reply(REPLY)
    expect(bench.asked).toHaveLength(2)
    bench.reply(REPLY)
    expect(bench.frames.map((frame) => JSON.parse(frame).request_id)).toEqual([1, 2, 3, 4])
  })

  it('[VD17] answers what is beyond the pictures that may wait with an error in its turn; nothing is lost in silence', () => {
    const bench = open()
    const count = VISION_WAITING.pictures + 3
    for (let id = 1; id <= count + 1; id += 1) bench.send({ image: PICTURE, id })
    for (let answered = 0; answered < VISION_WAITING.pictures + 1; answered += 1) bench.reply(REPLY)
    const answers = bench.frames.map((frame) => JSON.parse(frame))
    expect(answers.map(({ request_id }) => request_id)).toEqual(Array.from({ length: count + 1 }, (_, index) => index + 1))
    expect(answers.slice(-3).map(({ code }) => code)).toEqual(['vision.busy', 'vision.busy', 'vision.busy'])
    expect(bench.ended).toBeUndefined()
  })

  it('[VD18] bounds waiting pictures by their bytes as well', () => {
    const bench = open()
    const large = Buffer.alloc(3 * 1024 * 1024).toString('base64')
    for (let id = 0; id < 8; id += 1) bench.send({ image: large, id })
    for (let answered = 0; answered < 6; answered += 1) bench.reply(REPLY)
    expect(bench.frames.map((frame) => JSON.parse(frame).type)).toEqual([...Array<string>(6).fill('prediction'), 'error', 'error'])
  })

  it('[VD19] ends a client that asks on and on without an answer to come', () => {
    const bench = open()
    bench.send({ image: PICTURE })
    for (let count = 0; count <= VISION_WAITING.answers; count += 1) bench.send({})
    expect(bench.ended).toMatchObject({ close: 'tooManyErrors' })
  })

  it('[VD20] keeps the place of a frame that was refused at the door', () => {
    const bench = open().send({ image: PICTURE, id: 1 })
    bench.dialect.write({ type: 'error', error: { code: 'rate.limited', message: 'slower', retry: 'later' } }, bench.conversation)
    bench.reply(REPLY)
    expect(bench.frames.map((frame) => JSON.parse(frame).type)).toEqual(['prediction', 'error'])
  })

  it('[VD21] takes the bytes of a picture as they are, and JSON in a binary frame', () => {
    const bench = open()
    bench.dialect.read(new Uint8Array([0xff, 0xd8, 0xff]), bench.conversation)
    expect(bench.asked[0]?.attachment).toEqual(new Uint8Array([0xff, 0xd8, 0xff]))
    bench.reply(REPLY)
    bench.frames.length = 0
    bench.dialect.read(new TextEncoder().encode('{"command":"emotions"}'), bench.conversation)
    expect(bench.next()).toMatchObject({ type: 'emotions' })
  })

  it('[VD22] whatever comes gets exactly one answer, and nothing throws', () => {
    const message = fc.record(
      {
        command: fc.oneof(fc.jsonValue(), fc.constantFrom('predict', 'Emotions', 'model_info')),
        image: fc.oneof(fc.jsonValue(), fc.base64String()),
      },
      { requiredKeys: [] },
    )
    const frame = fc.oneof(
      fc.string(),
      fc.uint8Array(),
      fc.json(),
      message.map((fields) => JSON.stringify(fields)),
    )
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), (frames) => {
        const bench = open()
        for (const each of frames) {
          bench.dialect.read(each, bench.conversation)
          while (bench.asked.length > 0) {
            bench.reply(bench.question().method === 'info' ? { ...MODEL, input: {} } : REPLY)
            bench.asked.length = 0
          }
        }
        expect(bench.frames).toHaveLength(frames.length)
      }),
    )
  })
})
