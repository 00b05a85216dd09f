import { describe, expect, it } from 'vitest'
import { EMOTIONS } from '#shared/model/emotions'
import { toProbabilities } from './class-probabilities.ts'
import type { ModelManifest } from './model-manifest.ts'

const SEVEN = ['anger', 'disgust', 'fear', 'happiness', 'neutral', 'sadness', 'surprise'] as const

function manifest(kind: 'logits' | 'probabilities', temperature: number): ModelManifest {
  return {
    name: 'x',
    version: '1.0.0',
    file: 'x.onnx',
    sha256: '',
    bytes: 1,
    input: { name: 'in', size: 48, layout: 'NCHW', color: 'gray', mean: [0], scale: [1] },
    output: { name: 'out', kind },
    classes: SEVEN,
    calibration: { temperature, abstainBelow: 0 },
    crop: { leftEye: [0.3, 0.4], rightEye: [0.7, 0.4] },
    licence: 'MIT',
    lineage: 'made for a test',
  }
}

describe('toProbabilities', () => {
  it("[CP1] puts the network's own order into ours; the class it does not know gets 0", () => {
    const rows = Float32Array.from([...Array.from({ length: 7 }, () => 9), 0, 1, 2, 3, 4, 5, 6])
    const values = toProbabilities(rows, 1, manifest('logits', 1))
    expect(values[EMOTIONS.indexOf('contempt')]).toBe(0)
    expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6)
    const order = [...EMOTIONS].sort((a, b) => (values[EMOTIONS.indexOf(a)] ?? 0) - (values[EMOTIONS.indexOf(b)] ?? 0))
    expect(order).toEqual(['contempt', ...SEVEN])
  })

  it('[CP2] leaves probabilities as they are at a temperature of 1, and sharpens them below', () => {
    const given = Float32Array.from([0.5, 0, 0.1, 0.2, 0.1, 0.1, 0])
    const plain = toProbabilities(given, 0, manifest('probabilities', 1))
    for (const [index, name] of SEVEN.entries()) expect(plain[EMOTIONS.indexOf(name)]).toBeCloseTo(given[index] ?? 0, 5)
    expect(toProbabilities(given, 0, manifest('probabilities', 0.5))[EMOTIONS.indexOf('anger')]).toBeGreaterThan(0.6)
  })
})
