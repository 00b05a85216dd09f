/**
 * Each message of VisionAI's document as a case, by a client that knows only a URL, and pictures that are really read. Without VISION_URL (as
 * `ws://host:8000`) it starts a whole relay of its own.
 */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'
import { openVisionClient, type VisionClient } from './testing/vision-client.ts'

const given = process.env['VISION_URL']
let relay: TestRelay | undefined
let url = given ?? ''
/** Its face smiles. */
let portrait = ''

beforeAll(async () => {
  portrait = (await readFile(new URL('../../../web/fixtures/astronaut.jpg', import.meta.url))).toString('base64')
  if (given !== undefined) return
  relay = await startTestRelay({ settings: { COMPAT_PORTS: '0:vision' } })
  url = `ws://127.0.0.1:${String(relay.compatPorts[0]?.port)}`
})
afterAll(() => relay?.[Symbol.asyncDispose]())

const TIMESTAMP = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
const NAMES = ['angry', 'disgust', 'fear', 'happy', 'neutral', 'sad', 'surprise']

async function open(path = '/'): Promise<VisionClient> {
  const client = await openVisionClient(`${url}${path}`)
  await client.next()
  return client
}

const http = (path: string): string => `${url.replace('ws', 'http')}${path}`

async function parse(response: Response): Promise<{ readonly status: number; readonly body: unknown }> {
  return { status: response.status, body: JSON.parse(await response.text()) }
}

