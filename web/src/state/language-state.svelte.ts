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
    return this.share(Math.min(probability, 0.99))
  }

  /** A part of something counted, 0 to 1, in whole percent. */
  share(part: number): string {
    const percents = writeSmall(part * 100, this.#current, 0)
    return percents === undefined ? this.#formats.percent().format(part) : percents + PERCENT_SIGNS[this.#current]
  }

  whole(value: number): string {
    return writeSmall(value, this.#current, 0) ?? this.#formats.whole().format(value)
  }

  /** With exactly one digit after the point. */
  oneDigit(value: number): string {
    return writeSmall(value, this.#current, 1) ?? this.#formats.oneDigit().format(value)
  }

  /** Hours, minutes and seconds. @param time Unix milliseconds. */
  timeOfDay(time: number): string {
    return this.#formats.time().format(time)
  }

  /** Weekday, day and month, in the calendar readers of the language expect. @param time Unix milliseconds. */
  day(time: number): string {
    return this.#formats.day().format(time)
  }

  /** Hours and minutes. @param time Unix milliseconds. */
  minuteOfDay(time: number): string {
    return this.#formats.minute().format(time)
  }

  /** As in "2 s ago". @param seconds 0 or more. */
  secondsAgo(seconds: number): string {
    return this.#formats.ago().format(-seconds, 'second')
  }
}

/** @param preferred the browser's languages, most wanted first, as BCP 47 tags. */
export function createLanguageState(remembered: RememberedSettings, preferred: readonly string[]): LanguageState {
  const chosen = remembered.read('language')
  const wanted = [...(chosen === undefined ? [] : [chosen]), ...preferred].map((tag) => tag.split('-')[0])
  const current = wanted.map((tag) => LANGUAGES.find((language) => language === tag)).find((language) => language !== undefined)
  return new LanguageState(remembered, current ?? 'es')
}

/** Below it no language separates digits. */
const FIRST_GROUPED = 1000
const PERSIAN_ZERO = 0x06f0
const DECIMAL_MARKS: Readonly<Record<Language, string>> = { es: ',', en: '.', pt: ',', fa: '٫' }
/** With what stands between the number and them. */
const PERCENT_SIGNS: Readonly<Record<Language, string>> = { es: '\u00a0%', en: '%', pt: '%', fa: '٪' }

/**
 * A number from 0 to below a thousand with so many digits after the point, without `Intl`: the first thing asked of that loads the browser's
 * tables, which holds the first paint of a slow tablet up by a fifth of a second. Undefined for every other number.
 */
function writeSmall(value: number, language: Language, digits: 0 | 1): string | undefined {
  const parts = 10 ** digits
  // Of the decimal number that is meant: 0.285 times a hundred is a little below 28.5 in binary.
  const rounded = Math.round(Number((value * parts).toPrecision(12)))
  if (!(value >= 0 && rounded < FIRST_GROUPED * parts)) return undefined
  const whole = String(Math.floor(rounded / parts))
  const text = digits === 0 ? whole : `${whole}${DECIMAL_MARKS[language]}${String(rounded % parts)}`
  return language === 'fa' ? text.replace(/\d/g, (digit) => String.fromCharCode(PERSIAN_ZERO + Number(digit))) : text
}

/** Each is made when it is first asked for. */
function createFormats(locale: string) {
  return {
    percent: lazily(() => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 })),
    whole: lazily(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })),
    oneDigit: lazily(() => new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })),
    time: lazily(() => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })),
    day: lazily(() => new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' })),
    minute: lazily(() => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false })),
    ago: lazily(() => new Intl.RelativeTimeFormat(locale, { style: 'narrow' })),
  }
}

function lazily<Made>(make: () => Made): () => Made {
  let made: Made | undefined
  return () => (made ??= make())
}
