import { describe, expect, it } from 'vitest'
import { createLanguageState, LANGUAGES } from './language-state.svelte.ts'
import { createRememberedSettings } from './remembered-settings.ts'

const nothingRemembered = () => createRememberedSettings(() => ({ getItem: () => null, setItem: () => {} }))

describe('language', () => {
  it("[LG1] takes the browser's first language that it speaks, else Spanish", () => {
    expect(createLanguageState(nothingRemembered(), ['de-DE', 'pt-BR', 'en']).current).toBe('pt')
    expect(createLanguageState(nothingRemembered(), ['de']).current).toBe('es')
    expect(createLanguageState(nothingRemembered(), []).current).toBe('es')
  })

  it('[LG2] prefers what the person chose, and keeps it', () => {
    const remembered = nothingRemembered()
    createLanguageState(remembered, ['en']).choose('fa')
    expect(createLanguageState(remembered, ['en']).current).toBe('fa')
  })

  it('[LG3] writes Persian right to left with Persian digits, the others left to right', () => {
    const language = createLanguageState(nothingRemembered(), ['fa'])
    expect(language.direction).toBe('rtl')
    expect(language.whole(42)).toBe('۴۲')
    language.choose('es')
    expect(language.direction).toBe('ltr')
    expect(language.percent(0.834).replace(/\s/u, ' ')).toBe('83 %')
    expect(language.oneDigit(3)).toBe('3,0')
  })

  it('[LG5] writes numbers as Intl does, below a thousand without it', () => {
    const others = [0.5, 2.5, 999.94, 999.95, 999.5, -1, -12, -0.3, 1000, 99_999, 1_000_000, Number.NaN, Number.POSITIVE_INFINITY]
    for (const tag of LANGUAGES) {
      const language = createLanguageState(nothingRemembered(), [tag])
      const write = (options: Intl.NumberFormatOptions): ((value: number) => string) => {
        const format = new Intl.NumberFormat(tag === 'fa' ? 'fa-IR' : tag, options)
        return (value) => format.format(value)
      }
      const whole = write({ maximumFractionDigits: 0 })
      const oneDigit = write({ minimumFractionDigits: 1, maximumFractionDigits: 1 })
      const percent = write({ style: 'percent', maximumFractionDigits: 0 })
      for (const value of [...Array.from({ length: 1000 }, (_, count) => count), ...others]) {
        expect(language.whole(value), `${tag} ${value}`).toBe(whole(value))
        expect(language.oneDigit(value / 8), `${tag} ${value}`).toBe(oneDigit(value / 8))
        expect(language.share(value / 100), `${tag} ${value}`).toBe(percent(value / 100))
      }
    }
  })

  it('[LG4] never claims certainty: a probability of 1 is written as 99 %', () => {
    const language = createLanguageState(nothingRemembered(), ['en'])
    expect(language.percent(1)).toBe('99%')
    expect(language.percent(0)).toBe('0%')
  })
})
