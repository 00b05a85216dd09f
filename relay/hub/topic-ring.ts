/** The messages of one topic that are still kept, oldest first, within three bounds: count, bytes, age. Leaves the bound over all topics to its owner. */
import type { HistoryLimits } from '#shared/protocol/topics'
import type { Publication } from '../ports.ts'

/** From so many forgotten places on the array is cut, so that forgetting costs nothing in the long run. */
const CUT_FROM = 64

export class TopicRing {
  #kept: Publication[] = []
  #head = 0
  #bytes = 0

  get count(): number {
    return this.#kept.length - this.#head
  }
  get bytes(): number {
    return this.#bytes
  }
  get oldest(): Publication | undefined {
    return this.#kept[this.#head]
  }
  push(publication: Publication, limits: HistoryLimits, now: number): void {
    if (limits.count < 1) return
    this.#kept.push(publication)
    this.#bytes += sizeOf(publication)
    while (this.count > limits.count || (this.#bytes > limits.bytes && this.count > 0)) this.dropOldest()
    this.dropOlderThan(now - limits.ageMs)
  }
  dropOlderThan(time: number): void {
    while (this.oldest !== undefined && this.oldest.time < time) this.dropOldest()
  }
  dropOldest(): void {
    const dropped = this.#kept[this.#head]
    if (dropped === undefined) return
    this.#head += 1
    this.#bytes -= sizeOf(dropped)
    if (this.#head < CUT_FROM || this.#head * 2 < this.#kept.length) return
    this.#kept = this.#kept.slice(this.#head)
    this.#head = 0
  }
  /** Messages numbered above `seq`, oldest first. */
  after(seq: number): readonly Publication[] {
    let low = this.#head
    let high = this.#kept.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#kept[middle]?.seq ?? 0) <= seq) low = middle + 1
      else high = middle
    }
    return this.#kept.slice(low)
  }
}

/** UTF-16 units, which for JSON are bytes or, beyond ASCII, at least half of them. */
function sizeOf(publication: Publication): number {
  return publication.json.length
}
