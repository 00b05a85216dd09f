import { describe, expect, it } from 'vitest'
import type { Result } from '#shared/protocol/errors'
import { createFakeClock } from '#shared/testing/fake-clock'
import type { PictureToRead, ReadPicture } from '../../ports.ts'
import { createPictureQueue, type PictureAnswer, type QueuedPicture, type QueueLimits } from './picture-queue.ts'

const LIMITS: QueueLimits = { pictures: 4, bytes: 1_000, picturesPerPeer: 3 }

/** A queue before a backend that answers when the test says so. */
function setUp(slots = 1, limits: Partial<QueueLimits> = {}) {
  const clock = createFakeClock()
  const reading: { readonly source: string | Uint8Array; readonly finish: () => Promise<void> }[] = []
  function read({ source }: PictureToRead): Promise<Result<ReadPicture>> {
    return new Promise((resolve) => {
      const reading1 = { faces: [], width: Number(source), height: 1 }
      const model = { name: 'test', version: '1.0.0', classes: [] }
      const finish = async (): Promise<void> => {
        resolve({ ok: true, value: { reading: reading1, model, processingMs: 1 } })
        await new Promise(setImmediate)
      }
      reading.push({ source, finish })
    })
  }
  const queue = createPictureQueue({ backend: { slots, read }, clock, limits: { ...LIMITS, ...limits } })
  /** Adds a picture and keeps how it ended. */
  function add(source: string, options: Partial<QueuedPicture> = {}) {
    const outcome: { ended?: string; answer?: PictureAnswer } = {}
    const picture = { source, faces: 'all', orientation: 'exif', isCrop: false } as const
    const added = queue.add({ picture, sizeBytes: 1, from: 'a', isKept: false, deadlineMs: 1_000, ...options })
    if (!added.ok) return { outcome: { ended: added.failure.code }, cancel: () => {} }
    void added.value.answer.then((result) => {
      outcome.ended = result.ok ? 'read' : result.failure.code
      if (result.ok) outcome.answer = result.value
    })
    return { outcome, cancel: added.value.cancel }
  }
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(() => resolve()))
  return { clock, queue, reading, add, settle, sources: () => reading.map(({ source }) => source) }
}

describe('picture queue', () => {
  it('[VQ1] reads as many at once as the backend does, in the order they came', async () => {
    const { add, reading, sources, queue } = setUp(2)
    for (const source of ['1', '2', '3', '4']) add(source, { from: source })
    expect([sources(), queue.waiting()]).toEqual([['1', '2'], 2])
    await reading[1]?.finish()
    expect(sources()).toEqual(['1', '2', '3'])
    await reading[0]?.finish()
    await reading[2]?.finish()
    expect([sources(), queue.waiting()]).toEqual([['1', '2', '3', '4'], 0])
  })

  it('[VQ2] keeps only the newest waiting picture of a connection; the one being read is answered', async () => {
    const { add, reading, sources } = setUp()
    const [first, second, third] = [add('1'), add('2'), add('3')]
    const other = add('4', { from: 'b' })
    await reading[0]?.finish()
    await reading[1]?.finish()
    await reading[2]?.finish()
    expect(sources()).toEqual(['1', '3', '4'])
    expect([first, second, third, other].map(({ outcome }) => outcome.ended)).toEqual(['read', 'vision.superseded', 'read', 'read'])
  })

  it('[VQ3] answers all of a connection that wants every answer, in order', async () => {
    const { add, reading, sources } = setUp()
    const all = ['1', '2', '3'].map((source) => add(source, { isKept: true }))
    for (let index = 0; index < 3; index += 1) await reading[index]?.finish()
    expect([sources(), all.map(({ outcome }) => outcome.ended)]).toEqual([
      ['1', '2', '3'],
      ['read', 'read', 'read'],
    ])
  })

  it('[VQ4] is busy with as many pictures, bytes, or pictures of one connection as may wait', async () => {
    const { add, reading, queue } = setUp()
    add('0', { from: 'z' })
    for (let index = 0; index < 3; index += 1) add('1', { isKept: true })
    expect(add('2', { isKept: true }).outcome.ended).toBe('vision.busy')
    expect(add('3', { from: 'b', sizeBytes: 998 }).outcome.ended).toBe('vision.busy')
    expect(add('4', { from: 'b' }).outcome.ended).toBeUndefined()
    expect(add('5', { from: 'c' }).outcome.ended).toBe('vision.busy')
    expect(queue.waiting()).toBe(4)
    for (let index = 0; index < 5; index += 1) await reading[index]?.finish()
    expect(queue.waiting()).toBe(0)
    add('6', { from: 'c', sizeBytes: 1_000 })
    expect(add('7', { from: 'd', sizeBytes: 1_000 }).outcome.ended).toBeUndefined()
  })

  it('[VQ5] does not read a picture whose deadline has passed, and takes new ones in its place', async () => {
    const { add, clock, reading, sources, settle } = setUp(1, { pictures: 1 })
    add('1', { from: 'z' })
    const late = add('2', { deadlineMs: 500 })
    expect(add('3', { from: 'b' }).outcome.ended).toBe('vision.busy')
    clock.advance(500)
    const next = add('4', { from: 'b' })
    await settle()
    expect(late.outcome.ended).toBe('request.deadline_passed')
    clock.advance(200)
    await reading[0]?.finish()
    await reading[1]?.finish()
    expect([sources(), next.outcome.ended, next.outcome.answer?.queuedMs]).toEqual([['1', '4'], 'read', 200])
  })

  it('[VQ6] does not read for somebody who has left', async () => {
    const { add, reading, sources, queue } = setUp()
    add('1', { from: 'z' })
    const gone = add('2')
    gone.cancel()
    gone.cancel()
    expect(queue.waiting()).toBe(0)
    await reading[0]?.finish()
    expect([sources(), gone.outcome.ended]).toEqual([['1'], 'request.target_gone'])
  })

  it('[VQ7] tells everybody who waits when it closes, and takes nothing any more', async () => {
    const { add, queue, settle } = setUp()
    add('1')
    const waiting = add('2')
    queue.close()
    await settle()
    expect([waiting.outcome.ended, add('3').outcome.ended]).toEqual(['vision.unavailable', 'vision.unavailable'])
  })
})
