/** Every bound of the history file. */
export const STORAGE_LIMITS = {
  /** The file; also what may come into memory at the next start. */
  fileBytes: 256 * 1024 * 1024,
  /** Topics whose numbers are kept. Beyond, the longest unused is forgotten and the next start begins a new epoch. */
  topics: 65_536,
  /** Publications that wait while the disk is slow; beyond, `append` says no at once. */
  queuedCount: 16_384,
  /** Characters of their payloads. */
  queuedChars: 32 * 1024 * 1024,
  /** Publications in one commit. */
  batchCount: 4_096,
  /** After a failure the file is tried again after the first pause, then after twice that, up to the longest. */
  firstRetryMs: 250,
  longestRetryMs: 2_000,
  /** How often topics nobody writes to are looked at for their age. */
  sweepMs: 10_000,
  /** `close` takes no longer, whatever the disk does. */
  closeMs: 1_500,
} as const

export type StorageLimits = { readonly [Name in keyof typeof STORAGE_LIMITS]: number }
