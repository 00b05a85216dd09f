import { describe, expect, it } from 'vitest'
import { createAnchors } from './anchors.ts'
import { decodeFaces } from './decode-faces.ts'

describe('createAnchors', () => {
  it('[AN1] gives 896 for the original size of 256 by 256, as MediaPipe does', () => {
    expect(createAnchors(256, 256)).toHaveLength(896 * 2)
  })

  it('[AN2] lays two per cell of 16 pixels row by row, then six per cell of 32', () => {
    const anchors = createAnchors(64, 32)
    expect(Array.from(anchors.slice(0, 10))).toEqual([8, 8, 8, 8, 24, 8, 24, 8, 40, 8])
    expect(Array.from(anchors.slice(16, 20))).toEqual([8, 24, 8, 24])
    expect(anchors).toHaveLength((4 * 2 * 2 + 2 * 1 * 6) * 2)
    expect(Array.from(anchors.slice(32, 46))).toEqual([16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 48, 16])
  })
})

describe('decodeFaces', () => {
  const anchors = createAnchors(32, 32)
  const count = anchors.length / 2

  function raw(batches: number) {
    return { scores: new Float32Array(count * batches).fill(-100), boxes: new Float32Array(count * batches * 16) }
  }

  it('[DF1] turns centre, size and points relative to the anchor into pixels', () => {
    const outputs = raw(1)
    outputs.scores[2] = 0
    outputs.boxes.set([1, 2, 10, 20, -3, -4, 5, -4, 0, 0, 1, 6, -9, 0, 9, 0], 2 * 16)
    // Anchor 2 is the first of the second cell: 24, 8.
    expect(decodeFaces(outputs, anchors, { batchIndex: 0, minScore: 0.4 })).toEqual([
      {
        score: 0.5,
        box: { x: 20, y: 0, width: 10, height: 20 },
        keypoints: {
          leftEye: { x: 21, y: 4 },
          rightEye: { x: 29, y: 4 },
          nose: { x: 24, y: 8 },
          mouth: { x: 25, y: 14 },
          leftEar: { x: 15, y: 8 },
          rightEar: { x: 33, y: 8 },
        },
      },
    ])
  })

  it('[DF2] reads the asked picture of a batch', () => {
    const outputs = raw(3)
    outputs.scores[count * 2 + 1] = 5
    const found = (batchIndex: number) => decodeFaces(outputs, anchors, { batchIndex, minScore: 0.5 }).length
    expect([found(0), found(1), found(2)]).toEqual([0, 0, 1])
  })

  it('[DF3] drops what is below the least score, and what is not a number', () => {
    const outputs = raw(1)
    outputs.scores.set([Math.log(0.69 / 0.31), Math.log(0.71 / 0.29), Number.NaN])
    expect(decodeFaces(outputs, anchors, { batchIndex: 0, minScore: 0.7 }).map((face) => face.score)).toEqual([expect.closeTo(0.71)])
  })
})
