/**
 * The sending side of one connection. *Live*: publications go out as they come. *Lagging*: more waits than may, or pings come back too late;
 * the reader leaves the live topics, only the first missed number of each is kept, and once it has read what waits it gets the rest from the
 * history, or a `gap` where the history has moved on. Who stays behind too long is ended. Memory per slow reader: one number per topic.
 */
import type { Receiver } from '../hub/subscription-tree.ts'
import type { Hub } from '../hub/hub.ts'
import type { RelayMessage } from '#shared/protocol/messages'
import type { Clock, Dialect, Frame, Metrics, Publication, Socket, TopicNotice } from '../ports.ts'
import type { GroupMember } from './broadcast-groups.ts'
import type { Flusher, TurnTask } from './flusher.ts'
import type { LagWatch } from './lag-watch.ts'
import type { SessionLimits } from './session-limits.ts'

/** What the reader needs of the session around it. */
export interface ReaderHost {
  /** Still subscribed to it? */
  hears(topic: string): boolean
  /** The reader has fallen behind or caught up: its groups must know. */
  onLagChanged(): void
  /** Says it in the client's words, through `send`. */
  onNotice(message: RelayMessage): void
  /** Behind for too long, or with too much. */
  onTooSlow(): void
}

export interface ReaderDependencies {
  readonly hub: Pick<Hub, 'topics'>
  readonly clock: Clock
  readonly metrics: Metrics
  readonly flusher: Flusher
  readonly lagWatch: LagWatch
  readonly limits: SessionLimits
}

/** Frames replayed in one turn, so that one reader that catches up does not hold up the others. */
const REPLAY_FRAMES = 256
/** Frames that may wait for the end of a turn. */
const MAX_PENDING = 512
/** Bytes after which the round trip is looked at. */
const PROBE_BYTES = 64 * 1024

export class Reader implements Receiver, GroupMember, TurnTask {
  readonly size = 1
  readonly socket: Socket
  readonly #dialect: Dialect
  readonly #host: ReaderHost
  readonly #dependencies: ReaderDependencies
  /** Frames for the end of this turn. */
  #pending: Frame[] | undefined
  /** Topic to the first number missed; undefined while live. */
  #missed: Map<string, number> | undefined
  #laggingSince = 0
  #waitsForPong = false
  #pingSentAt = 0
  #unprobedBytes = 0
  /** The last ping's, in milliseconds; -1 before the first. */
  roundTripMs = -1

  constructor(socket: Socket, options: { readonly dialect: Dialect; readonly host: ReaderHost }, dependencies: ReaderDependencies) {
    this.socket = socket
    this.#dialect = options.dialect
    this.#host = options.host
    this.#dependencies = dependencies
  }
  get isLagging(): boolean {
    return this.#missed !== undefined
  }

  // -------------------------------------------------------------- what goes out

