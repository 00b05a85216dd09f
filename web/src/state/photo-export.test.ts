import { describe, expect, it } from 'vitest'
import { EMOTIONS } from '#shared/model/emotions'
import { type ExportedFile, toCsv, toJson } from './photo-export.ts'
import type { FaceAnalysis } from './readings-state.svelte.ts'

const FACE: FaceAnalysis = {
  id: 3,
  box: { x: -0.01234567, y: 0.25, width: 0.5, height: 0.4 },
  score: 0.9,
  emotion: 'happiness',
  confidence: 0.87654,
  isCertain: false,
  quality: 0.3,
  unsureBecause: 'blurred',
  probabilities: EMOTIONS.map((name) => (name === 'happiness' ? 0.87654 : 0.01)),
}

function toFile(name: string, samples: ExportedFile['samples'] = [{ seconds: 0, faces: [FACE] }]): ExportedFile {
  return { name, kind: 'picture', width: 640, height: 480, isComplete: true, samples }
}

describe('photo export', () => {
  it('[PX1] writes JSON with what was read and by which network, and no picture', () => {
    const json: unknown = JSON.parse(toJson([{ ...toFile('a.webm'), kind: 'film', seconds: 2.123456 }], { program: 'p@1', model: 'm@2' }))
    expect(json).toMatchObject({ format: 'semblante-photos', version: 1, program: 'p@1', model: 'm@2' })
    expect(json).toMatchObject({ files: [{ name: 'a.webm', kind: 'film', seconds: 2.1235, width: 640, isComplete: true }] })
    const face = {
      face: 3,
      box: { x: -0.0123, y: 0.25, width: 0.5, height: 0.4 },
      certain: false,
      confidence: 0.8765,
      unsureBecause: 'blurred',
    }
    expect(json).toMatchObject({ files: [{ samples: [{ seconds: 0, faces: [face] }] }] })
  })

  it('[PX2] writes a CSV line per face, one for a picture without faces, all of the same length', () => {
    const text = toCsv([
      toFile('a.jpg', [{ seconds: 0, faces: [FACE, { ...FACE, id: 4 }] }]),
      toFile('b.jpg', [{ seconds: 1.5, faces: [] }]),
    ])
    const lines = text.split('\r\n')
    expect(lines).toHaveLength(5)
    expect(lines[1]).toMatch(/^a\.jpg,picture,0,3,-0\.0123,0\.25,0\.5,0\.4,happiness,false,0\.8765,0\.3,blurred,/)
    expect(lines[3]).toMatch(/^b\.jpg,picture,1\.5,,+$/)
    expect(new Set(lines.slice(0, 4).map((line) => line.split(',').length))).toEqual(new Set([13 + EMOTIONS.length]))
  })

  it.each([
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['+1 of us.jpg', "'+1 of us.jpg"],
    ['@home, late.jpg', `"'@home, late.jpg"`],
    ['two\nlines', '"two\nlines"'],
    ['-12', '-12'],
  ])('[PX3] a file named %j runs nothing in a spreadsheet and breaks no line', (name, cell) => {
    expect(
      toCsv([toFile(name)])
        .split('\r\n')[1]
        ?.startsWith(`${cell},picture`),
    ).toBe(true)
  })
})
