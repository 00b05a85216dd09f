import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { describe, expect, it } from 'vitest'
import { createReadingsState, type FrameAnalysis } from './readings-state.svelte.ts'

function frame(time: number, emotion?: EmotionName): FrameAnalysis {
  const stages = { grabMs: 2, detectMs: 4, classifyMs: 6, totalMs: 12 }
  if (emotion === undefined) return { time, faces: [], search: 'find', stages }
  const box = { x: 0.1, y: 0.1, width: 0.2, height: 0.3 }
  const probabilities = EMOTIONS.map((name) => (name === emotion ? 1 : 0))
  return {
    time,
    faces: [{ id: 1, box, score: 0.9, quality: 1, emotion, confidence: 1, isCertain: true, probabilities }],
    search: 'follow',
    stages,
  }
}

describe('readings', () => {
  it('[RD1] shows a few frames a second, keeps every one for whoever draws', () => {
    const readings = createReadingsState()
    const first = frame(0, 'neutral')
    const second = frame(33, 'neutral')
    readings.take(first, 1000, 1)
    readings.take(second, 1033, 2)
    expect(readings.shown).toBe(first)
    expect(readings.newest).toBe(second)
    const later = frame(160, 'neutral')
    readings.take(later, 1160, 6)
    expect(readings.shown).toBe(later)
  })

  it('[RD2] shows a change of emotion or of the number of faces at once', () => {
    const readings = createReadingsState()
    readings.take(frame(0, 'neutral'), 1000, 1)
    const surprised = frame(33, 'surprise')
    readings.take(surprised, 1033, 2)
    expect(readings.shown).toBe(surprised)
    const empty = frame(66)
    readings.take(empty, 1066, 3)
    expect(readings.shown).toBe(empty)
  })

  it('[RD3] measures pictures shown and frames read per second, and milliseconds per stage', () => {
    const readings = createReadingsState()
    for (let index = 0; index <= 10; index += 1) readings.take(frame(index * 100, 'neutral'), 1000 + index * 100, 5 + index * 3)
    expect(readings.meters).toEqual({ shownPerSecond: 30, readPerSecond: 10, grabMs: 2, detectMs: 4, classifyMs: 6 })
  })

  it('[RD5] remembers ten samples a second for the timeline, however many frames come', () => {
    const readings = createReadingsState()
    for (let index = 0; index < 60; index += 1) readings.take(frame(index * 20, 'neutral'), 1000 + index * 20, index)
    expect(readings.timeline.length).toBe(12)
  })

  it('[RD4] forgets what was read on a pause, so that no emotion stays on the screen', () => {
    const readings = createReadingsState()
    readings.take(frame(0, 'anger'), 1000, 1)
    readings.clear()
    expect(readings.newest).toBeUndefined()
    expect(readings.shown).toBeUndefined()
    expect(readings.meters.readPerSecond).toBe(0)
  })
})
