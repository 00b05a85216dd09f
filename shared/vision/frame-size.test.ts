import { describe, expect, it } from 'vitest'
import { shrinkFrame } from './frame-size.ts'

describe('frame size', () => {
  it('leaves small frames as they are and keeps the shape of large ones', () => {
    expect(shrinkFrame({ width: 640, height: 480 })).toEqual({ width: 640, height: 480 })
    expect(shrinkFrame({ width: 1920, height: 1080 })).toEqual({ width: 640, height: 360 })
    expect(shrinkFrame({ width: 3000, height: 4000 })).toEqual({ width: 480, height: 640 })
  })

  it('keeps a pixel of the thinnest frame', () => {
    expect(shrinkFrame({ width: 100_000, height: 1 })).toEqual({ width: 640, height: 1 })
  })
})
