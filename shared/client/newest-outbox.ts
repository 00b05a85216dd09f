/** What `latest` topics still have to say while the relay is away: the newest value per topic, nothing else. Sends nothing itself. */

/** Topics held at most; the one untouched for longest gives way. A station publishes one. */
export const HELD_TOPICS_LIMIT = 64

export interface NewestOutbox {
  /** Replaces what was held for the topic. */
  hold(topic: string, data: unknown): void
  /** What was held for the topic is not to go out. */
  drop(topic: string): void
  /** Gives each value out once, oldest first, until `send` says false; that one and the rest stay. */
  drain(send: (topic: string, data: unknown) => boolean): void
  readonly size: number
}

export function createNewestOutbox(): NewestOutbox {
  const held = new Map<string, unknown>()
  return {
    hold(topic, data) {
      held.delete(topic)
      held.set(topic, data)
      const [oldest] = held.keys()
      if (held.size > HELD_TOPICS_LIMIT && oldest !== undefined) held.delete(oldest)
    },
    drop: (topic) => void held.delete(topic),
    drain(send) {
      for (const [topic, data] of held) {
        if (!send(topic, data)) return
        held.delete(topic)
      }
    },
    get size() {
      return held.size
    },
  }
}
