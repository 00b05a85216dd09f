import { describe, expect, it } from 'vitest'
import { createRememberedSettings } from './remembered-settings.ts'
import { createThemeState } from './theme-state.svelte.ts'

function createBench(kept: Record<string, string> = {}) {
  const storage = new Map(Object.entries(kept))
  const remembered = createRememberedSettings(() => ({
    getItem: (key) => storage.get(key) ?? null,
    setItem: (key, value) => void storage.set(key, value),
  }))
  let isWished = false
  let tell = (): void => {}
  const theme = createThemeState({
    remembered,
    highContrast: { isWished: () => isWished, onChange: (listener) => void (tell = listener) },
  })
  const wish = (next: boolean): void => {
    isWished = next
    tell()
  }
  return { theme, wish, storage }
}

describe('theme', () => {
  it('[TH1] follows the system in contrast until the person chooses, then the person', () => {
    const { theme, wish } = createBench()
    expect(theme.isHighContrast).toBe(false)
    wish(true)
    expect(theme.isHighContrast).toBe(true)
    theme.chooseContrast('normal')
    expect(theme.isHighContrast).toBe(false)
    theme.chooseContrast('high')
    wish(false)
    expect(theme.isHighContrast).toBe(true)
  })

  it('[TH2] keeps colours and contrast, each its own, and passes over what it does not know', () => {
    const { theme, storage } = createBench()
    theme.choose('dark')
    theme.chooseContrast('high')
    const again = createBench(Object.fromEntries(storage)).theme
    expect([again.choice, again.contrast]).toEqual(['dark', 'high'])
    const strange = createBench({ 'semblante.theme': 'sepia', 'semblante.contrast': 'most' }).theme
    expect([strange.choice, strange.contrast]).toEqual(['system', 'system'])
  })

  it('[TH3] tells those who draw on a canvas when to draw anew', () => {
    const { theme, wish } = createBench()
    const looks = [theme.look]
    theme.choose('light')
    looks.push(theme.look)
    wish(true)
    looks.push(theme.look)
    expect(new Set(looks).size).toBe(3)
  })
})
