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

  it('[LG5] writes whole numbers as Intl does, below a thousand without it', () => {
    for (const tag of LANGUAGES) {
      const language = createLanguageState(nothingRemembered(), [tag])
      const format = new Intl.NumberFormat(tag === 'fa' ? 'fa-IR' : tag, { maximumFractionDigits: 0 })
      const numbers = [...Array.from({ length: 1000 }, (_, value) => value), 0.5, -1, -12, 1000, 99_999, 1_000_000, 2.5, Number.NaN]
      for (const value of numbers) expect(language.whole(value), `${tag} ${value}`).toBe(format.format(value))
    }
  })

  it('[LG4] never claims certainty: a probability of 1 is written as 99 %', () => {
    const language = createLanguageState(nothingRemembered(), ['en'])
    expect(language.percent(1)).toBe('99%')
    expect(language.percent(0)).toBe('0%')
  })
})