  /** An answer or notice. Leaves at once, after what waits for the end of the turn. */
  send(frame: Frame): void {
    if (this.#pending !== undefined) {
      this.#pending.push(frame)
      return
    }
    if (this.#write(frame) > this.#dependencies.limits.answerBytes) this.#host.onTooSlow()
  }
  /** A publication that came for this reader alone. */
  receive(publication: Publication): void {
    if (this.#missed !== undefined) {
      this.miss(publication)
      return
    }
    const frame = this.#dialect.encodePublication(publication, false)
    if (frame !== undefined) this.#enqueue(frame)
  }
  /** What a new subscription gets first. What is too much for now counts as missed and comes later. */
  replay(items: readonly (TopicNotice | Publication)[], isRetained: boolean): void {
    for (const item of items) {
      if (this.#missed === undefined || item.kind === 'resumed' || item.kind === 'reset') this.#sendItem(item, isRetained)
      else this.#noteMissed(item.topic, item.kind === 'gap' ? item.from : item.seq)
      if (this.#missed === undefined && this.socket.bufferedBytes() > this.#dependencies.limits.slowReaderBytes) this.#fallBehind(false)
    }
  }
  /** Sends what waits for the end of the turn. */
  endTurn(): void {
    const due = this.#pending
    this.#pending = undefined
    if (due !== undefined) this.socket.cork(() => this.#sendAll(due))
    this.checkBacklog()
    if (this.#missed !== undefined) this.#catchUp()
  }
  /** The last words, before a close. */
  flush(): void {
    const due = this.#pending
    this.#pending = undefined
    if (due !== undefined) this.socket.cork(() => this.#sendAll(due))
  }
  /** Not yet read by the client, as far as this process knows. */
  get waitingBytes(): number {
    return this.socket.bufferedBytes() + (this.#pending ?? []).reduce((sum, frame) => sum + sizeOf(frame), 0)
  }

  // -------------------------------------------------------------- falling behind

  miss({ topic, seq, delivery }: Publication): void {
    const missed = this.#missed
    if (missed === undefined) return
    if (missed.has(topic)) {
      if (delivery === 'latest') this.#dependencies.metrics.add('replaced_total', '')
      return
    }
    this.#noteMissed(topic, seq)
  }
  checkBacklog(): void {
    if (this.#missed === undefined && this.socket.bufferedBytes() > this.#dependencies.limits.slowReaderBytes) this.#fallBehind(false)
  }
  probe(): void {
    if (!this.socket.isTwoWay || this.#missed !== undefined) return
    if (this.#pingSentAt === 0) this.ping()
    else this.checkRoundTrip()
  }
  checkRoundTrip(): void {
    if (this.#pingSentAt === 0 || this.#missed !== undefined || !this.socket.isTwoWay) return
    if (this.#dependencies.clock.now() - this.#pingSentAt > this.#dependencies.limits.lagRoundTripMs) this.#fallBehind(true)
  }
  ping(): void {
    this.socket.ping()
    if (this.#pingSentAt === 0) this.#pingSentAt = this.#dependencies.clock.now()
  }
  onPong(): void {
    if (this.#pingSentAt === 0) return
    this.roundTripMs = Math.max(0, this.#dependencies.clock.now() - this.#pingSentAt)
    this.#pingSentAt = 0
    this.#waitsForPong = false
    this.#dependencies.metrics.observe('round_trip_seconds', this.roundTripMs / 1000)
    if (this.#missed !== undefined) this.#dependencies.flusher.add(this)
  }
  onDrain(): void {
    if (this.#missed !== undefined) this.#dependencies.flusher.add(this)
  }
  /** Once a second while lagging. */
  tick(): void {
    if (this.#dependencies.clock.now() - this.#laggingSince >= this.#dependencies.limits.slowReaderMs) this.#host.onTooSlow()
    else this.#dependencies.flusher.add(this)
  }
  /** Forgets what waits; nothing more will be sent. */
  end(): void {
    this.#pending = undefined
    if (this.#missed === undefined) return
    this.#missed = undefined
    this.#dependencies.lagWatch.remove(this)
    this.#dependencies.metrics.add('lags_total', 'closed')
  }

  /** The first number missed of a topic; later ones follow from it. */
  #noteMissed(topic: string, seq: number): void {
    const missed = this.#missed
    if (missed === undefined || missed.has(topic)) return
    if (missed.size >= this.#dependencies.limits.missedTopics) this.#host.onTooSlow()
    else missed.set(topic, seq)
  }
  #fallBehind(waitsForPong: boolean): void {
    this.#missed = new Map()
    this.#waitsForPong = waitsForPong
    this.#laggingSince = this.#dependencies.clock.now()
    this.#dependencies.lagWatch.add(this)
    this.#host.onLagChanged()
  }
  #catchUp(): void {
    const missed = this.#missed
    const { limits, hub } = this.#dependencies
    if (missed === undefined || this.#waitsForPong || this.socket.bufferedBytes() > limits.slowReaderBytes / 2) return
    let left = REPLAY_FRAMES
    for (const [topic, first] of missed) {
      if (!this.#host.hears(topic)) {
        missed.delete(topic)
        continue
      }
      for (const item of hub.topics.catchUp(topic, first - 1)) {
        if (left === 0 || this.socket.bufferedBytes() > limits.slowReaderBytes) {
          missed.set(topic, item.kind === 'publication' ? item.seq : item.kind === 'gap' ? item.from : first)
          if (left === 0) this.#dependencies.flusher.add(this)
          return
        }
        this.#sendItem(item, false)
        left -= 1
      }
      missed.delete(topic)
    }
    this.#recover()
  }
  #recover(): void {
    const { lagWatch, metrics, clock } = this.#dependencies
    this.#missed = undefined
    lagWatch.remove(this)
    metrics.add('lags_total', 'recovered')
    metrics.observe('lag_seconds', Math.max(0, clock.now() - this.#laggingSince) / 1000)
    this.#host.onLagChanged()
  }

  // -------------------------------------------------------------- frames

  #sendItem(item: TopicNotice | Publication, isRetained: boolean): void {
    const { metrics } = this.#dependencies
    if (item.kind === 'publication') {
      const frame = this.#dialect.encodePublication(item, isRetained)
      if (frame === undefined) return
      metrics.add('deliveries_total', '')
      metrics.add('sent_bytes_total', '', sizeOf(frame))
      this.#sendNow(frame)
      return
    }
    if (item.kind === 'gap') metrics.add('gap_messages_total', '', item.to - item.from + 1)
    this.#host.onNotice(toNotice(item))
  }
  #sendNow(frame: Frame): void {
    if (this.#pending === undefined) this.#write(frame)
    else this.#pending.push(frame)
  }
  #enqueue(frame: Frame): void {
    const { metrics, flusher, lagWatch } = this.#dependencies
    metrics.add('deliveries_total', '')
    const sizeBytes = sizeOf(frame)
    metrics.add('sent_bytes_total', '', sizeBytes)
    this.#unprobedBytes += sizeBytes
    if (this.#unprobedBytes >= PROBE_BYTES) {
      this.#unprobedBytes = 0
      lagWatch.probeNext(this)
    }
    if (this.#pending === undefined) {
      this.#pending = [frame]
      flusher.add(this)
      return
    }
    this.#pending.push(frame)
    if (this.#pending.length >= MAX_PENDING) this.endTurn()
  }
  #sendAll(frames: readonly Frame[]): void {
    for (const frame of frames) this.#write(frame)
  }
  /** @returns bytes that wait in this process. */
  #write(frame: Frame): number {
    return frame instanceof Uint8Array ? this.socket.sendText(frame) : this.socket.sendBinary(frame.binary)
  }
}

function sizeOf(frame: Frame): number {
  return frame instanceof Uint8Array ? frame.byteLength : frame.binary.byteLength
}

function toNotice(notice: TopicNotice): RelayMessage {
  const { topic, epoch } = notice
  switch (notice.kind) {
    case 'resumed':
      return { type: 'resumed', topic, epoch, count: notice.count }
    case 'gap':
      return { type: 'gap', topic, epoch, from: notice.from, to: notice.to }
    case 'reset':
      return { type: 'reset', topic, epoch }
  }
}
