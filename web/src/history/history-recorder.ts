/**
 * Takes what is read, keeps it second by second, and never stands in the way of reading: with storage full, forbidden or broken the newest
 * stays in memory and the page is told. Telling the relay is left to `history-sync.ts`, the disk to `history-store.ts`.
 */
import { createChangeWatch } from './change-watch.ts'
import { HISTORY_LIMITS, lastOf, leadingEmotion, type HistoryBlock, type HistoryMoment, type HistorySample } from './history-block.ts'
import type { HistoryStore } from './history-store.ts'
import { createSecondSummary, type SummarisedFrame } from './second-summary.ts'

/**
 * - `opening`: not known yet.
 * - `kept`: on the tablet's disk.
 * - `full`: the browser gives no more room; the newest are kept in memory until it does.
 * - `memory`: no storage at all; a reload loses them.
 * - `elsewhere`: another tab of this tablet does the recording.
 */
export type HistoryStorage = 'opening' | 'kept' | 'full' | 'memory' | 'elsewhere'

export interface HistoryStatus {
  readonly storage: HistoryStorage
  /** Samples that may be told and are not yet with the relay. */
  readonly unsent: number
  /** Samples that went before they were told or stored, because there was no room. */
  readonly lost: number
}

export interface HistoryRecorderDependencies {
  /** Undefined: there is none. Asked once. */
  readonly openStore: () => Promise<HistoryStore | undefined>
  readonly clock: { now(): number; every(intervalMs: number, callback: () => void): () => void }
  /** A text of 8 to 32 lower-case letters and digits that nobody makes twice. */
  readonly makeId: () => string
  readonly station: () => string
  readonly mayShare: () => boolean
}

export interface HistoryRecorder {
  readonly status: HistoryStatus
  /** Undefined where there is no storage, and before it is open. */
  readonly store: HistoryStore | undefined
  /** Harmless while running. @param isElsewhere another tab records: this one only shows. */
  start(isElsewhere?: boolean): Promise<void>
  /** Writes what is left. Twice is harmless. */
  stop(): Promise<void>
  /** Never throws. */
  take(frame: SummarisedFrame): void
  /** The camera was paused: the stretch ends. */
  endSession(): void
  /** Marks what is shown now. @returns undefined when nothing is being read. */
  mark(): HistoryMoment | undefined
  /** Writes what is not written. Never rejects. */
  flush(): Promise<void>
  /** In their order, from disk and memory. */
  readAfter(seq: number, limit: number): Promise<readonly HistoryBlock[]>
  readBetween(fromMs: number, toMs: number): Promise<readonly HistoryBlock[]>
  readMoments(fromMs: number, toMs: number): Promise<readonly HistoryMoment[]>
  putMoment(moment: HistoryMoment): Promise<void>
  removeMoment(id: string): Promise<void>
  /** The number up to which the relay has all. */
  acknowledged(): number
  acknowledge(block: HistoryBlock): Promise<void>
  /** Forgets everything, in memory and on disk. @returns whether it is gone. */
  erase(): Promise<boolean>
  /** Called at every change, and whenever something was cut that may be told. @returns takes the listener away. */
  onChange(listener: () => void): () => void
}

/** A tablet that slept was not reading. */
const GAP_MS = 120_000
/** Less is a clock that is being trimmed. */
const STEP_BACK_MS = 2_000
const TRIM_EVERY_MS = 10 * 60 * 1000
/** Of what is kept goes when the disk is full, before memory is used. */
const SHARE_WHEN_FULL = 0.1

export function createHistoryRecorder(dependencies: HistoryRecorderDependencies): HistoryRecorder {
  return new Recorder(dependencies)
}

interface Session {
  readonly id: string
  lastTime: number
  moments: number
}

class Recorder implements HistoryRecorder {
  readonly #dependencies: HistoryRecorderDependencies
  readonly #summary = createSecondSummary()
  readonly #changes = createChangeWatch()
  readonly #listeners = new Set<() => void>()
  #status: HistoryStatus = { storage: 'opening', unsent: 0, lost: 0 }
  #store: HistoryStore | undefined
  #next: number | undefined
  #acknowledged = 0
  #session: Session | undefined
  /** Of one session, station and consent; becomes a block. */
  #open: OpenBlock | undefined
  /** Cut and not on disk. */
  #held: HistoryBlock[] = []
  #heldMoments: HistoryMoment[] = []
  /** Ended stretches whose numbers are not known yet: storage is still opening. */
  #uncut: OpenBlock[] = []
  #lastSample: HistorySample | undefined
  /** One write after the other. */
  #writing: Promise<unknown> = Promise.resolve()
  #trimmedAt = Number.NEGATIVE_INFINITY
  #endTimer: (() => void) | undefined
  #isOwner = true

  constructor(dependencies: HistoryRecorderDependencies) {
    this.#dependencies = dependencies
  }

  get status(): HistoryStatus {
    return this.#status
  }

  get store(): HistoryStore | undefined {
    return this.#store
  }

