/**
 * carousel_api: moves storage carousels and tells their state, over a WebSocket (document of v2.6.0) and plain HTTP. On the one port at `/carousel`
 * and `/v1`, and on any path of a port of its own (8765 in its document).
 */
import { succeed } from '#shared/protocol/errors'
import type { Clock, DialectRoute, OlderSystem, Publication } from '../../ports.ts'
import { createCarouselDialect } from './carousel-dialect.ts'
import { createCarouselRest } from './carousel-rest.ts'

export interface CarouselSystemOptions {
  readonly clock: Pick<Clock, 'now'>
}

export const CAROUSEL_PATH = '/carousel'
/** As much as the original's library took in one message. */
const FRAME_BYTES = 1024 * 1024

export function createCarouselSystem({ clock }: CarouselSystemOptions): OlderSystem {
  const readPayload = createPayloadReader()
  const socket: Omit<DialectRoute, 'path'> = {
    maxFrameBytes: FRAME_BYTES,
    door: 'compat',
    createDialect: () => succeed(createCarouselDialect({ clock, readPayload })),
  }
  return {
    name: 'carousel',
    sockets: [{ ...socket, path: CAROUSEL_PATH }],
    rest: createCarouselRest(),
    rootSocket: socket,
    root: {
      door: 'open',
      answer: () => ({
        status: 200,
        headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
        body: JSON.stringify({ service: 'carousel_api', status: 'ok', websocket: CAROUSEL_PATH, rest: '/v1' }),
      }),
    },
  }
}

/** Each connection has a dialect of its own, and all hear the same publications. */
export function createPayloadReader(): (publication: Publication) => unknown {
  const payloads = new WeakMap<Publication, { readonly data: unknown }>()
  return (publication) => {
    const known = payloads.get(publication)
    if (known !== undefined) return known.data
    const data: unknown = JSON.parse(publication.json)
    payloads.set(publication, { data })
    return data
  }
}
