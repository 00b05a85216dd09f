/** The service in a whole relay: real sockets, real threads, the networks that ship. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeBinaryFrame } from '#shared/protocol/binary-frame'
import { openTestClient, type ReceivedMessage, type TestClient } from '#shared/testing/test-client'
import { convertFaceDetector } from '../../../scripts/convert-face-detector.ts'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'

const portraitFile = new URL('../../../web/fixtures/astronaut.jpg', import.meta.url)
let portrait: Buffer
let relay: TestRelay

beforeAll(async () => {
  await convertFaceDetector(fileURLToPath(new URL('../../../web/public/models', import.meta.url)))
  portrait = await readFile(portraitFile)
  relay = await startTestRelay({ settings: { IMAGE_BYTES: '100000', IMAGE_PIXELS: '300000' } })
})
afterAll(() => relay[Symbol.asyncDispose]())

async function openClient(running = relay): Promise<TestClient> {
  return openTestClient(`ws://127.0.0.1:${String(running.port)}/relay?token=${await running.acquireToken()}`)
}

/** Asks in a binary frame. @returns `replied` or `error`. */
function ask(client: TestClient, id: string, { bytes = portrait, data = {} }: { bytes?: Uint8Array; data?: object } = {}) {
  client.send(encodeBinaryFrame(JSON.stringify({ type: 'request', id, to: 'vision', method: 'predict', data }), bytes))
  return answerTo(client, id)
}

function answerTo(client: TestClient, id: string): Promise<ReceivedMessage> {
  return client.next((message) => (message['type'] === 'replied' || message['type'] === 'error') && message['id'] === id)
}

function readCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
}

describe('vision', () => {
  it('[VS5] reads a picture in a binary frame and tells which network read it', async () => {
    await using client = await openClient()
    const answer = await ask(client, 'one')
    expect(answer).toMatchObject({
      type: 'replied',
      data: {
        faces: [{ emotion: 'happiness', certain: true }],
        width: 512,
        height: 512,
        model: { name: 'semblante-emotion', version: expect.any(String), classes: expect.arrayContaining(['neutral']) },
        processingMs: expect.any(Number),
        queuedMs: expect.any(Number),
      },
    })
  })

  it('[VS6] answers info and emotions', async () => {
    await using client = await openClient()
    client.send({ type: 'request', id: 'info', to: 'vision', method: 'info' })
    client.send({ type: 'request', id: 'emotions', to: 'vision', method: 'emotions' })
    expect(await answerTo(client, 'info')).toMatchObject({ type: 'replied', data: { runtime: 'onnxruntime-node', threads: 1 } })
    expect(await answerTo(client, 'emotions')).toMatchObject({ data: { emotions: expect.arrayContaining(['happiness']) } })
    client.send({ type: 'request', id: 'other', to: 'vision', method: 'other' })
    expect(await answerTo(client, 'other')).toMatchObject({ type: 'error', error: { code: 'request.unknown_method' } })
  })

  it('[VS7] supersedes what waits when a newer picture of the connection comes, unless asked to keep it', async () => {
    await using client = await openClient()
    const types = (answers: readonly ReceivedMessage[]) => answers.map(({ type, error }) => readCode(error) ?? type)
    const film = await Promise.all(['a', 'b', 'c', 'd'].map((id) => ask(client, id)))
    expect(types(film)).toEqual(['replied', 'vision.superseded', 'vision.superseded', 'replied'])
    const kept = await Promise.all(['e', 'f', 'g', 'h'].map((id) => ask(client, id, { data: { keep: true } })))
    expect(types(kept)).toEqual(['replied', 'replied', 'replied', 'replied'])
  })

  it('[VS8] refuses with a code, counts what it refused, and reads the next', async () => {
    await using client = await openClient()
    const cases = [
      ['image.missing', Buffer.alloc(0)],
      ['image.undecodable', Buffer.from('no picture')],
      ['image.unsupported', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
      ['image.too_large', Buffer.alloc(100_001)],
    ] as const
    for (const [code, bytes] of cases) {
      expect(await ask(client, code, { bytes })).toMatchObject({ type: 'error', error: { code } })
      expect(await ask(client, `after ${code}`)).toMatchObject({ type: 'replied' })
    }
    const metrics = (await relay.get('/metrics')).text
    expect(metrics).toMatch(/semblante_pictures_total\{outcome="refused"\} 4/)
    expect(metrics).toMatch(/semblante_limit_hits_total\{limit="image_bytes"\} 1/)
    expect(metrics).toMatch(/semblante_picture_seconds_count \d+/)
  })

  it('[VS9] keeps the relay answering others while pictures are read', async () => {
    await using reading = await openClient()
    await using other = await openClient()
    const pictures = Array.from({ length: 16 }, (_, index) => ask(reading, String(index), { data: { keep: true } }))
    for (let index = 0; index < 10; index += 1) {
      other.send({ type: 'request', id: `q${String(index)}`, to: 'relay', method: 'none' })
      await answerTo(other, `q${String(index)}`)
    }
    // Ten questions take some milliseconds; the pictures are far from through.
    expect(reading.received.filter(({ type }) => type === 'replied').length).toBeLessThan(16)
    await Promise.all(pictures)
  })

  it('[VS10] says that it reads nothing where the operator wants none, and starts all the same', async () => {
    await using without = await startTestRelay({ settings: { INFERENCE_THREADS: '0' } })
    await using client = await openClient(without)
    expect(await ask(client, 'one')).toMatchObject({ type: 'error', error: { code: 'vision.unavailable' } })
    client.send({ type: 'request', id: 'info', to: 'vision', method: 'info' })
    expect(await answerTo(client, 'info')).toMatchObject({ type: 'error', error: { code: 'vision.unavailable' } })
  })

  it('[VS11] writes no picture and no part of one to its log', async () => {
    const marks = [portrait.toString('base64').slice(200, 230), createHash('sha256').update(portrait).digest('hex')]
    const log = JSON.stringify(relay.log.entries)
    for (const mark of marks) expect(log).not.toContain(mark)
    expect(log).not.toContain('no picture')
  })
})
