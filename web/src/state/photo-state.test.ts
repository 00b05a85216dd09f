import { describe, expect, it } from 'vitest'
import { VisionError } from '../vision/vision-error.ts'
import { createPhotoState, MAX_FILES, MAX_FILM_PICTURES, type PhotoState, toMoments } from './photo-state.svelte.ts'

const OK = { ok: true, analysis: { time: 0, faces: [], search: 'find', stages: {} }, model: 'm@1' }

/** Pictures and films of which only what the state looks at is there; `read` answers when the test lets it. */
function setUp(read: (time: number) => unknown = () => OK) {
  const log: string[] = []
  let now = 0
  const dependencies: unknown = {
    reader: {
      async read(_picture: unknown, time: number) {
        log.push(`read ${time}`)
        now += 100
        return await read(time)
      },
      reset: () => log.push('reset'),
      close: () => log.push('close'),
    },
    openPicture: ({ name }: File) =>
      Promise.resolve(name.startsWith('bad') ? { ok: false, problem: 'undecodable' } : { ok: true, picture: { width: 4, height: 3 } }),
    openFilm: () =>
      Promise.resolve({
        ok: true,
        film: { seconds: 1, width: 4, height: 3, pictureAt: () => Promise.resolve({}), close: () => log.push('film closed') },
      }),
    takeShared: () => Promise.resolve([]),
    now: () => now,
  }
  const photos: PhotoState = Reflect.apply(createPhotoState, undefined, [dependencies])
  return { photos, log }
}

const file = (name: string, type = 'image/jpeg'): File => new File(['x'], name, { type })

async function untilIdle(photos: PhotoState): Promise<void> {
  const isBusy = (): boolean => photos.items.some(({ status }) => status.kind === 'waiting' || status.kind === 'reading')
  while (isBusy()) await new Promise((resolve) => setImmediate(resolve))
}

describe('photos', () => {
  it('[PO1] reads one file after the other, each by itself, and says of each what is wrong', async () => {
    const { photos, log } = setUp()
    photos.add([
      file('a.jpg'),
      file('bad.jpg'),
      file('notes.txt', 'text/plain'),
      file('b.jpg'),
      new File([], 'empty.png', { type: 'image/png' }),
    ])
    await untilIdle(photos)
    expect(photos.items.map(({ status }) => ('problem' in status ? status.problem : status.kind))).toEqual([
      ...['read', 'undecodable', 'kind', 'read', 'empty'],
    ])
    expect(log).toEqual(['reset', 'read 0', 'reset', 'reset', 'read 0'])
    expect(photos.model).toBe('m@1')
  })

  it('[PO2] takes a bounded number of files and says how many found no room', async () => {
    const { photos } = setUp()
    photos.add(Array.from({ length: MAX_FILES + 3 }, (_, index) => file(`${index}.jpg`)))
    expect([photos.items.length, photos.turnedAway]).toEqual([MAX_FILES, 3])
    await untilIdle(photos)
    const [first] = photos.items
    if (first !== undefined) photos.remove(first)
    photos.add([file('more.jpg')])
    expect([photos.items.length, photos.turnedAway]).toEqual([MAX_FILES, 0])
  })

  it('[PO3] looks at a short film five times a second, at a long one a bounded number of times', () => {
    expect(toMoments(1)).toEqual([0, 0.2, 0.4, expect.closeTo(0.6), 0.8])
    expect(toMoments(0.05)).toEqual([0])
    const long = toMoments(7200)
    expect(long).toHaveLength(MAX_FILM_PICTURES)
    expect(long.at(-1)).toBeLessThan(7200)
  })

  it('[PO4] stopping a film keeps what was read; progress only grows', async () => {
    const done: number[] = []
    const { photos } = setUp((time) => {
      const [item] = photos.items
      if (item?.status.kind === 'reading') done.push(item.status.done)
      if (time >= 400 && item !== undefined) photos.stopReading(item)
      return OK
    })
    photos.add([file('f.mp4', 'video/mp4')])
    await untilIdle(photos)
    expect(photos.items[0]?.status).toEqual({ kind: 'read', isComplete: false })
    expect(photos.items[0]?.samples.map(({ seconds }) => seconds)).toEqual([0, 0.2, 0.4])
    expect(done).toEqual([0, 0.2, 0.4])
  })

  it('[PO5] leaving the page forgets everything and ends the reader', async () => {
    const { photos, log } = setUp()
    const leave = photos.start()
    photos.add([file('f.mp4', 'video/mp4')])
    await untilIdle(photos)
    leave()
    expect(photos.items).toEqual([])
    expect(log.slice(-2)).toEqual(['film closed', 'close'])
  })

  it('[PO6] says that the networks could not be run, and why', async () => {
    const { photos } = setUp(() => ({ ok: false, error: new VisionError('model-missing', 'emotion.onnx') }))
    photos.add([file('a.jpg')])
    await untilIdle(photos)
    expect(photos.items[0]?.status).toEqual({ kind: 'failed', problem: 'reader', code: 'model-missing' })
  })

  it('[PO7] says so when a share brought nothing', async () => {
    const { photos } = setUp()
    await photos.addShared()
    expect(photos.missedShare).toBe(true)
  })
})
