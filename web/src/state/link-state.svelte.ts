/** Whether the relay hears this tablet, as the person needs to know it. Sockets are left to `link/`. */
import type { LinkStatus, RelayLink } from '../link/relay-link.ts'

export type { LinkStatus }

export class LinkState {
  readonly #link: RelayLink
  #status = $state.raw<LinkStatus>({ kind: 'connecting' })

  constructor(link: RelayLink) {
    this.#link = link
  }

  get status(): LinkStatus {
    return this.#status
  }

  /** Follows the link until the returned function is called. */
  start(): () => void {
    this.#status = this.#link.status
    return this.#link.onStatus((status) => {
      this.#status = status
    })
  }
}

export function createLinkState(link: RelayLink): LinkState {
  return new LinkState(link)
}