describe('the document, message by message', () => {
  it('[VD50] greets on any path', async () => {
    for (const path of ['', '/', '/ws', '/whatever/it/is']) {
      using client = await openVisionClient(`${url}${path}`)
      expect(await client.next()).toEqual({
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
    }
  })

  it('[VD51] predict: reads the smile of the portrait', async () => {
    using client = await open()
    expect(await client.ask({ command: 'predict', image: portrait })).toMatchObject({
      type: 'prediction',
      status: 'success',
      emotion_name: 'happy',
      model_version_tag: expect.stringMatching(/^v\d+\.\d+\.\d+$/),
      timestamp: TIMESTAMP,
      certain: true,
    })
  })

  it('[VD52] predict: a confidence of four decimals, a whole number of milliseconds, where the face is', async () => {
    using client = await open()
    const answer = await client.ask({ image: `data:image/jpeg;base64,${portrait}`, request_id: 'mine' })
    expect(answer).toMatchObject({ type: 'prediction', request_id: 'mine', box: { x: expect.closeTo(0.33, 1) } })
    const { confidence, processing_time_ms: time } = answer
    expect(confidence).toBeGreaterThanOrEqual(0.8)
    expect(Number(confidence) * 10_000).toBeCloseTo(Math.round(Number(confidence) * 10_000), 6)
    expect(Number.isInteger(time)).toBe(true)
    expect(Object.keys(Object(answer['probabilities']))).toEqual(NAMES)
  })

  it('[VD53] predict: PNG and WebP, and a picture without a face, which is read all the same but never for certain', async () => {
    using client = await open()
    const photo = Buffer.from(portrait, 'base64')
    for (const picture of [await sharp(photo).png().toBuffer(), await sharp(photo).webp().toBuffer()]) {
      expect(await client.ask({ image: picture.toString('base64') })).toMatchObject({ type: 'prediction', emotion_name: 'happy' })
    }
    const wall = await sharp({ create: { width: 96, height: 96, channels: 3, background: '#998877' } })
      .jpeg()
      .toBuffer()
    const answer = await client.ask({ image: wall.toString('base64') })
    expect(answer).toMatchObject({ type: 'prediction', status: 'success', certain: false })
    expect(NAMES).toContain(answer['emotion_name'])
  })

  it('[VD54] emotions', async () => {
    using client = await open()
    const answer = await client.ask({ command: 'emotions' })
    expect(answer).toMatchObject({ type: 'emotions', status: 'success' })
    expect(answer['emotions']).toEqual(
      expect.arrayContaining([
        { id: 1, name: 'angry', description: 'Enojo o ira' },
        { id: 4, name: 'happy', description: 'Felicidad o alegría' },
      ]),
    )
  })

  it('[VD55] model_info', async () => {
    using client = await open()
    expect(await client.ask({ command: 'model_info' })).toMatchObject({
      type: 'model_info',
      status: 'success',
      info: { status: 'loaded', input_shape: [48, 48, 1], num_classes: 7, emotion_classes: NAMES },
    })
  })

  it('[VD56] health counts the asker and whoever else is there', async () => {
    using client = await open()
    const before = Number((await client.ask({ command: 'health' }))['clients_connected'])
    using _second = await open()
    expect(await client.ask({ command: 'health' })).toEqual({
      type: 'health',
      status: 'healthy',
      service: 'VisionAI Backend',
      timestamp: TIMESTAMP,
      clients_connected: before + 1,
    })
  })
})

describe('mistakes', () => {
  const jpegStart = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]).toString('base64')
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>').toString('base64')
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['no image', { command: 'predict' }, "Campo 'image' requerido"],
    ['an empty image', { command: 'predict', image: '' }, 'La imagen está vacía'],
    ['wrong base64', { command: 'predict', image: 'abc' }, 'Error al decodificar imagen: Incorrect padding'],
    ['a text', { command: 'predict', image: Buffer.from('hello').toString('base64') }, 'No se pudo procesar la imagen proporcionada.'],
    ['a cut picture', { command: 'predict', image: jpegStart }, 'No se pudo procesar la imagen proporcionada.'],
    ['an SVG', { command: 'predict', image: svg }, 'No se pudo procesar la imagen proporcionada.'],
    ['an unknown command', { command: 'fly' }, 'Comando desconocido: fly'],
    ['no object', ['predict'], 'Error al procesar mensaje'],
  ]
  it.each(cases)('[VD57] %s gets its text and a code, and the next question its answer', async (_, message, text) => {
    using client = await open()
    expect(await client.ask(message)).toMatchObject({ type: 'error', message: text, code: expect.stringMatching(/^[a-z]+\.[a-z_]+$/) })
    expect(await client.ask({ command: 'health' })).toMatchObject({ type: 'health' })
  })

  it('[VD58] text that is no JSON', async () => {
    using client = await open()
    client.sendText('predict!')
    expect(await client.next()).toMatchObject({ type: 'error', message: 'JSON inválido' })
  })

  it('[VD59] a message beyond the limit closes the connection, as it did', async () => {
    using client = await open()
    client.sendText(JSON.stringify({ image: 'A'.repeat(2_000_000) }))
    expect(await client.closed).toBe(1009)
  })

  it('[VD60] takes what fitted into a message of 1 MiB', async () => {
    using client = await open()
    const large = await sharp(Buffer.from(portrait, 'base64')).resize(1200).png().toBuffer()
    const image = large.toString('base64').slice(0, 1_048_000)
    expect(await client.ask({ image })).toMatchObject({ type: 'error', message: expect.stringMatching(/^No se pudo|^Error al decod/) })
  })
})

describe('order', () => {
  it('[VD61] questions sent at once are answered in order', async () => {
    using client = await open()
    for (let id = 1; id <= 12; id += 1) client.send(id % 3 === 0 ? { command: 'emotions', id } : { image: portrait, id })
    const ids: unknown[] = []
    for (let id = 1; id <= 12; id += 1) ids.push((await client.next())['request_id'])
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })

  it('[VD62] one client’s pictures are not another’s', async () => {
    using one = await open()
    using two = await open()
    const [first, second] = await Promise.all([one.ask({ image: portrait, id: 'one' }), two.ask({ image: 'aaaa', id: 'two' })])
    expect([first, second]).toMatchObject([
      { type: 'prediction', request_id: 'one' },
      { type: 'error', request_id: 'two' },
    ])
  })
})

