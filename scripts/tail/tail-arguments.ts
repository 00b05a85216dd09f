/** The command line of `npm run tail` as values. Knows no process. */
import { parseArgs } from 'node:util'
import { parseTopicFilter } from '#shared/protocol/topic-filter'

export interface TailArguments {
  /** Where the relay answers plain requests; the socket's address follows from it. */
  readonly url: URL
  readonly filter: string
  readonly isJson: boolean
}

export type TailArgumentsResult =
  | { readonly ok: true; readonly value: TailArguments }
  /** `help`: asked for; otherwise what was wrong. */
  | { readonly ok: false; readonly isHelp: boolean; readonly text: string }

export const TAIL_USAGE = `Prints what the relay's topics say, as it happens.

  npm run tail -- [--url http://localhost:8080] [--topic 'emotion/#'] [--json]

  --url    the relay; also accepted without the option's name
  --topic  a topic or filter: + stands for one level, a final # for one or more
  --json   one JSON message per line, for other programs
`

export function parseTailArguments(words: readonly string[]): TailArgumentsResult {
  try {
    const { values, positionals } = parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true })
    if (values.help === true) return { ok: false, isHelp: true, text: TAIL_USAGE }
    const address = values.url ?? positionals[0] ?? 'http://localhost:8080'
    const url = parseHttpUrl(address)
    if (url === undefined) return refuse(`"${address}" is no address like http://localhost:8080.`)
    const filter = values.topic ?? 'emotion/#'
    const parsed = parseTopicFilter(filter)
    if (!parsed.ok) return refuse(`"${filter}" is no topic filter: ${parsed.failure.message}`)
    return { ok: true, value: { url, filter, isJson: values.json === true } }
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'The options are wrong.')
  }
}

const OPTIONS = {
  url: { type: 'string' },
  topic: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

function parseHttpUrl(address: string): URL | undefined {
  if (!/^https?:\/\//.test(address)) return undefined
  try {
    return new URL(address)
  } catch {
    return undefined
  }
}

function refuse(problem: string): TailArgumentsResult {
  return { ok: false, isHelp: false, text: `${problem}\n\n${TAIL_USAGE}` }
}
