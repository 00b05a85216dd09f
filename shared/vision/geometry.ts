/** Points, rectangles and pixels: the nouns of this folder. All coordinates are in pixels, x to the right, y down, pixel centres at .5. */

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A picture: RGBA, 8 bits each, rows from the top, no gaps. `data` starts at a multiple of four bytes in its buffer. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array | Uint8ClampedArray
}

/** Shared area as a fraction of the area covered by either; 0 when both are empty. */
export function intersectionOverUnion(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  if (width <= 0 || height <= 0) return 0
  const shared = width * height
  return shared / (a.width * a.height + b.width * b.height - shared)
}

export function centreOf(rectangle: Rectangle): Point {
  return { x: rectangle.x + rectangle.width / 2, y: rectangle.y + rectangle.height / 2 }
}

/** A square around a point. */
export function squareAround(centre: Point, side: number): Rectangle {
  return { x: centre.x - side / 2, y: centre.y - side / 2, width: side, height: side }
}
