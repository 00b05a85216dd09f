import { Check } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { EMOTIONS } from '#shared/model/emotions'
import { parseModelManifest } from './model-manifest.ts'
import { ModelManifest } from './model-manifest-schema.ts'

function validManifest(): Record<string, unknown> {
  return {
    name: 'semblante-emotion',
    version: '1.0.0',
    file: 'emotion.onnx',
    sha256: 'a'.repeat(64),
    bytes: 1000,
    input: { name: 'input', width: 48, height: 48, layout: 'NCHW', color: 'gray', mean: [127.5], scale: [127.5] },
    output: { name: 'logits', kind: 'logits' },
    classes: [...EMOTIONS],
    calibration: { temperature: 0.7, abstainBelow: 0.5 },
    crop: { leftEye: [0.3, 0.4], rightEye: [0.7, 0.4] },
    licence: 'MIT',
    lineage: 'made for a test',
    figures: { validAccuracy: 0.87 },
  }
}

/** A copy with one place changed; `undefined` removes it. */
function change(pointer: string, value: unknown): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(validManifest()))
  const path = pointer.split('/').slice(1)
  let place: unknown = copy
  for (const key of path.slice(0, -1)) place = Reflect.get(Object(place), key)
  Reflect.set(Object(place), path.at(-1) ?? '', value)
  return copy
}

/** Field, wrong value. Every leaf and branch at least once. */
const WRONG: readonly (readonly [string, unknown])[] = [
  ['/name', 'Has Spaces'],
  ['/name', 7],
  ['/version', '1.0'],
  ['/file', '../secret'],
  ['/file', ''],
  ['/sha256', 'A'.repeat(64)],
  ['/sha256', undefined],
  ['/bytes', 0],
  ['/bytes', 1.5],
  ['/bytes', '1000'],
  ['/input', null],
  ['/input/name', ''],
  ['/input/width', 4],
  ['/input/height', 1000],
  ['/input/layout', 'HWC'],
  ['/input/color', 'yuv'],
  ['/input/mean', 'x'],
  ['/input/mean', []],
  ['/input/mean/0', 'x'],
  ['/input/scale', [1, 1, 1, 1]],
  ['/input/scale', 0],
  ['/input/scale/0', 0],
  ['/output', []],
  ['/output/name', undefined],
  ['/output/kind', 'scores'],
  ['/classes', ['neutral']],
  ['/classes', 'neutral'],
  ['/classes/3', 'joy'],
  ['/classes/3', 'neutral'],
  ['/calibration', 1],
  ['/calibration/temperature', 0],
  ['/calibration/temperature', -1],
  ['/calibration/abstainBelow', 1.1],
  ['/crop', undefined],
  ['/crop/leftEye', [0.3]],
  ['/crop/leftEye/0', -0.1],
  ['/crop/rightEye/1', null],
  ['/licence', ''],
  ['/lineage', 0],
  ['/figures', [1]],
  ['/figures/validAccuracy', 'good'],
]

describe('parseModelManifest', () => {
  it('[MM1] takes a good one and ignores fields it does not know', () => {
    const result = parseModelManifest({ ...validManifest(), later: true })
    expect(result).toMatchObject({ ok: true, manifest: { name: 'semblante-emotion', input: { size: 48, mean: [127.5], scale: [127.5] } } })
  })

  it.each(WRONG)('[MM2] names the field: %s as %j', (field, value) => {
    expect(parseModelManifest(change(field, value))).toMatchObject({ ok: false, field })
  })

  it.each(WRONG)('[MM3] agrees with the published schema: %s as %j', (field, value) => {
    expect(Check(ModelManifest, change(field, value))).toBe(false)
  })

  it('[MM4] the published schema takes what the parser takes', () => {
    expect(Check(ModelManifest, validManifest())).toBe(true)
    expect(Check(ModelManifest, { ...validManifest(), later: true })).toBe(true)
  })

  it('[MM5] refuses a crop that is not square or whose eyes are swapped, which a schema cannot say', () => {
    expect(parseModelManifest(change('/input/height', 64))).toMatchObject({ ok: false, field: '/input/height' })
    expect(parseModelManifest(change('/crop/leftEye', [0.8, 0.4]))).toMatchObject({ ok: false, field: '/crop/rightEye' })
  })

  it('[MM7] takes colour, channels last, other sizes, numbers per channel, probabilities and seven classes in any order', () => {
    const seven = EMOTIONS.filter((name) => name !== 'contempt').reverse()
    const color = { name: 'x', width: 224, height: 224, layout: 'NHWC', color: 'rgb', mean: [123.675, 116.28, 103.53], scale: 58 }
    const value = { ...validManifest(), input: color, classes: seven, output: { name: 'y', kind: 'probabilities' } }
    expect(Check(ModelManifest, value)).toBe(true)
    expect(parseModelManifest(value)).toMatchObject({
      ok: true,
      manifest: {
        input: { size: 224, layout: 'NHWC', color: 'rgb', mean: [123.675, 116.28, 103.53], scale: [58, 58, 58] },
        classes: seven,
      },
    })
  })

  it('[MM8] says which class is missing, and that three numbers do not fit one channel', () => {
    const without = (left: string) => EMOTIONS.filter((name) => name !== left)
    expect(parseModelManifest(change('/classes', without('contempt')))).toMatchObject({ ok: true })
    expect(parseModelManifest(change('/classes', without('fear')))).toMatchObject({
      ok: false,
      field: '/classes',
      problem: 'lacks fear; only contempt may be missing',
    })
    expect(parseModelManifest(change('/input/scale', [1, 1, 1]))).toMatchObject({ ok: false, field: '/input/scale' })
  })

  it.each([null, undefined, 'text', 3, []])('[MM6] refuses %j', (value) => {
    expect(parseModelManifest(value)).toEqual({ ok: false, field: '', problem: 'must be an object' })
  })
})
