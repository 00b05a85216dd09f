/** How fast clients together may publish on one topic: one bucket per topic, bounded in number. */
import type { Clock } from '../ports.ts'
import { TokenBucket } from './token-bucket.ts'

export interface TopicPace {
  /** @returns false when the topic has had enough for now. */
  take(topic: string): boolean
}

/** Topics watched at once. More: the one that was first watched starts anew. */
const MAX_TOPICS = 4_096
const BURST_SECONDS = 2

export function createTopicPace(clock: Clock, perSecond: number): TopicPace {
  const buckets = new Map<string, TokenBucket>()

  function forgetFirst(): void {
    for (const topic of buckets.keys()) {
      buckets.delete(topic)
      return
    }
  }
  return {
    take(topic) {
      const known = buckets.get(topic)
      if (known !== undefined) return known.take()
      if (buckets.size >= MAX_TOPICS) forgetFirst()
      const made = new TokenBucket(clock, perSecond * BURST_SECONDS, perSecond)
      buckets.set(topic, made)
      return made.take()
    },
  }
}
