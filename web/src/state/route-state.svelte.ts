/** Which page is open, kept in the address after `#` so that it survives a reload and works from any static server. */
import { isStationName } from './station-name.ts'

export type Route =
  | { readonly page: 'live' }
  /** Without a station: all of them. */
  | { readonly page: 'watch'; readonly station?: string }
  /** Without a machine: all of them. */
  | { readonly page: 'machines'; readonly machine?: string }
  | { readonly page: 'history' }
  | { readonly page: 'settings' }
  | { readonly page: 'admin' }
  | { readonly page: 'model' }
  | { readonly page: 'responsible' }

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

/** Anything unknown is the first page. */
export function parseRoute(hash: string): Route {
  const [page, part] = hash.replace(/^#\/?/, '').split('/')
  if (page === 'history' || page === 'settings' || page === 'admin' || page === 'model' || page === 'responsible') return { page }
  if (page !== 'watch' && page !== 'machines') return { page: 'live' }
  const name = decodeName(part ?? '')
  if (name === undefined) return { page }
  return page === 'watch' ? { page, station: name } : { page, machine: name }
}

export function toHash(route: Route): string {
  if (route.page === 'live') return '#/'
  const name = route.page === 'watch' ? route.station : route.page === 'machines' ? route.machine : undefined
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
