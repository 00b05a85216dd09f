/**
 * Which language the page speaks, its direction, and how it writes numbers and times. The texts themselves are messages
 * (web/messages); `app.ts` ties them to `current`, so a switch needs no reload.
 */
import type { RememberedSettings } from './remembered-settings.ts'

export const LANGUAGES = ['es', 'en', 'pt', 'fa'] as const
export type Language = (typeof LANGUAGES)[number]

/** Each language by its own name: never translated. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { es: 'Español', en: 'English', pt: 'Português', fa: 'فارسی' }

/** Digits, separators and calendar. Persian digits come with `fa-IR`. */
const FORMAT_LOCALES: Readonly<Record<Language, string>> = { es: 'es', en: 'en', pt: 'pt', fa: 'fa-IR' }

interface Formats {
  readonly percent: Intl.NumberFormat
  readonly whole: Intl.NumberFormat
  readonly oneDigit: Intl.NumberFormat
  readonly time: Intl.DateTimeFormat
  readonly ago: Intl.RelativeTimeFormat
  readonly day: Intl.DateTimeFormat
  readonly minute: Intl.DateTimeFormat
}

export class LanguageState {
  readonly #remembered: RememberedSettings
  #current = $state<Language>('es')
  readonly #formats = $derived(createFormats(FORMAT_LOCALES[this.#current]))

  constructor(remembered: RememberedSettings, current: Language) {
    this.#remembered = remembered
    this.#current = current
  }

  get current(): Language {
    return this.#current
  }

  get direction(): 'ltr' | 'rtl' {
    return this.#current === 'fa' ? 'rtl' : 'ltr'
  }

  choose(language: Language): void {
    this.#current = language
    this.#remembered.write('language', language)
  }

  /** A probability, 0 to 1, in whole percent; never 100 %, because no reading of a face is that sure. */
  percent(probability: number): string {
    return this.#formats.percent.format(Math.min(probability, 0.99))
  }

  whole(value: number): string {
    return this.#formats.whole.format(value)
  }

  /** With exactly one digit after the point. */
  oneDigit(value: number): string {
    return this.#formats.oneDigit.format(value)
  }

  /** Hours, minutes and seconds. @param time Unix milliseconds. */
  timeOfDay(time: number): string {
    return this.#formats.time.format(time)
  }

  /** Weekday, day and month, in the calendar readers of the language expect. @param time Unix milliseconds. */
  day(time: number): string {
    return this.#formats.day.format(time)
  }

  /** Hours and minutes. @param time Unix milliseconds. */
  minuteOfDay(time: number): string {
    return this.#formats.minute.format(time)
  }

  /** As in "2 s ago". @param seconds 0 or more. */
  secondsAgo(seconds: number): string {
    return this.#formats.ago.format(-seconds, 'second')
  }
}

/** @param preferred the browser's languages, most wanted first, as BCP 47 tags. */
export function createLanguageState(remembered: RememberedSettings, preferred: readonly string[]): LanguageState {
  const chosen = remembered.read('language')
  const wanted = [...(chosen === undefined ? [] : [chosen]), ...preferred].map((tag) => tag.split('-')[0])
  const current = wanted.map((tag) => LANGUAGES.find((language) => language === tag)).find((language) => language !== undefined)
  return new LanguageState(remembered, current ?? 'es')
}

function createFormats(locale: string): Formats {
  return {
    percent: new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 }),
    whole: new Intl.NumberFormat(locale, { maximumFractionDigits: 0, useGrouping: false }),
    oneDigit: new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    time: new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }),
    day: new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }),
    minute: new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false }),
    ago: new Intl.RelativeTimeFormat(locale, { style: 'narrow' }),
  }
}
