import { describe, expect, it } from 'vitest'
import { createAdminFormats, joinFigure } from './admin-formats.ts'

const es = createAdminFormats('es')
const fa = createAdminFormats('fa')

/** Separators may be narrow spaces; which ones is the language's business. */
const plain = (text: string): string => text.replace(/\s/g, ' ')

describe('numbers of the administration page', () => {
  it('[AF1] shortens large rates, and keeps a digit of small ones', () => {
    expect([0, 0.25, 9.94, 118.4, 9999].map(es.rate)).toEqual(['0', '0,3', '9,9', '118', '9999'])
    expect(plain(es.rate(68_123))).toBe('68,1 mil')
  })

  it('[AF2] takes the unit that leaves one to three digits before the point', () => {
    expect([0, 999, 999.6, 1000, 62_300_000, 999_700_000, 4.2e15].map((value) => plain(joinFigure(es.bytes(value))))).toEqual([
      '0 B',
      '999 B',
      '1 kB',
      '1 kB',
      '62,3 MB',
      '1 GB',
      '4200 TB',
    ])
    expect(plain(joinFigure(es.bytesPerSecond(89_300)))).toBe('89,3 kB/s')
  })

  it('[AF3] keeps number and unit apart', () => {
    expect(es.milliseconds(1.24)).toEqual({ figure: '1,2', unit: 'ms' })
  })

  it('[AF4] says a span in its two largest units, and leaves out a second one that is zero', () => {
    expect([0, 900, 59_000, 3_600_000, 11_520_000, 90_000_000].map((span) => plain(es.span(span)))).toEqual([
      '0 s',
      '0 s',
      '59 s',
      '1 h',
      '3 h 12 min',
      '1 d 1 h',
    ])
  })

  it('[AF5] writes Persian digits in Persian', () => {
    expect(fa.count(1234)).toBe('۱٬۲۳۴')
    expect(fa.milliseconds(1.2).figure).toBe('۱٫۲')
  })
})
