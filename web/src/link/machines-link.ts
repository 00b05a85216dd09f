/**
 * The link of the machine pages: hears how the machines are and asks for what they shall do, with the token somebody gave or as anybody.
 * A question goes out once or not at all, whatever becomes of the line: a command that is sent twice moves a machine twice. Who may command
 * is the relay's decision; keeping the token and showing anything is left to others.
 */
import { acquireToken } from '#shared/client/acquire-session'
import type { ClientClock } from '#shared/client/client-clock'
import type { RequestOutcome } from '#shared/client/pending-requests'
import { createRelayClient, type RelayClient, type RelayClientOptions, type RequestOptions } from '#shared/client/relay-client'
import { isMachineAlarmPayload, isMachineCommandPayload, isMachineHistoryPayload, isMachineStatusPayload } from '#shared/generated/guards'
import type { MachineAlarmEvent, MachineCommandEvent, MachineHistoryPoint, MachineStatus } from '#shared/protocol/machine'
import { RELAY_PATH } from '#shared/protocol/protocol'

export type MachinesLinkStatus =
  /** The first attempt, or the link was closed. */
  | { readonly kind: 'connecting' }
  /** `roles`: as the relay knows this page. */
  | { readonly kind: 'open'; readonly roles: readonly string[] }
  /** It broke or never came about; attempts go on by themselves. `since`: Unix milliseconds. */
  | { readonly kind: 'away'; readonly since: number }
  /** No attempts are made any more. `isToken`: a given token is what the relay will not have. `code` as in the table of errors. */
  | { readonly kind: 'denied'; readonly isToken: boolean; readonly code: string }

export interface MachinesLinkListener {
  onStatus(status: MachinesLinkStatus): void
  /** @param ageMs how old the values were when they came. */
  onMachine(status: MachineStatus, ageMs: number): void
  onCommand(event: MachineCommandEvent): void
  onAlarm(event: MachineAlarmEvent): void
}

export type MachineQuestion = Required<Pick<RequestOptions, 'to' | 'method' | 'data' | 'deadlineMs'>> & Pick<RequestOptions, 'key'>

export interface MachinesLink {
  /** Tells `listener` everything until `close()` or the next `open()`. @param token undefined: as anybody. Held in memory only. */
  open(token: string | undefined, listener: MachinesLinkListener): void
  /** Twice is harmless. The listener hears no more. */
  close(): void
  /** Tries at once, as when the network is back. */
  retryNow(): void
  /** Never rejects, and never asks twice: a line that breaks ends it. */
  ask(question: MachineQuestion): Promise<RequestOutcome>
  /** What the relay has kept of one machine, then what comes. @returns ends it. */
  followHistory(machine: string, onPoint: (point: MachineHistoryPoint) => void): () => void
}

export interface MachinesLinkOptions {
  /** Where the page came from, as `http://localhost:8080`. */
  readonly origin: string
  /** Name and version of the page. */
  readonly program: string
  readonly clock: ClientClock
  /** By default a session as anybody gets it. */
  readonly acquireSession?: () => Promise<string>
  /** By default the client of the native protocol. */
  readonly createClient?: (options: RelayClientOptions) => RelayClient
}

/** The relay said goodbye: whoever stands at a machine wants to know when it is back. */
const ASK_AGAIN_MS = 5000
/** A relay that closes without a word each time it gets the token will not take it the next time. */
const MAX_TOKEN_OFFERS = 5

export function createMachinesLink(options: MachinesLinkOptions): MachinesLink {
  let conversation: Conversation | undefined
  return {
    open(token, listener) {
      conversation?.end()
      conversation = startConversation(options, token, listener)
    },
    close() {
      conversation?.end()
      conversation = undefined
    },
    retryNow: () => conversation?.client.reconnectNow(),
    ask(question) {
      const gone = { kind: 'failed', failure: { code: 'request.target_gone', message: 'The link is closed.' } } as const
      return conversation?.client.request(question) ?? Promise.resolve(gone)
    },
    followHistory(machine, onPoint) {
      const end = conversation?.client.subscribe(
        `machine/${machine}/history`,
        ({ data }) => {
          if (isMachineHistoryPayload(data)) onPoint(data)
        },
        // A chart of the last hour needs nothing that the relay keeps no longer.
        () => {},
        true,
      )
      return () => end?.()
    },
  }
}

