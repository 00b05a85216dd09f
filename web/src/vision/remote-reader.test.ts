import { describe, expect, it } from 'vitest'
import { createRemoteReader, type AskRelay, type RelayAnswer, type RelayWish } from './remote-reader.ts'
import type { FramePictures, SmallPicture } from './vision-api.ts'

const STAGES = { grabMs: 1, detectMs: 2, encodeMs: 3 }
const REGION = { x: 0.25, y: 0.5, width: 0.5, height: 0.5 }

function answerOf(emotion: string, box = { x: 0.25, y: 0.25, width: 0.5, height: 0.5 }): RelayAnswer {
  const face = { box, probabilities: { [emotion]: 1 }, emotion, confidence: 1, certain: true, quality: { quality: 0.75 } }
  return { ok: true, data: { faces: [face], model: { name: 'net', version: '1.2.3' } } }
}

function crop(id: number): SmallPicture {
  return { jpeg: new Uint8Array([id]), region: REGION, face: { id, score: 0.9, box: { x: 0.3, y: 0.6, width: 0.2, height: 0.2 } } }
}

function picturesOf(pictures: readonly SmallPicture[], time = 1000): FramePictures {
  return { time, kind: pictures[0]?.face === undefined ? 'frame' : 'faces', pictures, stages: STAGES }
}

function bench(answers: readonly RelayAnswer[]) {
  const asked: { readonly picture: number; readonly wish: RelayWish }[] = []
  let time = 0
  const ask: AskRelay = (picture, wish) => {
    asked.push({ picture: picture[0] ?? -1, wish })
    time += 10
    return Promise.resolve(answers[asked.length - 1] ?? { ok: false, code: 'vision.busy' })
  }
  return { asked, reader: createRemoteReader(ask, () => time), options: { signal: new AbortController().signal, lastId: 4 } }
}

describe('remote reader', () => {
  it('[FB10] sends each face by itself and gives the answers the ids and boxes the tablet knows', async () => {
    const { asked, reader, options } = bench([answerOf('happiness'), answerOf('anger')])
    const reading = await reader.read(picturesOf([crop(3), crop(5)]), options)
    expect(asked).toEqual([
      { picture: 3, wish: { faces: 'largest', crop: true } },
      { picture: 5, wish: { faces: 'largest', crop: true } },
    ])
    expect(reading).toMatchObject({
      kind: 'read',
      model: 'net@1.2.3',
      analysis: {
        time: 1000,
        faces: [
          { id: 3, emotion: 'happiness', confidence: 1, isCertain: true, quality: 0.75, box: { x: 0.3 } },
          { id: 5, emotion: 'anger' },
        ],
        stages: { grabMs: 1, detectMs: 2, classifyMs: 23, totalMs: 26 },
      },
    })
  })

  it('[FB11] places the faces of a whole frame, follows them by their boxes and smooths over time', async () => {
    const { asked, reader, options } = bench([answerOf('happiness'), answerOf('sadness')])
    const frame = { jpeg: new Uint8Array([9]), region: { x: 0, y: 0, width: 1, height: 1 } }
    const first = await reader.read(picturesOf([frame], 1000), options)
    const second = await reader.read(picturesOf([frame], 1050), options)
    expect(asked[0]?.wish).toEqual({ faces: 'all' })
    if (first.kind !== 'read' || second.kind !== 'read') throw new Error('not read')
    expect(first.analysis.faces[0]?.id).toBe(5)
    expect(first.analysis.faces[0]?.box).toEqual({ x: 0.25, y: 0.25, width: 0.5, height: 0.5 })
    expect(second.analysis.faces[0]?.id).toBe(first.analysis.faces[0]?.id)
    expect(second.analysis.faces[0]?.emotion).toBe('happiness')
    expect(second.analysis.faces[0]?.confidence).toBeLessThan(1)
  })

  it('[FB12] sends no further picture once it is told to stop', async () => {
    const ending = new AbortController()
    const asked: Uint8Array[] = []
    const reader = createRemoteReader(
      (picture) => {
        asked.push(picture)
        ending.abort()
        return Promise.resolve(answerOf('fear'))
      },
      () => 0,
    )
    expect(await reader.read(picturesOf([crop(1), crop(2)]), { signal: ending.signal, lastId: 0 })).toEqual({ kind: 'stopped' })
    expect(asked).toHaveLength(1)
    expect(await reader.read(picturesOf([crop(1)]), { signal: ending.signal, lastId: 0 })).toEqual({ kind: 'stopped' })
    expect(asked).toHaveLength(1)
  })

  it('[FB13] tells the code of a refusal, and takes an answer that is none for a defect', async () => {
    const { reader, options } = bench([
      { ok: false, code: 'auth.forbidden' },
      { ok: true, data: { faces: 'many' } },
      { ok: true, data: 7 },
    ])
    expect(await reader.read(picturesOf([crop(1)]), options)).toEqual({ kind: 'failed', code: 'auth.forbidden' })
    expect(await reader.read(picturesOf([crop(1)]), options)).toEqual({ kind: 'failed', code: 'server.internal' })
    expect(await reader.read(picturesOf([crop(1)]), options)).toEqual({ kind: 'failed', code: 'server.internal' })
  })

  it('[FB14] asks nobody when nobody is in view', async () => {
    const { asked, reader, options } = bench([])
    expect(await reader.read({ time: 5, kind: 'faces', pictures: [], stages: STAGES }, options)).toMatchObject({
      kind: 'read',
      analysis: { faces: [] },
    })
    expect(asked).toEqual([])
  })
})
