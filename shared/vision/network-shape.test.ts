import { describe, expect, it } from 'vitest'
import { EMOTIONS } from '#shared/model/emotions'
import { parseModelManifest, type ModelManifest } from './model-manifest.ts'
import { checkNetworkShape, inputDims, valuesPerFace } from './network-shape.ts'

function manifest(change: object = {}): ModelManifest {
  const value = {
    name: 'x',
    version: '1.0.0',
    file: 'x.onnx',
    sha256: 'a'.repeat(64),
    bytes: 1,
    input: { name: 'in', width: 224, height: 224, layout: 'NHWC', color: 'rgb', mean: 0, scale: 1, ...change },
    output: { name: 'out', kind: 'logits' },
    classes: [...EMOTIONS],
    calibration: { temperature: 1, abstainBelow: 0 },
    crop: { leftEye: [0.3, 0.4], rightEye: [0.7, 0.4] },
    licence: 'MIT',
    lineage: 'made for a test',
    figures: {},
  }
  const result = parseModelManifest(value)
  if (!result.ok) throw new Error(result.field)
  return result.manifest
}

const good = { input: ['N', 224, 224, 3], output: ['N', 8] }

describe('checkNetworkShape', () => {
  it('[NS1] says how many faces fit at once', () => {
    expect(checkNetworkShape(manifest(), good)).toEqual({ ok: true, facesAtOnce: null })
    expect(checkNetworkShape(manifest(), { ...good, input: [1, 224, 224, 3] })).toEqual({ ok: true, facesAtOnce: 1 })
    expect(checkNetworkShape(manifest(), { ...good, input: ['N', 'C', 'H', 'W'] })).toEqual({ ok: true, facesAtOnce: null })
    expect(checkNetworkShape(manifest(), { ...good, input: [-1, 224, -1, 3] })).toEqual({ ok: true, facesAtOnce: null })
  })

  it.each([
    ['/input/name', { ...good, input: null }],
    ['/output/name', { ...good, output: null }],
    ['/input', { ...good, input: ['N', 48 * 48] }],
    ['/input/width', { ...good, input: ['N', 224, 112, 3] }],
    ['/input/height', { ...good, input: ['N', 112, 224, 3] }],
    ['/input/color', { ...good, input: ['N', 224, 224, 1] }],
    ['/input/layout', { ...good, input: ['N', 3, 224, 224] }],
    ['/classes', { ...good, output: ['N', 7] }],
  ])('[NS2] names the field that is wrong: %s', (field, found) => {
    expect(checkNetworkShape(manifest(), found)).toMatchObject({ ok: false, field })
  })

  it('[NS3] knows the lengths of a batch in both layouts', () => {
    expect(inputDims(manifest().input, 4)).toEqual([4, 224, 224, 3])
    expect(inputDims(manifest({ layout: 'NCHW', color: 'gray' }).input, 4)).toEqual([4, 1, 224, 224])
    expect(valuesPerFace(manifest().input)).toBe(224 * 224 * 3)
  })
})