  async start(isElsewhere = false): Promise<void> {
    this.#isOwner = !isElsewhere
    this.#endTimer ??= this.#dependencies.clock.every(HISTORY_LIMITS.blockMs, () => void this.flush())
    this.#store ??= await this.#dependencies.openStore()
    if (isElsewhere) {
      this.#tell({ storage: 'elsewhere' })
      return
    }
    const position = await this.#store?.position()
    // What was told from memory while the disk was full has had its number too.
    this.#next ??= Math.max(position?.next ?? 1, (position?.acknowledged ?? 0) + 1)
    this.#acknowledged = Math.max(this.#acknowledged, position?.acknowledged ?? 0)
    const unsent = (await this.#store?.countUnsent()) ?? 0
    this.#tell({ storage: this.#store === undefined ? 'memory' : 'kept', unsent })
    await this.flush()
  }

  async stop(): Promise<void> {
    this.#endTimer?.()
    this.#endTimer = undefined
    this.endSession()
    await this.flush()
  }

  take(frame: SummarisedFrame): void {
    if (!this.#isOwner || !Number.isFinite(frame.time)) return
    const session = this.#session
    if (session !== undefined && (frame.time < session.lastTime - STEP_BACK_MS || frame.time > session.lastTime + GAP_MS)) this.endSession()
    this.#session ??= { id: this.#dependencies.makeId(), lastTime: frame.time, moments: 0 }
    // A step back of a moment: the second goes on.
    const time = Math.max(frame.time, this.#session.lastTime)
    this.#session.lastTime = time
    const sample = this.#summary.add({ time, faces: frame.faces })
    if (sample !== undefined) this.#keep(sample)
  }

  endSession(): void {
    const last = this.#summary.end()
    if (last !== undefined) this.#keep(last)
    this.#cut()
    this.#session = undefined
    this.#lastSample = undefined
    this.#changes.reset()
  }

  mark(): HistoryMoment | undefined {
    if (this.#session === undefined) return undefined
    const { lastTime } = this.#session
    return this.#addMoment({ kind: 'marked', time: lastTime, ...shownIn(this.#lastSample) })
  }

  async flush(): Promise<void> {
    this.#cut()
    await this.#inTurn(() => this.#write())
  }

  async readAfter(seq: number, limit: number): Promise<readonly HistoryBlock[]> {
    const stored = (await this.#store?.readAfter(seq, limit)) ?? []
    if (stored.length > 0) return stored
    return this.#held.filter(({ first }) => first > seq).slice(0, limit)
  }

  async readBetween(fromMs: number, toMs: number): Promise<readonly HistoryBlock[]> {
    const held = this.#held.filter(({ samples }) => (samples[0]?.time ?? 0) <= toMs && (samples.at(-1)?.time ?? 0) >= fromMs)
    const stored = (await this.#store?.readBetween(fromMs, toMs)) ?? []
    const known = new Set(stored.map(({ first }) => first))
    return [...stored, ...held.filter(({ first }) => !known.has(first))]
  }

  async readMoments(fromMs: number, toMs: number): Promise<readonly HistoryMoment[]> {
    const held = this.#heldMoments.filter(({ time }) => time >= fromMs && time <= toMs)
    const stored = (await this.#store?.readMoments(fromMs, toMs)) ?? []
    const known = new Set(held.map(({ id }) => id))
    return [...stored.filter(({ id }) => !known.has(id)), ...held].sort((one, other) => one.time - other.time)
  }

  async putMoment(moment: HistoryMoment): Promise<void> {
    this.#heldMoments = [...this.#heldMoments.filter(({ id }) => id !== moment.id), moment].slice(-HISTORY_LIMITS.moments)
    await this.flush()
  }

  async removeMoment(id: string): Promise<void> {
    this.#heldMoments = this.#heldMoments.filter((moment) => moment.id !== id)
    await this.#inTurn(async () => this.#store?.removeMoment(id))
  }

  acknowledged(): number {
    return this.#acknowledged
  }

  async acknowledge(block: HistoryBlock): Promise<void> {
    if (lastOf(block) <= this.#acknowledged) return
    this.#acknowledged = lastOf(block)
    if (block.isShared) this.#tell({ unsent: Math.max(0, this.#status.unsent - block.samples.length) })
    // Where it cannot be written, a reload tells again under the same key.
    await this.#inTurn(async () => this.#store?.acknowledge(lastOf(block)))
  }

  async erase(): Promise<boolean> {
    return await this.#inTurn(async () => {
      // The stretch under way ends too: what follows must not be tied to what was erased.
      this.#summary.end()
      this.#changes.reset()
      this.#session = undefined
      this.#lastSample = undefined
      this.#open = undefined
      this.#uncut = []
      this.#held = []
      this.#heldMoments = []
      const isGone = (await this.#store?.erase()) ?? true
      if (!this.#isOwner) return isGone
      if (this.#next !== undefined) this.#acknowledged = this.#next - 1
      this.#tell({ unsent: 0, lost: 0 })
      return isGone
    })
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #keep(sample: HistorySample): void {
    const session = this.#session?.id
    if (session === undefined) return
    const station = this.#dependencies.station()
    const isShared = this.#dependencies.mayShare()
    const open = this.#open
    if (open !== undefined && isEnded(open, { session, station, isShared }, sample.time)) this.#cut()
    this.#open ??= { session, station, isShared, samples: [] }
    this.#open.samples.push(sample)
    this.#lastSample = sample
    const change = this.#changes.add(sample)
    if (change !== undefined) this.#addMoment({ kind: 'change', ...change })
  }

  #addMoment(moment: Omit<HistoryMoment, 'id' | 'session' | 'note'>): HistoryMoment | undefined {
    if (this.#session === undefined) return undefined
    this.#session.moments += 1
    const { id, moments } = this.#session
    const made: HistoryMoment = { ...moment, id: `${id}-${String(moments)}`, session: id, note: '' }
    this.#heldMoments = [...this.#heldMoments, made].slice(-HISTORY_LIMITS.moments)
    this.#tell({})
    return made
  }

  /** Ends the block under way. Numbers are given here, so a block has them for good. */
  #cut(): void {
    const open = this.#open
    this.#open = undefined
    if (open !== undefined && open.samples.length > 0) this.#uncut.push(open)
    if (this.#next === undefined) {
      // Storage opens within seconds, or never.
      this.#uncut = this.#uncut.slice(-HISTORY_LIMITS.heldBlocks)
      return
    }
    if (this.#uncut.length === 0) return
    let unsent = 0
    for (const { session, station, isShared, samples } of this.#uncut.splice(0)) {
      this.#held.push({ first: this.#next, session, station, isShared, samples: [...samples] })
      this.#next += samples.length
      if (isShared) unsent += samples.length
    }
    this.#bound()
    this.#tell({ unsent: this.#status.unsent + unsent })
  }

  /** What has no room in memory goes, the oldest first; what was told and cannot be stored is no loss for the relay, but one for the page. */
  #bound(): void {
    const gone = this.#held.splice(0, Math.max(0, this.#held.length - HISTORY_LIMITS.heldBlocks))
    if (gone.length === 0) return
    const lost = gone.reduce((sum, { samples }) => sum + samples.length, 0)
    const untold = gone.filter((block) => block.isShared && block.first > this.#acknowledged)
    const unsent = untold.reduce((sum, { samples }) => sum + samples.length, 0)
    this.#tell({ lost: this.#status.lost + lost, unsent: Math.max(0, this.#status.unsent - unsent) })
  }

  async #write(): Promise<void> {
    const store = this.#store
    if (store === undefined) return
    await this.#trimWhenDue(store)
    if (!this.#isOwner && this.#heldMoments.length === 0) return
    const blocks = [...this.#held]
    const moments = [...this.#heldMoments]
    let outcome = blocks.length === 0 ? 'stored' : await store.append(blocks)
    if (outcome === 'full' && (await store.trim(this.#dependencies.clock.now(), SHARE_WHEN_FULL)) > 0) outcome = await store.append(blocks)
    if (outcome === 'stored') {
      const written = new Set(blocks)
      this.#held = this.#held.filter((block) => !written.has(block))
    }
    for (const moment of moments) {
      const momentOutcome = outcome === 'stored' ? await store.putMoment(moment) : outcome
      if (momentOutcome === 'stored') this.#heldMoments = this.#heldMoments.filter((held) => held !== moment)
      else outcome = momentOutcome
    }
    if (!this.#isOwner) return
    const storage: HistoryStorage = outcome === 'stored' ? 'kept' : outcome === 'full' ? 'full' : 'memory'
    if (storage !== this.#status.storage) this.#tell({ storage })
  }

  async #trimWhenDue(store: HistoryStore): Promise<void> {
    const now = this.#dependencies.clock.now()
    if (!this.#isOwner || Math.abs(now - this.#trimmedAt) < TRIM_EVERY_MS) return
    this.#trimmedAt = now
    await store.trim(now)
  }

  async #inTurn<Value>(act: () => Promise<Value>): Promise<Value> {
    const turn = this.#writing.then(act)
    this.#writing = turn.catch(() => {})
    return await turn
  }

  #tell(change: Partial<HistoryStatus>): void {
    this.#status = { ...this.#status, ...change }
    for (const listener of [...this.#listeners]) listener()
  }
}

interface OpenBlock {
  readonly session: string
  readonly station: string
  readonly isShared: boolean
  readonly samples: HistorySample[]
}

/** Whether a sample read at that time, under these, begins another block. */
function isEnded(open: OpenBlock, now: Omit<OpenBlock, 'samples'>, time: number): boolean {
  if (open.session !== now.session || open.station !== now.station || open.isShared !== now.isShared) return true
  const startedAt = open.samples[0]?.time ?? time
  return open.samples.length >= HISTORY_LIMITS.blockSamples || time - startedAt >= HISTORY_LIMITS.blockMs
}

function shownIn(sample: HistorySample | undefined): Pick<HistoryMoment, 'emotion'> {
  const emotion = sample?.isCertain === true ? leadingEmotion(sample) : undefined
  return emotion === undefined ? {} : { emotion }
}
