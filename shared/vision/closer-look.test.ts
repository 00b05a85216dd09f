import { describe, expect, it } from 'vitest'
import { uprightFace } from '#shared/testing/face-examples'
import { chooseCoarse, sharpen } from './closer-look.ts'

const small = (x: number, width: number) => uprightFace({ x, y: 0, width, height: width })

describe('the closer look', () => {
  it('[CL1] is for faces that are small in the detector, the largest first, and not for crowds', () => {
    const faces = [small(0, 90), small(100, 60), small(200, 20), small(300, 70), small(400, 50), small(500, 30)]
    expect(chooseCoarse(faces, 2).map((face) => face.box.width)).toEqual([70, 60, 50, 30])
  })

  it('[CL2] replaces what it saw again by the best answer and leaves the others as they were', () => {
    const [seen, unseen] = [small(0, 40), small(200, 40)]
    const better = uprightFace({ x: 2, y: 1, width: 42, height: 42 }, 0.8)
    const worse = uprightFace({ x: 1, y: 1, width: 42, height: 42 }, 0.4)
    expect(sharpen([seen, unseen], [worse, better, small(400, 40)])).toEqual([better, unseen])
  })
})
