/** A client whose time and tokens are the test's, and ways to wait for what it does. */
import { WebSocket } from 'ws'
import type { ClientProblem } from '#shared/client/client-problem'
import type { LinkState } from '#shared/client/link-state'
import { createRelayClient, type RelayClient, type RelayClientOptions } from '#shared/client/relay-client'
import { createFakeClock, type FakeClock } from './fake-clock.ts'
import type { ScriptedRelay } from './scripted-relay.ts'

export interface ClientBench {
  readonly client: RelayClient
  readonly clock: FakeClock
  readonly problems: ClientProblem[]
  /** Every token handed out: token-1, token-2, … */
  readonly tokens: string[]
}

const started: RelayClient[] = []

/** For `afterEach`. */
export function stopClients(): void {
  for (const client of started.splice(0)) client.stop()
}

export function createBench(relay: ScriptedRelay, options: Partial<RelayClientOptions> = {}): ClientBench {
  const clock = createFakeClock()
  const problems: ClientProblem[] = []
  const tokens: string[] = []
  const client = createRelayClient({
    url: relay.url,
    webSocket: WebSocket,
    clock,
    random: () => 0.5,
    acquireToken: () => {
      tokens.push(`token-${String(tokens.length + 1)}`)
      return Promise.resolve(tokens.at(-1) ?? '')
    },
    onProblem: (failure) => problems.push(failure),
    ...options,
  })
  started.push(client)
  return { client, clock, problems, tokens }
}

/** Resolves once the client is in that state, at once when it is. */
export function stateOf<Name extends LinkState['name']>(client: RelayClient, name: Name): Promise<Extract<LinkState, { name: Name }>> {
  return new Promise((resolve) => {
    const look = (state: LinkState): void => {
      if (!isNamed(state, name)) return
      stopLooking()
      resolve(state)
    }
    const stopLooking = client.onState(look)
    look(client.state)
  })
}

function isNamed<Name extends LinkState['name']>(state: LinkState, name: Name): state is Extract<LinkState, { name: Name }> {
  return state.name === name
}

/** Lets the client, which is waiting, try again at the moment it named. */
export async function waitOut({ client, clock }: ClientBench): Promise<void> {
  const { reconnectAt } = await stateOf(client, 'waiting')
  clock.advance(reconnectAt - clock.now() - 1)
  if (client.state.name !== 'waiting') throw new Error('the client did not wait as long as it said')
  await nextTurns()
  const tries = stateOf(client, 'connecting')
  clock.advance(1)
  await tries
}

/** Lets what is already due on the loop happen; bounded, no wall clock. */
export async function nextTurns(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
