import { describe, expect, it } from 'vitest'
import { uprightFace } from '#shared/testing/face-examples'
import { chooseCloser, sharpen } from './closer-look.ts'
import type { DetectedFace } from './decode-faces.ts'

const small = (x: number, width: number) => uprightFace({ x, y: 0, width, height: width })

/** Turned by an angle about the left eye; the box stays. */
function tilt(face: DetectedFace, turn: number): DetectedFace {
  const { leftEye, rightEye } = face.keypoints
  const distance = rightEye.x - leftEye.x
  const turned = { x: leftEye.x + distance * Math.cos(turn), y: leftEye.y + distance * Math.sin(turn) }
  return { ...face, keypoints: { ...face.keypoints, rightEye: turned } }
}

describe('the closer look', () => {
  it('[CL1] is for faces that are small in the detector, the largest first, and not for crowds', () => {
    const faces = [small(0, 90), small(100, 60), small(200, 20), small(300, 70), small(400, 50), small(500, 30)]
    expect(chooseCloser(faces, 2).map((face) => face.box.width)).toEqual([70, 60, 50, 30])
  })

  it('[CL2] replaces what it saw again by the best answer and leaves the others as they were', () => {
    const [seen, unseen] = [small(0, 40), small(200, 40)]
    const better = uprightFace({ x: 2, y: 1, width: 42, height: 42 }, 0.8)
    const worse = uprightFace({ x: 1, y: 1, width: 42, height: 42 }, 0.4)
    expect(sharpen([seen, unseen], [worse, better, small(400, 40)])).toEqual([better, unseen])
  })

  it('[CL3] is for tilted faces of any size, and for what only might be a face after all that are', () => {
    const tilted = tilt(small(0, 300), 0.5)
    const perhaps = uprightFace({ x: 400, y: 0, width: 320, height: 320 }, 0.3)
    expect(chooseCloser([perhaps, small(800, 310), tilted], 2)).toEqual([tilted, perhaps])
  })

  it('[CL4] what only might be a face is one when the closer look is sure, and none otherwise', () => {
    const perhaps = uprightFace({ x: 0, y: 0, width: 40, height: 40 }, 0.3)
    const sure = uprightFace({ x: 1, y: 1, width: 40, height: 40 }, 0.6)
    const doubtful = uprightFace({ x: 1, y: 1, width: 40, height: 40 }, 0.45)
    expect(sharpen([perhaps], [sure])).toEqual([sure])
    expect(sharpen([perhaps], [doubtful])).toEqual([])
    expect(sharpen([perhaps], [])).toEqual([])
  })
})
