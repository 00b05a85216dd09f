/**
 * What the history is made of, and how much of it there may be. A block is the unit of everything: written at once, told at once under
 * one key, erased at once. It never changes once it is cut.
 */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { HISTORY_BATCH_ENTRIES } from '#shared/model/history'
import type { HistoryBatch, HistoryEntry } from '#shared/protocol/history'

/** One second of reading. Nothing of a face but what it looked like. */
export interface HistorySample {
  /** This tablet's clock at the beginning of the second, Unix milliseconds. */
  readonly time: number
  /** The most faces in view at once, 0 to 16. */
  readonly faces: number
  /** Whether most pictures of the nearest face were clear. */
  readonly isCertain: boolean
  /** Mean probabilities of the nearest face in whole percent, in the order of `EMOTIONS`; undefined when nobody was in view. */
  readonly percents: readonly number[] | undefined
}

export interface HistoryBlock {
  /** Number of the first sample; the others count on. Never used twice by this tablet's storage, whatever its clock does. */
  readonly first: number
  /** One stretch of reading: made by chance when it begins, kept by nothing else. */
  readonly session: string
  /** The name the tablet went by. */
  readonly station: string
  /** Whether it may be told; decided when it was read, and not later. */
  readonly isShared: boolean
  /** 1 to `HISTORY_LIMITS.blockSamples`, in the order of time. */
  readonly samples: readonly HistorySample[]
}

/** Something worth coming back to: marked by a person, or an expression that changed and stayed. */
export interface HistoryMoment {
  readonly id: string
  readonly session: string
  /** Unix milliseconds. */
  readonly time: number
  readonly kind: 'marked' | 'change'
  /** What was clearly shown then. */
  readonly emotion?: EmotionName
  /** What a person wrote about it; stays on this tablet. */
  readonly note: string
}

export const HISTORY_LIMITS = {
  /** A block is cut at the latest when its first sample is so old. */
  blockMs: 10_000,
  blockSamples: HISTORY_BATCH_ENTRIES,
  /** Samples kept on the tablet; some 40 MB. More: the oldest go. */
  entries: 1_000_000,
  /** Older ones go. */
  ageMs: 31 * 24 * 60 * 60 * 1000,
  /** Blocks that wait in memory while storage is full or out of reach: two hours. More: the oldest go. */
  heldBlocks: 720,
  /** More: the oldest go. */
  moments: 2_000,
  /** Characters. */
  note: 200,
} as const

export function lastOf({ first, samples }: HistoryBlock): number {
  return first + samples.length - 1
}

/** The most probable class; undefined when nobody was in view. */
export function leadingEmotion({ percents }: HistorySample): EmotionName | undefined {
  if (percents === undefined) return undefined
  return EMOTIONS[percents.indexOf(Math.max(...percents))]
}

/** As it is told. The same block always gives the same batch, or a key would stand for two. */
export function toBatch(block: HistoryBlock): HistoryBatch {
  const { first, session, station, samples } = block
  return { station, session, first, last: lastOf(block), entries: samples.map((sample, index) => toEntry(first + index, sample)) }
}

/** Names the batch for the relay: the session is made by chance, so no other tablet and no other day has it. */
export function toKey({ session, first }: HistoryBlock): string {
  return `history-${session}-${String(first)}`
}

function toEntry(seq: number, sample: HistorySample): HistoryEntry {
  const { time, faces, isCertain, percents } = sample
  const emotion = leadingEmotion(sample)
  if (percents === undefined || emotion === undefined) return { seq, time, faces }
  return { seq, time, faces, emotion, isCertain, percents: [...percents] }
}