describe.skipIf(given !== undefined)('on the one port, and behind a door', () => {
  it('[VD66] is spoken at /vision as well', async () => {
    using client = await openVisionClient(`ws://127.0.0.1:${String(relay?.port)}/vision`)
    expect(await client.next()).toMatchObject({ type: 'welcome' })
    expect(await client.ask({ image: portrait })).toMatchObject({ type: 'prediction', emotion_name: 'happy' })
  })

  it('[VD68] takes large pictures as fast as they are answered, under the limits a relay has by default', async () => {
    const limits = { BYTES_PER_SECOND: '1048576', MESSAGES_PER_SECOND: '100', MESSAGE_BURST: '200' }
    await using usual = await startTestRelay({ settings: { COMPAT_PORTS: '0:vision', ...limits } })
    using client = await openVisionClient(`ws://127.0.0.1:${String(usual.compatPorts[0]?.port)}/`)
    await client.next()
    const photo = sharp(Buffer.from(portrait, 'base64')).resize(1200).jpeg({ quality: 97 })
    const image = (await photo.toBuffer()).toString('base64')
    expect(image.length).toBeGreaterThan(300_000)
    for (let count = 0; count < 24; count += 1) expect(await client.ask({ image })).toMatchObject({ type: 'prediction' })
  })

  it('[VD67] wants a token where the operator says so, for sockets and for plain requests, but not to say that it is well', async () => {
    await using closed = await startTestRelay({ settings: { COMPAT_PORTS: '0:vision', COMPAT_AUTH: 'token', INFERENCE_THREADS: '0' } })
    const port = String(closed.compatPorts[0]?.port)
    await expect(openVisionClient(`ws://127.0.0.1:${port}/`)).rejects.toThrow(/401/)
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/emotions`)).status).toBe(401)
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/health`)).status).toBe(200)
    using client = await openVisionClient(`ws://127.0.0.1:${port}/?token=${await closed.acquireToken()}`)
    expect(await client.next()).toMatchObject({ type: 'welcome' })
    // And where nothing can be read it says so, and answers the rest.
    expect(await client.ask({ image: portrait })).toMatchObject({
      type: 'error',
      message: 'Error interno del servidor',
      code: 'vision.unavailable',
    })
    expect(await client.ask({ command: 'model_info' })).toMatchObject({ type: 'model_info', info: { status: 'not_loaded' } })
    expect(await client.ask({ command: 'emotions' })).toMatchObject({ type: 'emotions' })
  })
})

describe('plain HTTP', () => {
  it('[VD63] POST /api/v1/predict as a form and as JSON', async () => {
    const form = new FormData()
    form.set('file', new Blob([Buffer.from(portrait, 'base64')], { type: 'image/jpeg' }), 'rostro.jpg')
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ image: portrait }) }
    for (const request of [{ method: 'POST', body: form }, json]) {
      const answer = await parse(await fetch(http('/api/v1/predict'), request))
      expect(answer).toMatchObject({ status: 200, body: { status: 'success', emotion_name: 'happy' } })
    }
  })

  it('[VD64] a body that holds no picture', async () => {
    const form = new FormData()
    form.set('file', new Blob(['hello'], { type: 'image/jpeg' }), 'hello.jpg')
    expect(await parse(await fetch(http('/api/v1/predict'), { method: 'POST', body: form }))).toMatchObject({
      status: 400,
      body: { status: 'error', detail: 'No se pudo procesar la imagen proporcionada.', code: 'image.undecodable' },
    })
  })

  it('[VD65] GET emotions, model/info, health, and the root', async () => {
    const get = async (path: string) => await parse(await fetch(http(path)))
    expect(await get('/api/v1/emotions')).toMatchObject({ status: 200, body: { type: 'emotions' } })
    expect(await get('/api/v1/model/info')).toMatchObject({ status: 200, body: { info: { status: 'loaded' } } })
    expect(await get('/api/v1/health')).toMatchObject({ status: 200, body: { status: 'healthy' } })
    expect(await get('/')).toMatchObject({ status: 200, body: { service: 'VisionAI Backend' } })
  })
})
