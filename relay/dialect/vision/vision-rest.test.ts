import { describe, expect, it } from 'vitest'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { HttpRequest, RestQuestion } from '../../ports.ts'
import { createVisionSystem } from './vision-system.ts'

const FACE = { box: { x: 0, y: 0, width: 1, height: 1 }, probabilities: { sadness: 0.75, neutral: 0.25 }, certain: true }
const REPLY = { faces: [FACE], model: { name: 'net', version: '1.0.0', classes: [] }, processingMs: 3, queuedMs: 0 }
const LIMIT = 100_000

interface Call {
  readonly path: string
  readonly type?: string
  readonly body?: Uint8Array | string
  readonly service?: (question: RestQuestion) => Result<unknown>
}

async function call({ path, type = '', body = '', service = () => succeed(REPLY) }: Call) {
  const { rest } = createVisionSystem({ clock: { now: () => 0 }, imageBytes: LIMIT })
  const route = rest.find((candidate) => candidate.path === path)
  if (route === undefined) throw new Error(`no route ${path}`)
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const asked: RestQuestion[] = []
  const request: HttpRequest = {
    method: 'POST',
    path,
    query: new URLSearchParams(),
    headers: new Map([['content-type', type]]),
    remoteAddress: '127.0.0.1',
    readBody: (limit) => Promise.resolve(bytes.byteLength > limit ? fail('frame.too_large', 'too large') : succeed(bytes)),
    onGone: () => {},
  }
  const identity = { subject: 's', roles: [], rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: 0 }
  const answer = await route.answer(request, {
    identity,
    call: (question) => {
      asked.push(question)
      return Promise.resolve(service(question))
    },
  })
  if (!('status' in answer)) throw new Error('a stream was not expected')
  const answered: Record<string, unknown> = JSON.parse(String(answer.body))
  return { status: answer.status, body: answered, asked, door: route.door }
}

function form(parts: readonly (readonly [string, string])[], boundary = 'xyz'): Uint8Array {
  const text = parts.map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n${value}\r\n`,
  )
  return new Uint8Array(Buffer.from(`${text.join('')}--${boundary}--\r\n`, 'latin1'))
}

describe('VisionAI over plain HTTP', () => {
  const picture = 'bytes\r\n--xy\r\n\u00ff'
  it.each(['file', 'image'])('[VD30] POST /api/v1/predict takes a form with %s', async (field) => {
    const { status, body, asked } = await call({
      path: '/api/v1/predict',
      type: 'multipart/form-data; boundary="xyz"',
      body: form([
        ['note', 'hello'],
        [field, picture],
      ]),
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'success',
      emotion_name: 'sad',
      confidence: 0.75,
      model_version_tag: 'v1.0.0',
      processing_time_ms: 3,
    })
    expect(Buffer.from(asked[0]?.attachment ?? []).toString('latin1')).toBe(picture)
  })

  it('[VD31] takes JSON with base64 and a picture by itself', async () => {
    const json = await call({
      path: '/api/v1/predict',
      type: 'application/json',
      body: JSON.stringify({ image: 'data:image/png;base64,YWI=' }),
    })
    expect(Buffer.from(json.asked[0]?.attachment ?? []).toString()).toBe('ab')
    const raw = await call({ path: '/api/v1/predict', type: 'image/jpeg', body: 'ab' })
    expect(Buffer.from(raw.asked[0]?.attachment ?? []).toString()).toBe('ab')
  })

  const mistakes: readonly (readonly [string, Omit<Call, 'path'>, number, string, string])[] = [
    [
      'no field',
      { type: 'multipart/form-data; boundary=xyz', body: form([['other', 'x']]) },
      400,
      'image.missing',
      "Campo 'image' requerido",
    ],
    [
      'an empty file',
      { type: 'multipart/form-data; boundary=xyz', body: form([['file', '']]) },
      400,
      'image.missing',
      'La imagen está vacía',
    ],
    [
      'a cut form',
      { type: 'multipart/form-data; boundary=xyz', body: form([['file', 'x']]).slice(0, 60) },
      400,
      'frame.invalid_fields',
      'The form cannot',
    ],
    ['no boundary', { type: 'multipart/form-data', body: 'x' }, 400, 'frame.invalid_fields', 'The form cannot'],
    ['no JSON', { type: 'application/json', body: '{' }, 400, 'frame.malformed_json', 'JSON inválido'],
    ['JSON that is a number', { type: 'application/json', body: '4' }, 400, 'frame.not_an_object', 'Error al procesar mensaje'],
    [
      'wrong base64',
      { type: 'application/json', body: '{"image":"YWI"}' },
      400,
      'image.undecodable',
      'Error al decodificar imagen: Incorrect padding',
    ],
    ['another type', { type: 'text/plain', body: 'x' }, 400, 'frame.invalid_fields', 'The body is'],
    ['too much', { type: 'image/jpeg', body: new Uint8Array(LIMIT + 20_000) }, 413, 'frame.too_large', 'too large'],
    [
      'no picture',
      { type: 'image/jpeg', body: 'x', service: () => fail('image.undecodable', 'no') },
      400,
      'image.undecodable',
      'No se pudo procesar',
    ],
    ['busy', { type: 'image/jpeg', body: 'x', service: () => fail('vision.busy', 'full') }, 503, 'vision.busy', 'Error interno'],
  ]
  it.each(mistakes)('[VD32] %s is a clear error', async (_, request, status, code, text) => {
    const answer = await call({ path: '/api/v1/predict', ...request })
    expect(answer).toMatchObject({ status, body: { status: 'error', code, detail: expect.stringContaining(text) } })
  })

  it('[VD34] GET emotions, model/info and health; health is open to all', async () => {
    expect(await call({ path: '/api/v1/emotions' })).toMatchObject({ status: 200, door: 'compat', body: { emotions: { length: 7 } } })
    const facts = () => succeed({ ...REPLY.model, input: { width: 48, height: 48, channels: 1 } })
    expect(await call({ path: '/api/v1/model/info', service: facts })).toMatchObject({
      status: 200,
      body: { info: { status: 'loaded', num_classes: 7 } },
    })
    const unloaded = await call({ path: '/api/v1/model/info', service: () => fail('request.unknown_target', 'none') })
    expect(unloaded).toMatchObject({ status: 200, body: { info: { status: 'not_loaded' } } })
    expect(await call({ path: '/api/v1/health' })).toMatchObject({
      status: 200,
      door: 'open',
      body: { status: 'healthy', clients_connected: 0 },
    })
  })
})
