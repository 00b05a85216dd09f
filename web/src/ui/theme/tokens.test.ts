/** The promises of tokens.css, computed from the file itself: text can be read on every surface, in every theme. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EMOTIONS } from '#shared/model/emotions'
import { contrastOf, parseColour } from './contrast.ts'

const CSS = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8')
const SCHEMES = ['light', 'dark'] as const
const SURFACES = ['--page', '--surface', '--surface-sunken', '--surface-raised']
const TEXTS = [
  '--ink',
  '--ink-soft',
  '--accent',
  '--accent-strong',
  '--good',
  '--warn',
  '--bad',
  ...EMOTIONS.map((name) => `--emotion-${name}`),
]
/** Text that stands on one ground of its own. */
const PAIRS = [
  ['--on-accent', '--accent'],
  ['--on-accent', '--accent-strong'],
  ['--accent', '--accent-soft'],
  ['--warn', '--warn-soft'],
  ['--ink', '--warn-soft'],
  ['--bad', '--bad-soft'],
  ['--ink', '--bad-soft'],
  ['--surface', '--bad'],
] as const

/** Name to its pair of colours, of one rule of the file. */
function readColours(selector: string): Map<string, readonly [string, string]> {
  const start = CSS.indexOf(`${selector} {`)
  const block = CSS.slice(start, CSS.indexOf('\n}', start))
  return new Map(
    Array.from(block.matchAll(/(--[\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g), ([, name = '', light = '', dark = '']) => [
      name,
      [light, dark],
    ]),
  )
}

const normal = readColours(':root')
const looks = {
  normal: { colours: normal, atLeast: 4.5 },
  high: { colours: new Map([...normal, ...readColours(":root[data-contrast='high']")]), atLeast: 7 },
}

function measure(look: keyof typeof looks, scheme: number, [text, ground]: readonly [string, string]): number {
  const [one, other] = [text, ground].map((name) => parseColour(looks[look].colours.get(name)?.[scheme] ?? ''))
  if (one === undefined || other === undefined) throw new Error(`${text} or ${ground} is no colour in ${look}`)
  return contrastOf(one, other)
}

describe('tokens', () => {
  it('[TK1] measures contrast as WCAG does', () => {
    expect(contrastOf([0, 0, 0], [255, 255, 255])).toBeCloseTo(21)
    expect(contrastOf([118, 118, 118], [255, 255, 255])).toBeCloseTo(4.54, 2)
    expect(parseColour('rgb(1, 2, 3)')).toEqual([1, 2, 3])
    expect(parseColour('#0A0b0c')).toEqual([10, 11, 12])
    expect(parseColour('tomato')).toBeUndefined()
  })

  for (const look of ['normal', 'high'] as const) {
    for (const [scheme, name] of SCHEMES.entries()) {
      it(`[TK2] text keeps ${looks[look].atLeast}:1 on every surface, ${look} contrast, ${name}`, () => {
        const pairs = [...TEXTS.flatMap((text) => SURFACES.map((surface) => [text, surface] as const)), ...PAIRS]
        const weak = pairs
          .map((pair) => ({ pair: pair.join(' on '), ratio: Math.round(measure(look, scheme, pair) * 100) / 100 }))
          .filter(({ ratio }) => ratio < looks[look].atLeast)
        expect(weak).toEqual([])
      })
    }
  }

  it('[TK3] edges of what one touches keep 3:1 in every theme', () => {
    for (const look of ['normal', 'high'] as const)
      for (const scheme of SCHEMES.keys()) expect(measure(look, scheme, ['--line-strong', '--surface'])).toBeGreaterThanOrEqual(3)
  })
})
