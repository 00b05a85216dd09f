/** How the administration page writes numbers: counts, rates, bytes, milliseconds, spans of time, each in the language's own digits and units. */

/** A number and its unit apart, so that the number can be large and the unit small. In all our languages the unit comes after. */
export interface Figure {
  readonly figure: string
  /** Empty where the number counts things. */
  readonly unit: string
}

export interface AdminFormats {
  /** Whole, with separators. */
  count(value: number): string
  /** Few digits, as long as they are all that matters; large ones shortened as in "12.3K". */
  rate(value: number): string
  bytes(value: number): Figure
  bytesPerSecond(value: number): Figure
  milliseconds(value: number): Figure
  /** The two largest units, as in "3 h 12 min". @param spanMs 0 or more. */
  span(spanMs: number): string
}

/** From so many on, a rate is shortened. */
const SHORTENED_FROM = 10_000
const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
const SPAN_UNITS = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
  { unit: 'second', ms: 1000 },
] as const

/** @param locale a BCP 47 tag. */
export function createAdminFormats(locale: string): AdminFormats {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const oneDigit = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const short = new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 })
  const unitFormat = (unit: string, style: Intl.NumberFormatOptions): Intl.NumberFormat =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, ...style })
  const threeDigits = { maximumSignificantDigits: 3, roundingPriority: 'lessPrecision', maximumFractionDigits: 1 } as const
  const byteFormats = BYTE_UNITS.map((unit) => unitFormat(unit, { ...threeDigits, unitDisplay: unit === 'byte' ? 'narrow' : 'short' }))
  const byteRateFormats = BYTE_UNITS.map((unit) =>
    unitFormat(`${unit}-per-second`, { ...threeDigits, unitDisplay: unit === 'byte' ? 'narrow' : 'short' }),
  )
  const millisecondFormat = unitFormat('millisecond', threeDigits)
  const spanFormats = SPAN_UNITS.map(({ unit, ms }) => ({ ms, format: unitFormat(unit, { unitDisplay: 'short' }) }))

  return {
    count: (value) => whole.format(value),
    rate: (value) => (value >= SHORTENED_FROM ? short : value < 10 ? oneDigit : whole).format(value),
    bytes: (value) => scaleBytes(byteFormats, value),
    bytesPerSecond: (value) => scaleBytes(byteRateFormats, value),
    milliseconds: (value) => split(millisecondFormat, value),
    span(spanMs) {
      const first = spanFormats.findIndex(({ ms }) => spanMs >= ms)
      if (first === -1) return spanFormats.at(-1)?.format.format(0) ?? ''
      let rest = spanMs
      const parts = spanFormats.slice(first, first + 2).map(({ ms, format }) => {
        const amount = Math.floor(rest / ms)
        rest -= amount * ms
        return { amount, text: format.format(amount) }
      })
      return parts
        .filter(({ amount }) => amount > 0)
        .map(({ text }) => text)
        .join(' ')
    },
  }
}

/** As one text. */
export function joinFigure({ figure, unit }: Figure): string {
  return unit === '' ? figure : `${figure}\u00a0${unit}`
}

function scaleBytes(formats: readonly Intl.NumberFormat[], value: number): Figure {
  let scaled = value
  for (const format of formats.slice(0, -1)) {
    // 999.5 would be written as 1,000 of the smaller unit.
    if (scaled < 999.5) return split(format, scaled)
    scaled /= 1000
  }
  const largest = formats.at(-1)
  return largest === undefined ? { figure: '', unit: '' } : split(largest, scaled)
}

function split(format: Intl.NumberFormat, value: number): Figure {
  const parts = format.formatToParts(value)
  const pick = (isUnit: boolean): string =>
    parts
      .filter(({ type }) => (type === 'unit') === isUnit)
      .map((part) => part.value)
      .join('')
      .trim()
  return { figure: pick(false), unit: pick(true) }
}
