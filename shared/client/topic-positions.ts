/**
 * How far one subscription has read, per `queued` or `acked` topic: what to ask for after a reconnect, what came before, what is missing.
 * Pure; `latest` topics never come here, because of them only the newest message matters.
 */
import type { ClientMessageOf, RelayMessageOf } from '#shared/protocol/messages'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'

/**
 * Messages that will not come.
 * - `gap`: those with the numbers `from` to `to`, both included.
 * - `reset`: nobody can say which. Any number of messages may be missing between the last one heard and the next one.
 */
export type Loss =
  | { readonly kind: 'gap'; readonly topic: string; readonly epoch: string; readonly from: number; readonly to: number }
  | { readonly kind: 'reset'; readonly topic: string; readonly epoch: string }

/** What to make of a message. A loss is told before the message. */
export interface Taken {
  /** False: it came before. */
  readonly isNew: boolean
  readonly loss: Loss | undefined
}

export type ResumePoint = NonNullable<ClientMessageOf<'subscribe'>['resume']>[number]
export type TopicNotice = RelayMessageOf<'resumed' | 'gap' | 'reset'>

export interface TopicPositions {
  /** The relay took the subscription. The first time it says where reading begins. */
  begin(answer: RelayMessageOf<'subscribed'>): void
  take(message: Pick<RelayMessageOf<'message'>, 'topic' | 'epoch' | 'seq'>): Taken
  /** @returns what is lost by it and was not told of before. */
  notice(notice: TopicNotice): Loss | undefined
  /**
   * Where to go on, the topics heard last first. Topics beyond the bounds are left out: the relay then sends all it keeps of them, and what
   * came before is recognised here. Undefined before the first `begin`: there is nothing to go on from.
   * @param budgetBytes for the points in the frame.
   */
  resumePoints(budgetBytes: number): readonly ResumePoint[] | undefined
}

/** Topics one subscription keeps positions of; the one untouched for longest is forgotten. More than fit in one `subscribe`. */
export const POSITIONS_LIMIT = 4 * PROTOCOL_LIMITS.resumePoints

interface Position {
  readonly epoch: string
  readonly seq: number
  /** After a reset: no number that comes next is a hole. */
  readonly isOpen: boolean
  /** Of the last reconnect when it was learned. */
  readonly generation: number
}

/**
 * @param onForgotten called once, when the first position had to be given up.
 * @param isFromPast reading begins with whatever the relay has kept.
 */
export function createTopicPositions(onForgotten: () => void, isFromPast = false): TopicPositions {
  const positions = new Map<string, Position>()
  let hasBegun = isFromPast
  let hasForgotten = false
  let generation = 0

  function remember(topic: string, epoch: string, seq: number, isOpen = false): void {
    positions.delete(topic)
    positions.set(topic, { epoch, seq, isOpen, generation })
    const [oldest] = positions.keys()
    if (positions.size <= POSITIONS_LIMIT || oldest === undefined) return
    positions.delete(oldest)
    if (!hasForgotten) onForgotten()
    hasForgotten = true
  }

  function noticeGap({ topic, epoch, from, to }: RelayMessageOf<'gap'>): Loss | undefined {
    const known = positions.get(topic)
    const isContinued = known !== undefined && isNext(known, epoch, from)
    const start = known === undefined || known.isOpen || known.epoch !== epoch ? from : known.seq + 1
    if (known?.epoch === epoch && to <= known.seq) return undefined
    remember(topic, epoch, to)
    return known === undefined || isContinued || known.epoch === epoch
      ? { kind: 'gap', topic, epoch, from: start, to }
      : { kind: 'reset', topic, epoch }
  }

  function noticeReset({ topic, epoch }: RelayMessageOf<'reset'>): Loss | undefined {
    const known = positions.get(topic)
    if (known === undefined) return undefined
    // Told already, through another filter. Should it be a second one all the same, the next number shows the hole.
    if (known.epoch === epoch && known.generation === generation) return undefined
    remember(topic, epoch, known.epoch === epoch ? known.seq : 0, true)
    return { kind: 'reset', topic, epoch }
  }

  return {
    begin(answer) {
      if (hasBegun) return
      hasBegun = true
      for (const { topic, seq } of answer.positions) if (!positions.has(topic)) remember(topic, answer.epoch, seq)
    },
    take({ topic, epoch, seq }) {
      const known = positions.get(topic)
      if (known?.epoch === epoch && seq <= known.seq) return { isNew: false, loss: undefined }
      remember(topic, epoch, seq)
      if (known === undefined || isNext(known, epoch, seq)) return { isNew: true, loss: undefined }
      if (known.epoch !== epoch) return { isNew: true, loss: { kind: 'reset', topic, epoch } }
      return { isNew: true, loss: { kind: 'gap', topic, epoch, from: known.seq + 1, to: seq - 1 } }
    },
    notice(notice) {
      const { topic, epoch } = notice
      if (notice.type === 'gap') return noticeGap(notice)
      if (notice.type === 'reset') return noticeReset(notice)
      const known = positions.get(topic)
      if (known !== undefined) remember(topic, epoch, known.seq, known.isOpen)
      return undefined
    },
    resumePoints(budgetBytes) {
      if (!hasBegun) return undefined
      generation += 1
      const points: ResumePoint[] = []
      let left = budgetBytes
      for (const [topic, { epoch, seq }] of [...positions].reverse()) {
        const point = { topic, epoch, since: seq }
        left -= byteLength(JSON.stringify(point)) + 1
        if (left < 0 || points.length === PROTOCOL_LIMITS.resumePoints) break
        points.push(point)
      }
      return points
    },
  }
}

/** After a crash the relay goes on counting under a new epoch where it knows that nothing is missing. */
function isNext(known: Position, epoch: string, seq: number): boolean {
  return seq === known.seq + 1 || (known.isOpen && known.epoch === epoch)
}

/** UTF-8. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}
