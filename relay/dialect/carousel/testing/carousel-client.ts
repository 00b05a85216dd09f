/** A carousel_api client that knows only a URL, as its users write them: takes what comes in order and skips what it does not wait for. */
import { openTestClient } from '#shared/testing/test-client'
import type { Told } from './carousel-talk.ts'

export interface CarouselClient extends Disposable {
  /** Texts go as they are. */
  send(message: object | string): void
  /** The next message that fits; those before it are skipped. Rejects when the connection ends before. */
  next(fits: string | ((message: Told) => boolean)): Promise<Told>
  /** Everything that has come. */
  heard(): readonly Told[]
  /** The code the connection was closed with. */
  readonly closed: Promise<number>
}

/** Rejects when the upgrade is refused. The welcome waits. */
export async function openCarouselClient(url: string): Promise<CarouselClient> {
  const client = await openTestClient(url)
  return {
    send: client.send,
    async next(fits) {
      for (;;) {
        const message = await client.next(() => true)
        if (typeof fits === 'string' ? message['type'] === fits : fits(message)) return message
      }
    },
    heard: () => client.received,
    closed: client.closed.then(({ code }) => code),
    [Symbol.dispose]: () => {
      client.close()
    },
  }
}
