/** Light, dark, or as the system says. Applying it to the page is left to the shell. */
import type { RememberedSettings } from './remembered-settings.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

export class ThemeState {
  readonly #remembered: RememberedSettings
  #choice = $state<Theme>('system')

  constructor(remembered: RememberedSettings, choice: Theme) {
    this.#remembered = remembered
    this.#choice = choice
  }

  get choice(): Theme {
    return this.#choice
  }

  choose(theme: Theme): void {
    this.#choice = theme
    this.#remembered.write('theme', theme)
  }
}

export function createThemeState(remembered: RememberedSettings): ThemeState {
  const choice = remembered.read('theme')
  return new ThemeState(remembered, THEMES.find((theme) => theme === choice) ?? 'system')
}
