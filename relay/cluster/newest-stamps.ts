/**
 * Which value of a `latest` topic is the newest, so that all relays end with the same one, whatever order they heard them in. A stamp is the
 * publishing relay's clock, pushed beyond every stamp it has seen of the topic (a hybrid logical clock: Kulkarni et al., 2014): a relay whose
 * clock is behind is not ignored for it. Equal stamps: the greater relay id wins.
 */

export interface Stamp {
  readonly stamp: number
  /** The relay it was published at. */
  readonly origin: string
}

export interface NewestStamps {
  /** For a value published here. */
  next(topic: string, time: number): number
  /** @returns whether it is newer than what is known; then it is known from now on. */
  accept(topic: string, candidate: Stamp): boolean
  find(topic: string): Stamp | undefined
}

interface Options {
  readonly relayId: string
  /** Topics remembered. More: the one stamped longest ago is forgotten, so that an old value of it could come back. */
  readonly maxTopics: number
}

export function createNewestStamps({ relayId, maxTopics }: Options): NewestStamps {
  const newest = new Map<string, Stamp>()

  function remember(topic: string, stamp: Stamp): void {
    newest.delete(topic)
    if (newest.size >= maxTopics) {
      for (const oldest of newest.keys()) {
        newest.delete(oldest)
        break
      }
    }
    newest.set(topic, stamp)
  }
  return {
    next(topic, time) {
      const stamp = Math.max(time, (newest.get(topic)?.stamp ?? 0) + 1)
      remember(topic, { stamp, origin: relayId })
      return stamp
    },
    accept(topic, candidate) {
      const known = newest.get(topic)
      if (known !== undefined && !isNewer(candidate, known)) return false
      remember(topic, candidate)
      return true
    },
    find: (topic) => newest.get(topic),
  }
}

function isNewer(one: Stamp, other: Stamp): boolean {
  return one.stamp === other.stamp ? one.origin > other.origin : one.stamp > other.stamp
}
