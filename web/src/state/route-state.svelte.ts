/** Which page is open, kept in the address after `#` so that it survives a reload and works from any static server. */
import { isStationName } from './station-name.ts'

/** Pages whose address names nothing but the page. */
const PLAIN_PAGES = ['history', 'settings', 'admin', 'model', 'responsible', 'design'] as const
type PlainPage = (typeof PLAIN_PAGES)[number]

export type Route =
  | { readonly page: 'live' }
  /** Without a station: all of them. */
  | { readonly page: 'wall'; readonly station?: string }
  /** Without a machine: all of them. */
  | { readonly page: 'machines'; readonly machine?: string }
  | { readonly page: PlainPage }
  /** `isShared`: with what another app shared. */
  | { readonly page: 'photo'; readonly isShared?: boolean }

/** What it needs of the browser. */
export interface AddressBar {
  hash(): string
  onChange(listener: () => void): () => void
}

export class RouteState {
  readonly #address: AddressBar
  #current = $state.raw<Route>({ page: 'live' })

  constructor(address: AddressBar) {
    this.#address = address
    this.#current = parseRoute(address.hash())
  }

  get current(): Route {
    return this.#current
  }

  /** Follows the address until the returned function is called. */
  start(): () => void {
    return this.#address.onChange(() => {
      this.#current = parseRoute(this.#address.hash())
    })
  }
}

export function createRouteState(address: AddressBar): RouteState {
  return new RouteState(address)
}

/** The wall's former address: links that people kept still lead there. */
const FORMER_WALL = 'watch'

/** Anything unknown is the first page. */
export function parseRoute(hash: string): Route {
  const [first, part] = hash.replace(/^#\/?/, '').split('/')
  const page = first === FORMER_WALL ? 'wall' : first
  const plain = PLAIN_PAGES.find((name) => name === page)
  if (plain !== undefined) return { page: plain }
  if (page === 'photo') return part === 'shared' ? { page, isShared: true } : { page }
  if (page !== 'wall' && page !== 'machines') return { page: 'live' }
  const name = decodeName(part ?? '')
  if (name === undefined) return { page }
  return page === 'wall' ? { page, station: name } : { page, machine: name }
}

export function toHash(route: Route): string {
  if (route.page === 'live') return '#/'
  const name = route.page === 'wall' ? route.station : route.page === 'machines' ? route.machine : undefined
  return `#/${route.page}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

/** Of a station or a machine: what may be a level of a topic. */
function decodeName(text: string): string | undefined {
  try {
    const name = decodeURIComponent(text)
    return isStationName(name) ? name : undefined
  } catch {
    return undefined
  }
}
