/**
 * What the administration page shows: whether somebody is let in, and what the relay last said about itself. It listens only while the
 * page is open. The relay decides who may see it; nothing here grants anything.
 */
import type { MachineStatus } from '#shared/protocol/machine'
import type { PresenceEvent, RelayStats } from '#shared/protocol/relay-report'
import type { AdminLink, AdminLinkStatus, Denial } from '../link/admin-link.ts'
import type { PeerList } from '../link/peer-list.ts'
import { createRatesHistory, type RatesHistory } from './rates-history.ts'
import type { RememberedToken } from './remembered-token.ts'

export type { Denial, MachineStatus, PeerList, RelayStats }

export type AdminView =
  /** Waits for a token. `denied`: why the last one did not do. */
  | { readonly kind: 'locked'; readonly denied?: { readonly denial: Denial; readonly code: string } }
  /** The token was given, the relay has not answered yet. `since`: Unix milliseconds. */
  | { readonly kind: 'opening'; readonly since: number }
  | { readonly kind: 'open'; readonly server: string }
  /** What is shown is what was last heard. `since`: Unix milliseconds. */
  | { readonly kind: 'away'; readonly since: number }

/**
 * - `waiting`: nothing has come yet.
 * - `stale`: something came once, and the relay has said nothing for {@link STALE_AFTER_MS}.
 */
export type Freshness = 'waiting' | 'fresh' | 'stale'

export interface WatchedMachine {
  readonly status: MachineStatus
  /** When its status was published, this tablet's clock, Unix milliseconds. */
  readonly heardAt: number
}

export interface PresenceNote {
  /** Counts up, for lists. */
  readonly id: number
  /** The relay's clock, Unix milliseconds. */
  readonly time: number
  readonly event: PresenceEvent
}

/** What it needs of the browser. */
export interface AdminClock {
  now(): number
  /** Calls back until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void
}

export interface AdminStateDependencies {
  readonly link: AdminLink
  readonly clock: AdminClock
  readonly remembered: RememberedToken
}

/** Reports come once a second: five missing ones are no hiccup. */
export const STALE_AFTER_MS = 5000
export const MAX_MACHINES = 64
/** Joins and leaves further back than this are for the log. */
export const MAX_PRESENCE_NOTES = 20
const TICK_MS = 1000
/** With 10 000 connections the list is long: it is not asked for at every join. */
const PEER_LIST_INTERVAL_MS = 10_000

export class AdminState {
  readonly #link: AdminLink
  readonly #clock: AdminClock
  readonly #remembered: RememberedToken
  readonly #history: RatesHistory = createRatesHistory()
  #view = $state.raw<AdminView>({ kind: 'locked' })
  #stats = $state.raw<RelayStats | undefined>(undefined)
  #statsAt = 0
  #now = $state(0)
  #machines = $state.raw<readonly WatchedMachine[]>([])
  #presence = $state.raw<readonly PresenceNote[]>([])
  #peers = $state.raw<PeerList | undefined>(undefined)
  #noteCount = 0
  #peersAskedAt = 0
  #hasPresenceNews = false
  /** Given and not yet accepted; remembered only once the relay has taken it. */
  #tokenToKeep: string | undefined
  /** Moves at every open: answers to an earlier one are not heard. */
  #round = 0

  constructor({ link, clock, remembered }: AdminStateDependencies) {
    this.#link = link
    this.#clock = clock
    this.#remembered = remembered
  }

  get view(): AdminView {
    return this.#view
  }

  /** The newest report; kept while the relay is away. A new object each time. */
  get stats(): RelayStats | undefined {
    return this.#stats
  }

  /** The reports of the last two minutes. Not reactive: read it again when `stats` changes. */
  get history(): RatesHistory {
    return this.#history
  }

