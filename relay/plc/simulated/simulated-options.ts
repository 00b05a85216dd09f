/** What a machines file may say of a simulated carousel: `{"wandering": "never"}`. */

/** Whether it moves without being told to. */
export const WANDERING = ['untilCommanded', 'always', 'never'] as const
export type Wandering = (typeof WANDERING)[number]

type Options = Readonly<Record<string, unknown>>

export function readWandering(options: Options): Wandering {
  return WANDERING.find((known) => known === options['wandering']) ?? 'untilCommanded'
}

export function checkSimulatedOptions(options: Options): readonly string[] {
  const mistakes = Object.keys(options)
    .filter((name) => name !== 'wandering')
    .map((name) => `${name}: a simulated machine has no such option; it has wandering.`)
  const { wandering } = options
  const isKnown = wandering === undefined || WANDERING.some((known) => known === wandering)
  return isKnown ? mistakes : [...mistakes, `wandering: expected one of ${WANDERING.join(', ')}.`]
}
