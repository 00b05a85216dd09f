/** The command line of `npm run bench:relay`. */
import { parseArgs } from 'node:util'
import type { Contestant } from './contestant.ts'
import { findContestant, ROSTER } from './contestants/roster.ts'
import { SCENARIO_NAMES, type ScenarioName } from './scenarios.ts'

export interface Options {
  readonly isQuick: boolean
  readonly rounds: number
  readonly contestants: readonly Contestant[]
  readonly scenarios: readonly ScenarioName[]
  /** Everything, in full: worth keeping. */
  readonly isWhole: boolean
}

export const USAGE = [
  'npm run bench:relay -- [--quick] [--rounds N] [--contestants LIST] [--scenarios LIST]',
  `  contestants  ${ROSTER.map(({ name }) => name).join(', ')}`,
  `  scenarios    ${SCENARIO_NAMES.join(', ')}`,
  'Lists are separated by commas. Results are written only by a whole run, without any of these.',
].join('\n')

/** @returns undefined when the words make no sense. */
export function parseOptions(words: readonly string[]): Options | undefined {
  const values = readWords(words)
  const contestants = toList(values?.contestants, ROSTER, findContestant)
  const scenarios = toList(values?.scenarios, SCENARIO_NAMES, (name) => SCENARIO_NAMES.find((known) => known === name))
  if (values === undefined || contestants === undefined || scenarios === undefined) return undefined
  const isQuick = values.quick ?? false
  const rounds = Number(values.rounds ?? (isQuick ? 1 : 3))
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 20) return undefined
  const isWhole = !isQuick && values.rounds === undefined && values.contestants === undefined && values.scenarios === undefined
  return { isQuick, rounds, contestants, scenarios, isWhole }
}

interface Words {
  readonly quick?: boolean | undefined
  readonly rounds?: string | undefined
  readonly contestants?: string | undefined
  readonly scenarios?: string | undefined
}

function readWords(words: readonly string[]): Words | undefined {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        contestants: { type: 'string' },
        scenarios: { type: 'string' },
      },
    })
    return values
  } catch {
    return undefined
  }
}

function toList<Item>(
  text: string | undefined,
  all: readonly Item[],
  find: (name: string) => Item | undefined,
): readonly Item[] | undefined {
  if (text === undefined) return all
  const found = text.split(',').map(find)
  const known = found.filter((item) => item !== undefined)
  return known.length === found.length ? known : undefined
}
