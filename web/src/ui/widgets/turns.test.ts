import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { takeTurn } from './turns.ts'

let frames: FrameRequestCallback[] = []

/** What the browser does: the frame, then the tasks behind it. */
function showFrame(): void {
  const due = frames
  frames = []
  for (const callback of due) callback(0)
  vi.runAllTimers()
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('requestAnimationFrame', (callback: FrameRequestCallback) => frames.push(callback))
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('turns', () => {
  it('[TU1] one piece comes after each frame, in the order they were asked for', () => {
    const shown: string[] = []
    for (const piece of ['one', 'two', 'three']) takeTurn(() => shown.push(piece))
    const counts = [0, 1, 2, 3].map((count) => {
      const before = shown.length
      showFrame()
      return [count, before, shown.length]
    })
    expect(counts).toEqual([
      [0, 0, 1],
      [1, 1, 2],
      [2, 2, 3],
      [3, 3, 3],
    ])
    expect(shown).toEqual(['one', 'two', 'three'])
  })

  it('[TU2] what was taken back does not come and holds nobody up; what is asked for later does', () => {
    const shown: string[] = []
    const takeBack = takeTurn(() => shown.push('gone'))
    takeTurn(() => shown.push('stays'))
    takeBack()
    showFrame()
    expect(shown).toEqual(['stays'])
    takeTurn(() => shown.push('later'))
    showFrame()
    expect(shown).toEqual(['stays', 'later'])
  })
})