interface Conversation {
  readonly client: RelayClient
  end(): void
}

/** One token, one client, one listener: nothing of an earlier conversation reaches a later one. */
function startConversation(options: MachinesLinkOptions, token: string | undefined, listener: MachinesLinkListener): Conversation {
  const { origin, program, clock } = options
  const acquireSession = options.acquireSession ?? (() => acquireToken(origin))
  let status: MachinesLinkStatus = { kind: 'connecting' }
  let offers = 0
  let hasEnded = false
  let cancelAsking: () => void = () => {}

  function become(next: MachinesLinkStatus): void {
    if (hasEnded) return
    status = next
    listener.onStatus(next)
  }
  function end(): void {
    hasEnded = true
    cancelAsking()
    client.stop()
  }
  function deny(code: string): void {
    become({ kind: 'denied', isToken: token !== undefined, code })
    end()
  }
  function setAway(): void {
    if (status.kind !== 'away') become({ kind: 'away', since: clock.now() })
  }
  function offerToken(given: string): Promise<string> {
    // An open link asks too, before the token ends: the relay says whether it may go on with the same one.
    if (status.kind !== 'open') offers += 1
    if (offers <= MAX_TOKEN_OFFERS) return Promise.resolve(given)
    deny('auth.token_invalid')
    return Promise.reject(new Error('The relay closes whenever it gets this token.'))
  }

  const client = (options.createClient ?? createRelayClient)({
    url: toSocketUrl(origin),
    program,
    clock,
    acquireToken: () => (token === undefined ? acquireSession() : offerToken(token)),
    onProblem({ code }) {
      if (token !== undefined && (code === 'auth.token_expired' || code === 'auth.token_invalid')) deny(code)
    },
  })
  client.onState((state) => {
    switch (state.name) {
      case 'open':
        offers = 0
        return become({ kind: 'open', roles: state.roles })
      case 'waiting':
        return setAway()
      case 'closed':
        setAway()
        if (!hasEnded) cancelAsking = clock.after(ASK_AGAIN_MS, () => client.start())
        return
      case 'refused':
        return deny(state.code)
      case 'connecting':
        return
    }
  })
  listenToMachines(client, clock, { ...listener, isOver: () => hasEnded })
  become(status)
  client.start()
  return { client, end }
}

type Ears = Pick<MachinesLinkListener, 'onMachine' | 'onCommand' | 'onAlarm'> & { isOver(): boolean }

/** The relay checks what it says itself; a relay of another version may say more or less than this page understands. */
function listenToMachines(client: RelayClient, clock: ClientClock, ears: Ears): void {
  client.subscribe('machine/+/status', ({ data, time, isRetained }) => {
    if (ears.isOver() || !isMachineStatusPayload(data)) return
    // Both times are the relay's; only a last value from before the subscription is compared with this tablet's clock.
    const heldMs = isRetained === true ? Math.max(0, clock.now() - time) : 0
    ears.onMachine(data, heldMs + Math.max(0, time - data.time))
  })
  client.subscribe('machine/+/command', ({ data }) => {
    if (!ears.isOver() && isMachineCommandPayload(data)) ears.onCommand(data)
  })
  client.subscribe('machine/+/alarm', ({ data }) => {
    if (!ears.isOver() && isMachineAlarmPayload(data)) ears.onAlarm(data)
  })
}

function toSocketUrl(origin: string): string {
  const url = new URL(RELAY_PATH, origin)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}
