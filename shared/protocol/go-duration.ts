/** Spans of time as Go writes them: `30s`, `1m30.5s`, `250ms`. Milliseconds here, fractions included. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}
const SPAN = /^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g
/** Longer texts are none. */
const MAX_LENGTH = 64

/** @returns milliseconds; undefined for what is no span of time. */
export function parseGoDuration(text: string): number | undefined {
  const [sign, span] = /^[-+]/.test(text) ? [text.startsWith('-') ? -1 : 1, text.slice(1)] : [1, text]
  if (span === '0') return 0
  if (span.length > MAX_LENGTH || !SPAN.test(span)) return undefined
  let sumMs = 0
  for (const [, amount, unit] of span.matchAll(PART)) sumMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  return Number.isFinite(sumMs) ? sign * sumMs : undefined
}

/** @param ms zero or more; rounded to microseconds. As Go: `0s`, `250ms`, `1.5s`, `1h0m5s`. */
export function formatGoDuration(ms: number): string {
  const micros = Math.round(ms * 1_000)
  if (micros === 0) return '0s'
  if (micros < 1_000) return `${String(micros)}µs`
  if (micros < 1_000_000) return `${String(micros / 1_000)}ms`
  const minutes = Math.floor(micros / 60_000_000)
  const seconds = `${String((micros - minutes * 60_000_000) / 1_000_000)}s`
  if (minutes === 0) return seconds
  const hours = Math.floor(minutes / 60)
  return `${hours === 0 ? '' : `${String(hours)}h`}${String(minutes % 60)}m${seconds}`
}
