/**
 * Sessions that hear the same: those with the same dialect and filter share one channel of the transport, so that a publication is encoded
 * once and handed over once, whatever their number. Readers that fall behind leave the channel until they have caught up. Sessions whose
 * filters overlap stay out of groups, because they must hear each message once.
 */
import type { Hub } from '../hub/hub.ts'
import type { Receiver } from '../hub/subscription-tree.ts'
import type { Channel, Clock, Dialect, Metrics, Publication, Socket } from '../ports.ts'
import type { Flusher, TurnTask } from './flusher.ts'

/** One session as its groups see it. */
export interface GroupMember {
  readonly socket: Socket
  readonly isLagging: boolean
  /** Something it does not get now, because it is behind. */
  miss(publication: Publication): void
  /** Looks whether more waits in its socket than may. */
  checkBacklog(): void
  /** Asks how far behind it is, or looks whether the answer is late. */
  probe(): void
  /** Looks whether the answer is late. */
  checkRoundTrip(): void
}

export interface BroadcastGroup {
  /** As live or lagging as the member is. */
  join(member: GroupMember): void
  leave(member: GroupMember): void
  /** The member has fallen behind or caught up. */
  move(member: GroupMember): void
}

export interface BroadcastGroups {
  /** The group of all with this dialect and filter; it ends by itself when the last has left. */
  open(dialect: Dialect, filter: string, levels: readonly string[]): BroadcastGroup
  /** Probes the readers of groups that had much to say since the last time. */
  probeBusy(): void
  count(): number
}

export interface BroadcastDependencies {
  readonly hub: Pick<Hub, 'listen' | 'ruleOf'>
  readonly openChannel: () => Channel
  readonly clock: Clock
  readonly flusher: Flusher
  readonly metrics: Metrics
}

/** Bytes to each reader after which backlogs are looked at. */
const CHECK_BYTES = 64 * 1024
/** Looks at round trips between two pings: at a thousand readers each ping is a thousand system calls. */
const LOOKS_PER_PING = 5
/** Frames that may wait for a latency budget. More: they leave at once. */
const MAX_HELD = 256

export function createBroadcastGroups(dependencies: BroadcastDependencies): BroadcastGroups {
  const groups = new Map<string, Group>()
  return {
    open(dialect, filter, levels) {
      const key = `${dialect.name} ${filter}`
      const known = groups.get(key)
      if (known !== undefined) return known
      const made = new Group(dialect, dependencies, () => groups.delete(key))
      made.listen(levels)
      groups.set(key, made)
      return made
    },
    probeBusy() {
      for (const group of groups.values()) group.probeIfBusy()
    },
    count: () => groups.size,
  }
}

class Group implements BroadcastGroup, Receiver, TurnTask {
  readonly #dialect: Dialect
  readonly #dependencies: BroadcastDependencies
  readonly #channel: Channel
  readonly #onEmpty: () => void
  readonly #live = new Set<GroupMember>()
  readonly #lagging = new Set<GroupMember>()
  #endListening: () => void = () => undefined
  #held: Uint8Array[] = []
  #cancelFlush: (() => void) | undefined
  #uncheckedBytes = 0
  #unprobedBytes = 0
  #looksSincePing = LOOKS_PER_PING

  constructor(dialect: Dialect, dependencies: BroadcastDependencies, onEmpty: () => void) {
    this.#dialect = dialect
    this.#dependencies = dependencies
    this.#channel = dependencies.openChannel()
    this.#onEmpty = onEmpty
  }
  listen(levels: readonly string[]): void {
    this.#endListening = this.#dependencies.hub.listen(levels, this)
  }
  get size(): number {
    return this.#live.size + this.#lagging.size
  }

  receive(publication: Publication): void {
    for (const member of this.#lagging) member.miss(publication)
    if (this.#live.size === 0) return
    const frame = this.#dialect.encodePublication(publication, false)
    if (!(frame instanceof Uint8Array)) return
    const waitMs = this.#dependencies.hub.ruleOf(publication.topic)?.maxLatencyMs ?? 0
    if (waitMs > 0 || this.#held.length > 0) this.#hold(frame, waitMs)
    else this.#send(frame)
  }
  join(member: GroupMember): void {
    this.#flush()
    if (member.isLagging) {
      this.#lagging.add(member)
      return
    }
    this.#live.add(member)
    this.#channel.join(member.socket)
  }
  leave(member: GroupMember): void {
    this.#flush()
    this.#lagging.delete(member)
    if (this.#live.delete(member)) this.#channel.leave(member.socket)
    if (this.size > 0) return
    this.#endListening()
    this.#onEmpty()
  }
  move(member: GroupMember): void {
    this.#flush()
    if (member.isLagging && this.#live.delete(member)) {
      this.#channel.leave(member.socket)
      this.#lagging.add(member)
    } else if (!member.isLagging && this.#lagging.delete(member)) {
      this.#live.add(member)
      this.#channel.join(member.socket)
    }
  }
  probeIfBusy(): void {
    this.#looksSincePing += 1
    if (this.#unprobedBytes === 0) return
    if (this.#looksSincePing < LOOKS_PER_PING || this.#unprobedBytes < CHECK_BYTES) {
      for (const member of this.#live) member.checkRoundTrip()
      return
    }
    this.#looksSincePing = 0
    this.#unprobedBytes = 0
    for (const member of [...this.#live]) member.probe()
  }
  /** Looks at the backlogs once the frames of this turn are with the sockets. */
  endTurn(): void {
    for (const member of [...this.#live]) member.checkBacklog()
  }

  #hold(frame: Uint8Array, waitMs: number): void {
    this.#held.push(frame)
    if (this.#held.length >= MAX_HELD || waitMs === 0) this.#flush()
    else this.#cancelFlush ??= this.#dependencies.clock.after(waitMs, () => this.#flush())
  }
  #flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    if (this.#held.length === 0) return
    const due = this.#held
    this.#held = []
    for (const frame of due) this.#send(frame)
  }
  #send(frame: Uint8Array): void {
    this.#channel.send(frame)
    const { metrics, flusher } = this.#dependencies
    const readers = this.#live.size
    metrics.add('deliveries_total', '', readers)
    metrics.add('sent_bytes_total', '', readers * frame.byteLength)
    this.#uncheckedBytes += frame.byteLength
    this.#unprobedBytes += frame.byteLength
    if (this.#uncheckedBytes < CHECK_BYTES) return
    this.#uncheckedBytes = 0
    flusher.add(this)
  }
}
