import { describe, expect, it } from 'vitest'
import { parsePictureQuestion } from './picture-question.ts'

describe('picture question', () => {
  it('[VS1] fills in what was left out', () => {
    expect(parsePictureQuestion({ image: 'AAAA' }, undefined)).toEqual({
      ok: true,
      value: {
        picture: { source: 'AAAA', faces: 'all', orientation: 'exif', isCrop: false },
        isKept: false,
        sizeBytes: 3,
      },
    })
  })

  it('[VS2] takes the attachment before the text, and needs no data then', () => {
    const bytes = Uint8Array.of(1, 2)
    for (const data of [undefined, null, {}, { image: 'AAAA' }]) {
      expect(parsePictureQuestion(data, bytes)).toMatchObject({ ok: true, value: { picture: { source: bytes }, sizeBytes: 2 } })
    }
  })

  it('[VS3] knows the size before anything is decoded', () => {
    const size = (image: string): number => {
      const parsed = parsePictureQuestion({ image }, undefined)
      return parsed.ok ? parsed.value.sizeBytes : Number.NaN
    }
    for (const length of [1, 2, 3, 4, 1_000]) {
      const text = Buffer.alloc(length).toString('base64')
      expect([size(text), size(`data:image/png;base64,${text}`)]).toEqual([length, length])
    }
  })

  it.each([
    [{}, 'image.missing', undefined],
    [{ image: '' }, 'image.missing', undefined],
    [{ image: 7 }, 'frame.invalid_fields', '/data/image'],
    [{ image: 'AAAA', faces: 'some' }, 'frame.invalid_fields', '/data/faces'],
    [{ image: 'AAAA', orientation: 90 }, 'frame.invalid_fields', '/data/orientation'],
    [{ image: 'AAAA', crop: 'yes' }, 'frame.invalid_fields', '/data/crop'],
    [{ image: 'AAAA', keep: 1 }, 'frame.invalid_fields', '/data/keep'],
    [[1], 'frame.invalid_fields', '/data'],
    ['AAAA', 'frame.invalid_fields', '/data'],
  ])('[VS4] refuses %j with %s', (data, code, field) => {
    expect(parsePictureQuestion(data, undefined)).toMatchObject({ ok: false, failure: { code, ...(field === undefined ? {} : { field }) } })
  })
})
