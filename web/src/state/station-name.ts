/** The name a tablet goes by: the last level of `emotion/<station>`. */

/** As in the schema of `EmotionReading.station`. */
const STATION_NAME = /^[\p{L}\p{N}._-]{1,64}$/u
const SUFFIX_DIGITS = 4

export function isStationName(name: string): boolean {
  return STATION_NAME.test(name)
}

/** A readable default such as `estacion-7f3a`. @param fraction uniform in [0, 1). */
export function createStationName(fraction: number): string {
  const suffix = Math.floor(fraction * 16 ** SUFFIX_DIGITS)
    .toString(16)
    .padStart(SUFFIX_DIGITS, '0')
  return `estacion-${suffix}`
}
