/** Where the buckets of a carousel stand on its dial: pure. Angles in degrees, clockwise from the top, where the opening is. */

/** Of the square drawing. */
export const DIAL_SIZE = 400
export const RING = { outer: 178, inner: 118, label: 148 } as const
const CENTRE = DIAL_SIZE / 2
/** Between two buckets, along the middle of the ring. */
const GAP = 3
/** Between two numbers, along the middle of the ring: nearer ones cannot be read. */
const LABEL_ROOM = 21

export function angleOf(position: number, positions: number): number {
  return (position * 360) / positions
}

/** The outline of the bucket that stands at the top; others are the same, turned. */
export function bucketOutline(positions: number): string {
  if (positions === 1) return `${arc(RING.outer, -179.9, 179.9)} L${point(RING.inner, 179.9)} ${arcBack(RING.inner, 179.9, -179.9)} Z`
  const half = 180 / positions
  const gapAt = (radius: number): number => Math.min(half * 0.4, (GAP / 2 / radius) * (180 / Math.PI))
  const [out, inn] = [half - gapAt(RING.outer), half - gapAt(RING.inner)]
  return `${arc(RING.outer, -out, out)} L${point(RING.inner, inn)} ${arcBack(RING.inner, inn, -inn)} Z`
}

/** Every how many buckets a number fits. */
export function labelEvery(positions: number): number {
  const room = (2 * Math.PI * RING.label) / positions
  const least = Math.ceil(LABEL_ROOM / room)
  return [1, 2, 5, 10, 20, 50, 100, 200].find((every) => every >= least) ?? positions
}

/** @param x and `y` from the middle of the dial, y downwards. @param turn how far the ring has turned, in buckets. */
export function bucketAt(x: number, y: number, turn: number, positions: number): number {
  const angle = (Math.atan2(x, -y) * 180) / Math.PI
  return wrap(Math.round((angle * positions) / 360 + turn), positions)
}

/**
 * How far the ring shall have turned, in buckets, going on from where it is the shorter way, so that passing the first bucket is no whole turn back.
 * @param position may lie between two buckets.
 */
export function turnTo(turn: number, position: number, positions: number): number {
  const forward = wrap(position - turn, positions)
  return turn + (forward > positions / 2 ? forward - positions : forward)
}

export function wrap(value: number, count: number): number {
  return ((value % count) + count) % count
}

function point(radius: number, degrees: number): string {
  const radians = (degrees * Math.PI) / 180
  return `${(CENTRE + radius * Math.sin(radians)).toFixed(2)} ${(CENTRE - radius * Math.cos(radians)).toFixed(2)}`
}

function arc(radius: number, from: number, to: number): string {
  return `M${point(radius, from)} A${radius} ${radius} 0 ${to - from > 180 ? 1 : 0} 1 ${point(radius, to)}`
}

function arcBack(radius: number, from: number, to: number): string {
  return `A${radius} ${radius} 0 ${from - to > 180 ? 1 : 0} 0 ${point(radius, to)}`
}
