/**
 * How the page looks: light or dark, and how much contrast; each as the system says unless the person chose. Applying it to the page is
 * left to the shell.
 */
import type { RememberedSettings } from './remembered-settings.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]
export const CONTRASTS = ['system', 'normal', 'high'] as const
export type Contrast = (typeof CONTRASTS)[number]

/** A wish of the system that may change while the page is open, as `matchMedia` gives it. */
export interface SystemWish {
  isWished(): boolean
  /** Called at every change, for as long as the page lives. */
  onChange(listener: () => void): void
}

export interface ThemeDeps {
  readonly remembered: RememberedSettings
  readonly highContrast: SystemWish
}

export class ThemeState {
  readonly #remembered: RememberedSettings
  #choice = $state<Theme>('system')
  #contrast = $state<Contrast>('system')
  #isHighWished = $state(false)
  readonly #isHighContrast = $derived(this.#contrast === 'system' ? this.#isHighWished : this.#contrast === 'high')

  constructor({ remembered, highContrast }: ThemeDeps) {
    this.#remembered = remembered
    this.#choice = THEMES.find((theme) => theme === remembered.read('theme')) ?? 'system'
    this.#contrast = CONTRASTS.find((contrast) => contrast === remembered.read('contrast')) ?? 'system'
    this.#isHighWished = highContrast.isWished()
    highContrast.onChange(() => {
      this.#isHighWished = highContrast.isWished()
    })
  }

  get choice(): Theme {
    return this.#choice
  }

  get contrast(): Contrast {
    return this.#contrast
  }

  get isHighContrast(): boolean {
    return this.#isHighContrast
  }

  /** Changes with the person's choices: whoever draws on a canvas draws anew. */
  get look(): string {
    return `${this.#choice} ${String(this.#isHighContrast)}`
  }

  choose(theme: Theme): void {
    this.#choice = theme
    this.#remembered.write('theme', theme)
  }

  chooseContrast(contrast: Contrast): void {
    this.#contrast = contrast
    this.#remembered.write('contrast', contrast)
  }
}

export function createThemeState(deps: ThemeDeps): ThemeState {
  return new ThemeState(deps)
}
