/** What goes between the event loop and the thread that owns the history file: plain data only, it is copied. */
import type { DeliveryClass, HistoryLimits } from '#shared/protocol/topics'
import type { StoredPublication } from '../ports.ts'

/** What the thread is started with. */
export interface StorageThreadData {
  readonly file: string
  /** The file does not grow beyond this. */
  readonly maxBytes: number
  readonly maxTopics: number
}

/** seq, epoch, delivery, time (Unix milliseconds), json, key. */
export type StoredRow = readonly [number, string, DeliveryClass, number, string, string | null]

/** What one commit says about one topic. */
export interface TopicBatch {
  readonly topic: string
  readonly limits: HistoryLimits
  /** A `latest` message is among the rows: what was stored before it no longer matters. */
  readonly replacesAll: boolean
  /** The highest number in use, also where its message could not be kept. */
  readonly lastSeq: number
  /** In the order of their numbers. */
  readonly rows: readonly StoredRow[]
}

export type ToStorageThread =
  | { readonly kind: 'open' }
  /** Answers `opened`. `limits` belong to its `topics`, one each. */
  | { readonly kind: 'load'; readonly newEpoch: string; readonly limits: readonly HistoryLimits[]; readonly now: number }
  | { readonly kind: 'commit'; readonly batch: readonly TopicBatch[]; readonly now: number }
  /** Answered as a commit: does the file take writes? */
  | { readonly kind: 'probe' }
  | { readonly kind: 'sweep'; readonly now: number }
  | { readonly kind: 'close'; readonly isOrderly: boolean }

/** The start of the file's numbering in this process. */
export interface LoadedStart {
  readonly epoch: string
  readonly crashedEpoch: string | undefined
  readonly lastSeqs: readonly (readonly [string, number])[]
}

export type FromStorageThread =
  | { readonly kind: 'opened'; readonly topics: readonly string[] }
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'rows'; readonly rows: readonly StoredPublication[] }
  | ({ readonly kind: 'loaded' } & LoadedStart)
  | { readonly kind: 'committed' }
  | { readonly kind: 'failed'; readonly problem: string }
  | { readonly kind: 'closed' }
