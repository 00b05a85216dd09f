/** How far two colours lie apart, as WCAG 2.2 measures it ("contrast ratio"). Pure. */

/** Red, green, blue, 0 to 255. */
export type Rgb = readonly [number, number, number]

/** @param colour as browsers compute it, `rgb(1, 2, 3)`, or `#aabbcc`. @returns undefined for anything else. */
export function parseColour(colour: string): Rgb | undefined {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour.trim())
  if (hex !== null) return toRgb(hex.slice(1).map((part) => Number.parseInt(part, 16)))
  const computed = /^rgba?\(([\d.]+)[, ]+([\d.]+)[, ]+([\d.]+)/.exec(colour.trim())
  return computed === null ? undefined : toRgb(computed.slice(1).map(Number))
}

/** 1 to 21. */
export function contrastOf(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminanceOf(one), luminanceOf(other)].sort((a, b) => b - a)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

function toRgb([red = 0, green = 0, blue = 0]: readonly number[]): Rgb {
  return [red, green, blue]
}

/** Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance"). */
function luminanceOf([red, green, blue]: Rgb): number {
  return 0.2126 * toLinear(red) + 0.7152 * toLinear(green) + 0.0722 * toLinear(blue)
}

function toLinear(channel: number): number {
  const share = channel / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}
