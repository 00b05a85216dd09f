/**
 * A second link to the relay for whoever looks after it: opened with their own token, it hears what the relay says about itself and
 * about the machines, and nothing else. Who may do that is the relay's decision; this file only tells how it decided. Keeping the
 * token and showing anything is left to others.
 */
import type { ClientClock } from '#shared/client/client-clock'
import { createRelayClient, type RelayClient, type RelayClientOptions } from '#shared/client/relay-client'
import { isMachineStatusPayload, isPresencePayload, isStatsPayload } from '#shared/generated/guards'
import type { MachineStatus } from '#shared/protocol/machine'
import { RELAY_PATH } from '#shared/protocol/protocol'
import type { PresenceEvent, RelayStats } from '#shared/protocol/relay-report'
import { parsePeerList, type PeerList } from './peer-list.ts'

/**
 * Why the relay does not show its reports.
 * - `wrong-token`: it never knew the token.
 * - `expired`: it took the token before and takes it no longer.
 * - `not-admin`: the token is good, its owner may not see this.
 * - `refused`: anything else; `code` says what.
 */
export type Denial = 'wrong-token' | 'expired' | 'not-admin' | 'refused'

export type AdminLinkStatus =
  /** No token was given, or the link was closed. */
  | { readonly kind: 'closed' }
  /** The relay has not answered yet. */
  | { readonly kind: 'opening' }
  | { readonly kind: 'open'; readonly server: string }
  /** It was open and broke; attempts go on by themselves. `since`: Unix milliseconds. */
  | { readonly kind: 'away'; readonly since: number }
  /** No attempts are made any more. `code` as in the table of errors. */
  | { readonly kind: 'denied'; readonly denial: Denial; readonly code: string }

export interface AdminLinkListener {
  onStatus(status: AdminLinkStatus): void
  onStats(stats: RelayStats): void
  /** @param time when it happened, the relay's clock, Unix milliseconds. */
  onPresence(event: PresenceEvent, time: number): void
  /** @param ageMs how old the status was when it came. */
  onMachine(status: MachineStatus, ageMs: number): void
}

export interface AdminLink {
  /** Tells `listener` everything until `close()` or the next `open()`. The token is held in memory only. */
  open(token: string, listener: AdminLinkListener): void
  /** Twice is harmless. The listener hears no more. */
  close(): void
  /** Tries at once, as when the network is back. */
  retryNow(): void
  /** Who is there now; undefined when the relay could not say. */
  listPeers(): Promise<PeerList | undefined>
}

export interface AdminLinkOptions {
  /** Where the page came from, as `http://localhost:8080`. */
  readonly origin: string
  /** Name and version of the page. */
  readonly program: string
  readonly clock: ClientClock
  /** By default the client of the native protocol. */
  readonly createClient?: (options: RelayClientOptions) => RelayClient
}

const STATS = '$relay/stats'
const PRESENCE = '$relay/presence'
const MACHINES = 'machine/+/status'
/** The relay said goodbye: somebody who watches it wants to know when it is back. */
const ASK_AGAIN_MS = 5000
/** A relay that closes without a word each time it gets the token will not take it the next time. */
const MAX_TOKEN_OFFERS = 5

export function createAdminLink(options: AdminLinkOptions): AdminLink {
  const create = options.createClient ?? createRelayClient
  let conversation: Conversation | undefined
  return {
    open(token, listener) {
      conversation?.end()
      conversation = startConversation(options, create, { token, listener })
    },
    close() {
      conversation?.end()
      conversation = undefined
    },
    retryNow: () => conversation?.client.reconnectNow(),
    async listPeers() {
      const outcome = await conversation?.client.request({ to: 'relay', method: 'presence.list' })
      return outcome?.kind === 'replied' ? parsePeerList(outcome.data) : undefined
    },
  }
}

interface Conversation {
  readonly client: RelayClient
  end(): void
}

interface Partner {
  readonly token: string
  readonly listener: AdminLinkListener
}

/** One token, one client, one listener: nothing of an earlier conversation reaches a later one. */
function startConversation(
  { origin, program, clock }: AdminLinkOptions,
  create: (options: RelayClientOptions) => RelayClient,
  { token, listener }: Partner,
): Conversation {
  let status: AdminLinkStatus = { kind: 'closed' }
  let wasOpen = false
  let hasStats = false
  let offers = 0
  let hasEnded = false
  let cancelAsking: () => void = () => {}

  function become(next: AdminLinkStatus): void {
    if (hasEnded) return
    status = next
    listener.onStatus(next)
  }

  function end(): void {
    hasEnded = true
    cancelAsking()
    client.stop()
  }

  function deny(denial: Denial, code: string): void {
    if (hasEnded) return
    become({ kind: 'denied', denial, code })
    end()
  }

  /** The first attempts are still opening: the person waits for the first answer. */
  function setAway(): void {
    if (wasOpen && status.kind !== 'away') become({ kind: 'away', since: clock.now() })
  }

  function onProblem({ code }: { readonly code: string }): void {
    if (code === 'auth.token_expired') deny('expired', code)
    else if (code === 'auth.token_invalid') deny(wasOpen ? 'expired' : 'wrong-token', code)
    // A policy may refuse one topic of several: that is no reason to look away from the others.
    else if (code === 'auth.forbidden' && !hasStats) deny('not-admin', code)
  }

  const client = create({
    url: toSocketUrl(origin),
    program,
    clock,
    onProblem,
    acquireToken: () => {
      // An open link asks too, before the token ends: the relay says whether it may go on with the same one.
      if (status.kind !== 'open') offers += 1
      if (offers <= MAX_TOKEN_OFFERS) return Promise.resolve(token)
      deny(wasOpen ? 'expired' : 'wrong-token', 'auth.token_invalid')
      return Promise.reject(new Error('The relay closes whenever it gets this token.'))
    },
  })

  client.onState((state) => {
    if (hasEnded) return
    switch (state.name) {
      case 'open':
        if (!state.roles.includes('admin')) return deny('not-admin', 'auth.forbidden')
        offers = 0
        wasOpen = true
        return become({ kind: 'open', server: state.server })
      case 'waiting':
        return setAway()
      case 'closed':
        setAway()
        cancelAsking = clock.after(ASK_AGAIN_MS, () => client.start())
        return
      case 'refused':
        return deny('refused', state.code)
      case 'connecting':
        return
    }
  })
  // The relay checks what it says itself; a relay of another version may say more or less than this page understands.
  client.subscribe(STATS, ({ data }) => {
    if (hasEnded || !isStatsPayload(data)) return
    hasStats = true
    listener.onStats(data)
  })
  client.subscribe(PRESENCE, ({ data, time }) => {
    if (!hasEnded && isPresencePayload(data)) listener.onPresence(data, time)
  })
  client.subscribe(MACHINES, ({ data, time, isRetained }) => {
    if (hasEnded || !isMachineStatusPayload(data)) return
    listener.onMachine(data, isRetained === true ? Math.max(0, clock.now() - time) : 0)
  })

  become({ kind: 'opening' })
  client.start()
  return { client, end }
}

function toSocketUrl(origin: string): string {
  const url = new URL(RELAY_PATH, origin)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}
