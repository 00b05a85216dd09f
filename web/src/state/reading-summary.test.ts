import { describe, expect, it } from 'vitest'
import { summarise, summaryKey } from './reading-summary.ts'

const happy = { emotion: 'happiness', confidence: 0.9, isCertain: true } as const
const unclear = { emotion: 'sadness', confidence: 0.4, isCertain: false } as const

describe('reading summary', () => {
  it('[RS1] says nobody for a frame without faces, never an emotion', () => {
    expect(summarise([])).toEqual({ kind: 'none' })
  })

  it('[RS2] lets the largest face speak', () => {
    expect(summarise([happy, unclear])).toEqual({ kind: 'emotion', emotion: 'happiness', confidence: 0.9 })
  })

  it('[RS3] does not claim an emotion where the network abstains', () => {
    expect(summarise([unclear])).toEqual({ kind: 'unsure', leaning: 'sadness', confidence: 0.4 })
  })

  it('[RS4] has a key that changes with the leading emotion and the number of faces, and with nothing else', () => {
    expect(summaryKey([happy])).toBe(summaryKey([{ ...happy, confidence: 0.7 }]))
    expect(summaryKey([happy])).not.toBe(summaryKey([unclear]))
    expect(summaryKey([happy])).not.toBe(summaryKey([happy, unclear]))
    expect(summaryKey([unclear])).toBe(summaryKey([{ ...unclear, emotion: 'fear' }]))
  })
})
