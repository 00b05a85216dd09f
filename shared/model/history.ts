/** How a station's history is cut into pieces. What a piece holds is in protocol/history.ts. */

/** Entries of one batch: a minute, about 7 kB. */
export const HISTORY_BATCH_ENTRIES = 60
