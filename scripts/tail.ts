/**
 * `npm run tail` prints the live stream in the terminal. Comes back by itself when the relay goes away; ends on Ctrl-C.
 * What the lines look like says `tail/tail-lines.ts`.
 */
import { WebSocket } from 'ws'
import { acquireSession, acquireToken } from '#shared/client/acquire-session'
import type { LinkState } from '#shared/client/link-state'
import { createRelayClient } from '#shared/client/relay-client'
import { RELAY_PATH } from '#shared/protocol/protocol'
import { parseTailArguments, type TailArguments } from './tail/tail-arguments.ts'
import { paintForTerminal, paintNothing, toTailLines } from './tail/tail-lines.ts'

const parsed = parseTailArguments(process.argv.slice(2))
if (parsed.ok) await tail(parsed.value)
else {
  ;(parsed.isHelp ? process.stdout : process.stderr).write(parsed.text)
  process.exitCode = parsed.isHelp ? 0 : 2
}

async function tail({ url, filter, isJson }: TailArguments): Promise<void> {
  const session = await acquireSession(url.href)
  if (!session.ok) {
    say(`No relay answers at ${url.origin}. Start one with "npm start", or name another with --url. (${session.failure.message})`)
    process.exitCode = 1
    return
  }
  let token: string | undefined = session.value.token
  const client = createRelayClient({
    url: toSocketUrl(url),
    webSocket: WebSocket,
    program: 'semblante-tail',
    acquireToken: () => {
      const first = token
      token = undefined
      return first === undefined ? acquireToken(url.href) : Promise.resolve(first)
    },
    onProblem: ({ code, message }) => {
      say(`${code}: ${message}`)
    },
  })
  const paint = process.stdout.isTTY && process.env.NO_COLOR === undefined ? paintForTerminal : paintNothing
  client.subscribe(filter, (message) => {
    const lines = isJson ? [JSON.stringify(message)] : toTailLines(message, paint)
    process.stdout.write(`${lines.join('\n')}\n`)
  })
  client.onState((state) => {
    describe(state, { url, filter })
  })
  const end = (): void => {
    client.stop()
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  // The reader of a pipe left, as `| head` does.
  process.stdout.once('error', end)
  client.start()
}

/** What happens to the link goes to standard error, so that standard output holds the stream alone. */
function describe(state: LinkState, { url, filter }: Pick<TailArguments, 'url' | 'filter'>): void {
  if (state.name === 'open') say(`Listening to ${filter} at ${url.origin} (${state.server}). Ctrl-C ends.`)
  if (state.name === 'waiting') say(`The relay at ${url.origin} is away; trying again.`)
  if (state.name === 'refused') {
    say(`The relay at ${url.origin} refuses this client: ${state.code}.`)
    process.exitCode = 1
  }
}

function toSocketUrl(url: URL): string {
  const socketUrl = new URL(RELAY_PATH, url)
  socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return socketUrl.href
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}
