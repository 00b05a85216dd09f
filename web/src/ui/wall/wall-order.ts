/** Which stations the wall shows, and in which order. Pure; the page only asks. */

export const WALL_ORDERS = ['name', 'quiet'] as const
export type WallOrder = (typeof WALL_ORDERS)[number]

interface OrderedStation {
  readonly station: string
}

export interface WallWish<Station> {
  /** Part of a name; upper and lower case are the same. */
  readonly text: string
  readonly order: WallOrder
  readonly isQuiet: (station: Station) => boolean
}

/** @param stations by name. */
export function arrangeStations<Station extends OrderedStation>(stations: readonly Station[], wish: WallWish<Station>): readonly Station[] {
  const text = wish.text.trim().toLocaleLowerCase()
  const found = text === '' ? stations : stations.filter(({ station }) => station.toLocaleLowerCase().includes(text))
  if (wish.order === 'name') return found
  return [...found.filter(wish.isQuiet), ...found.filter((station) => !wish.isQuiet(station))]
}

/** How many columns and rows fill a screen with tiles of about these proportions. @param width in pixels. @param height in pixels. */
export function fitTiles(width: number, height: number): { readonly columns: number; readonly rows: number } {
  return { columns: Math.max(1, Math.floor(width / TILE_WIDTH)), rows: Math.max(1, Math.floor(height / TILE_HEIGHT)) }
}

const TILE_WIDTH = 300
const TILE_HEIGHT = 236
