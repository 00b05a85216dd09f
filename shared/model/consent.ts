/** What the person at a station has allowed to leave it, and why faces are read there. Who asks and who enforces is left to others. */

/**
 * From the loosest to the strictest:
 * - `readings`: what is read of each face goes to whoever may listen.
 * - `totals`: only sums over several people and a stretch of time.
 * - `local`: nothing.
 */
export const CONSENT_MODES = ['readings', 'totals', 'local'] as const
export type ConsentMode = (typeof CONSENT_MODES)[number]

/** Why faces are read. Article 5(1)(f) of the EU AI Act forbids the last two at work and in schools. */
export const PURPOSES = ['safety', 'health', 'research', 'demonstration'] as const
export type Purpose = (typeof PURPOSES)[number]

/** What may be asked of a station: something of each face, or sums. */
export type ConsentNeed = Exclude<ConsentMode, 'local'>

/** Whether what needs `need` may leave a station in that mode. */
export function allows(mode: ConsentMode, need: ConsentNeed): boolean {
  return CONSENT_MODES.indexOf(mode) <= CONSENT_MODES.indexOf(need)
}

/** Whether one mode lets less out than the other. */
export function isStricter(one: ConsentMode, other: ConsentMode): boolean {
  return CONSENT_MODES.indexOf(one) > CONSENT_MODES.indexOf(other)
}
