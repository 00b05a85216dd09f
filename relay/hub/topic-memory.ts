/**
 * What the relay remembers of each topic: its numbering and, for `latest` topics, its last value. Later the place of the bounded history.
 * Forgetting a topic never makes its numbers go back within one epoch: whatever is numbered anew starts above all that was forgotten.
 */
import { matchesTopic } from '#shared/protocol/topic-filter'
import type { Publication } from '../ports.ts'

export interface TopicMemory {
  /** The number the next message of the topic gets; starts at 1. */
  nextSeq(topic: string): number
  remember(publication: Publication): void
  /** Last values of the topics that match, in the order in which they were last published. */
  findRetained(filterLevels: readonly string[]): readonly Publication[]
  size(): number
}

interface Remembered {
  readonly levels: readonly string[]
  readonly seq: number
  readonly last: Publication | undefined
}

export function createTopicMemory(maxTopics: number): TopicMemory {
  /** In the order of the last publication, oldest first. */
  const topics = new Map<string, Remembered>()
  let forgottenSeq = 0

  function forgetOldest(): void {
    for (const [topic, remembered] of topics) {
      forgottenSeq = Math.max(forgottenSeq, remembered.seq)
      topics.delete(topic)
      return
    }
  }
  return {
    nextSeq: (topic) => (topics.get(topic)?.seq ?? forgottenSeq) + 1,
    remember(publication) {
      const { topic, seq, delivery } = publication
      const known = topics.get(topic)
      const levels = known?.levels ?? topic.split('/')
      topics.delete(topic)
      if (topics.size >= maxTopics) forgetOldest()
      topics.set(topic, { levels, seq, last: delivery === 'latest' ? publication : undefined })
    },
    findRetained(filterLevels) {
      const exact = topics.get(filterLevels.join('/'))
      if (exact !== undefined) return exact.last === undefined ? [] : [exact.last]
      const found: Publication[] = []
      for (const { levels, last } of topics.values()) {
        if (last !== undefined && matchesTopic(filterLevels, levels)) found.push(last)
      }
      return found
    },
    size: () => topics.size,
  }
}