  get freshness(): Freshness {
    if (this.#stats === undefined) return 'waiting'
    return this.#now - this.#statsAt > STALE_AFTER_MS ? 'stale' : 'fresh'
  }

  /** How old the newest report is. */
  get ageMs(): number {
    return Math.max(0, this.#now - this.#statsAt)
  }

  /** Moves once a second while the page is open, so that ages can be shown. Unix milliseconds. */
  get now(): number {
    return this.#now
  }

  /** By name. */
  get machines(): readonly WatchedMachine[] {
    return this.#machines
  }

  /** Who joined and who left, newest first. */
  get presence(): readonly PresenceNote[] {
    return this.#presence
  }

  get peers(): PeerList | undefined {
    return this.#peers
  }

  /** The page is open until the returned function is called. A remembered token is tried at once. */
  start(): () => void {
    this.#now = this.#clock.now()
    const token = this.#remembered.read()
    if (token !== undefined) this.#open(token)
    const stopTicking = this.#clock.every(TICK_MS, () => {
      this.#tick()
    })
    return () => {
      stopTicking()
      this.#lock({ kind: 'locked' })
    }
  }

  /** @param isRemembered whether this tab may keep the token once the relay has taken it. */
  submit(token: string, isRemembered: boolean): void {
    this.#remembered.forget()
    this.#tokenToKeep = isRemembered ? token : undefined
    this.#open(token)
  }

  /** Forgets the token and everything it let us see. */
  leave(): void {
    this.#remembered.forget()
    this.#lock({ kind: 'locked' })
  }

  retryNow(): void {
    this.#link.retryNow()
  }

  #open(token: string): void {
    this.#clear()
    this.#link.open(token, {
      onStatus: (status) => {
        this.#follow(status)
      },
      onStats: (stats) => {
        this.#hearStats(stats)
      },
      onPresence: (event, time) => {
        this.#hearPresence(event, time)
      },
      onMachine: (status, ageMs) => {
        this.#hearMachine(status, ageMs)
      },
    })
  }

  #lock(view: AdminView): void {
    this.#link.close()
    this.#clear()
    this.#tokenToKeep = undefined
    this.#view = view
  }

  #clear(): void {
    this.#round += 1
    this.#history.clear()
    this.#stats = undefined
    this.#machines = []
    this.#presence = []
    this.#peers = undefined
    this.#hasPresenceNews = false
  }

  #follow(status: AdminLinkStatus): void {
    switch (status.kind) {
      case 'opening':
        this.#view = { kind: 'opening', since: this.#clock.now() }
        break
      case 'open':
        if (this.#tokenToKeep !== undefined) this.#remembered.keep(this.#tokenToKeep)
        this.#tokenToKeep = undefined
        this.#view = { kind: 'open', server: status.server }
        void this.#askPeers()
        break
      case 'away':
        this.#view = { kind: 'away', since: status.since }
        break
      case 'denied':
        this.#remembered.forget()
        this.#lock({ kind: 'locked', denied: { denial: status.denial, code: status.code } })
        break
      case 'closed':
        this.#view = { kind: 'locked' }
        break
    }
  }

  #hearStats(stats: RelayStats): void {
    const now = this.#clock.now()
    this.#history.add(now, stats)
    this.#statsAt = now
    this.#now = now
    this.#stats = stats
  }

  #hearMachine(status: MachineStatus, ageMs: number): void {
    const others = this.#machines.filter((machine) => machine.status.machine !== status.machine)
    const oldestFirst = others.sort((one, other) => one.heardAt - other.heardAt)
    const kept = oldestFirst.slice(-(MAX_MACHINES - 1))
    const all = [...kept, { status, heardAt: this.#clock.now() - ageMs }]
    this.#machines = all.sort((one, other) => one.status.name.localeCompare(other.status.name))
  }

  #hearPresence(event: PresenceEvent, time: number): void {
    this.#noteCount += 1
    this.#presence = [{ id: this.#noteCount, time, event }, ...this.#presence].slice(0, MAX_PRESENCE_NOTES)
    this.#hasPresenceNews = true
  }

  #tick(): void {
    this.#now = this.#clock.now()
    const isDue = this.#now - this.#peersAskedAt >= PEER_LIST_INTERVAL_MS
    if (this.#view.kind === 'open' && this.#hasPresenceNews && isDue) void this.#askPeers()
  }

  async #askPeers(): Promise<void> {
    const round = this.#round
    this.#peersAskedAt = this.#clock.now()
    this.#hasPresenceNews = false
    const peers = await this.#link.listPeers()
    if (peers !== undefined && round === this.#round) this.#peers = peers
  }
}

export function createAdminState(dependencies: AdminStateDependencies): AdminState {
  return new AdminState(dependencies)
}
