/**
 * The page's one link to the relay: publishes readings, hears those of others, and says at any moment whether the relay is there.
 * Handshake, pauses and resuming are the client's own (shared/client); what is worth publishing is left to `emotion-publisher.ts`.
 */
import { acquireToken } from '#shared/client/acquire-session'
import type { ClientClock } from '#shared/client/client-clock'
import { createRelayClient, type RelayClient, type RequestOptions } from '#shared/client/relay-client'
import type { RequestOutcome } from '#shared/client/pending-requests'
import type { PublishResult } from '#shared/client/publish-outbox'
import { isConsentPayload, isEmotionPayload } from '#shared/generated/guards'
import type { StationConsent, StationTotals } from '#shared/protocol/consent'
import type { EmotionReading } from '#shared/protocol/emotion'
import type { HistoryBatch } from '#shared/protocol/history'
import { allows } from '#shared/model/consent'
import { RELAY_PATH } from '#shared/protocol/protocol'

export type LinkStatus =
  /** The first attempt. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open'; readonly server: string }
  /** It broke or never came about; attempts go on by themselves. `since`: Unix milliseconds. */
  | { readonly kind: 'away'; readonly since: number }
  /** The relay will not have this page; asked again now and then. `code` as in the table of errors. */
  | { readonly kind: 'refused'; readonly code: string }

/** `ageMs`: how old the reading was when it came; above 0 for a last value from before the subscription. */
export type ReadingListener = (reading: EmotionReading, ageMs: number) => void

export interface RelayLink {
  readonly status: LinkStatus
  /** Harmless while running. */
  start(): void
  /** Twice is harmless. */
  stop(): void
  /** Tries at once, as when the network is back. */
  retryNow(): void
  /** Goes out now, or the newest one once the relay is back. */
  publishReading(reading: EmotionReading): void
  /** As a reading. */
  publishTotals(totals: StationTotals): void
  /** Says what the station may send, before anything else it sends. Readings and totals that still wait for the relay and may not go are dropped. */
  declareConsent(consent: StationConsent): void
  /** What counts for the station at the relay. @returns ends it. */
  onConsent(station: string, listener: (consent: StationConsent) => void): () => void
  /** Says what became of it; never rejects. @param key the same for the same batch, also after a reload. */
  publishHistory(batch: HistoryBatch, key: string): Promise<PublishResult>
  /** @param filter as `emotion/#`. @returns ends it. */
  onReadings(filter: string, listener: ReadingListener): () => void
  /** Asks a service of the relay. Never rejects, and never asks twice. */
  ask(question: RequestOptions): Promise<RequestOutcome>
  /** Called at every change. @returns takes the listener away. */
  onStatus(listener: (status: LinkStatus) => void): () => void
}

export interface RelayLinkOptions {
  /** Where the page came from, as `http://localhost:8080`. */
  readonly origin: string
  /** Name and version of the page. */
  readonly program: string
  readonly clock: ClientClock
  /** By default the client of the native protocol. */
  readonly client?: RelayClient
  /** By default a new anonymous session each time. */
  readonly acquireToken?: () => Promise<string>
}

/** The relay said goodbye or will not have us: a tablet on a wall asks again all the same. */
const ASK_AGAIN_MS = 15_000

export function createRelayLink(options: RelayLinkOptions): RelayLink {
  const { clock, origin } = options
  const client =
    options.client ??
    createRelayClient({
      url: toSocketUrl(origin),
      acquireToken: options.acquireToken ?? (() => acquireToken(origin)),
      program: options.program,
      clock,
    })
  const listeners = new Set<(status: LinkStatus) => void>()
  let status: LinkStatus = { kind: 'connecting' }
  let isWanted = false
  let cancelAsking: () => void = () => {}

  function setStatus(next: LinkStatus): void {
    status = next
    for (const listener of [...listeners]) listener(next)
  }

  /** Attempts are part of being away: the person sees one state until the relay is back. */
  function setAway(): void {
    if (status.kind !== 'away') setStatus({ kind: 'away', since: clock.now() })
  }

  function askAgainLater(): void {
    cancelAsking()
    if (isWanted) cancelAsking = clock.after(ASK_AGAIN_MS, () => client.start())
  }

  client.onState((state) => {
    switch (state.name) {
      case 'open':
        setStatus({ kind: 'open', server: state.server })
        break
      case 'waiting':
        setAway()
        break
      case 'closed':
        setAway()
        askAgainLater()
        break
      case 'refused':
        setStatus({ kind: 'refused', code: state.code })
        askAgainLater()
        break
      case 'connecting':
        break
    }
  })

  return {
    get status() {
      return status
    },
    start() {
      isWanted = true
      client.start()
    },
    stop() {
      isWanted = false
      cancelAsking()
      client.stop()
    },
    retryNow() {
      if (!isWanted) return
      client.start()
      client.reconnectNow()
    },
    publishReading(reading) {
      client.publish(`emotion/${reading.station}`, reading)
    },
    publishTotals: (totals) => void client.publish(`totals/${totals.station}`, totals),
    declareConsent(consent) {
      const { station, mode } = consent
      if (!allows(mode, 'readings')) client.dropHeld(`emotion/${station}`)
      if (!allows(mode, 'totals')) client.dropHeld(`totals/${station}`)
      client.publish(`consent/${station}`, consent)
    },
    onConsent: (station, listener) =>
      client.subscribe(`consent/${station}`, ({ data }) => {
        if (isConsentPayload(data)) listener(data)
      }),
    publishHistory: (batch, key) => client.publishAcked(`history/${batch.station}`, batch, { key }),
    onReadings(filter, listener) {
      return client.subscribe(filter, ({ data, time, isRetained }) => {
        // The relay checks what stations publish; a relay of another version may not.
        if (isEmotionPayload(data)) listener(data, isRetained === true ? Math.max(0, clock.now() - time) : 0)
      })
    },
    ask: (question) => client.request(question),
    onStatus(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function toSocketUrl(origin: string): string {
  const url = new URL(RELAY_PATH, origin)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}
