/**
 * What the machine pages show and what may be asked of a machine now. It listens only while the pages are open. The relay decides who may
 * command; nothing here grants anything, and nothing here is ever sent a second time.
 */
import type { MachineAlarmEvent, MachineCommandEvent, MachineHistoryPoint, MachineInfo, MachineStatus } from '#shared/protocol/machine'
import type { MachinesLink, MachinesLinkStatus } from '../link/machines-link.ts'
import { findObstacle, mayCommandAs, type MachineAction, type Obstacle } from './machine-condition.ts'
import { parseAlarms, parseLease, parseMachineList } from './machine-answers.ts'
import type { RememberedToken } from './remembered-token.ts'

export type { MachineAlarmEvent, MachineCommandEvent, MachineHistoryPoint, MachineInfo, MachineStatus, MachinesLinkStatus }

export interface ShownMachine {
  readonly machine: string
  readonly name: string
  readonly positions: number
  /** The number on the first bucket. */
  readonly firstBucket: number
  /** Undefined until it has been heard. */
  readonly status: MachineStatus | undefined
  /** When its values were read, this tablet's clock, Unix milliseconds. */
  readonly readAt: number
}

/** What became of the last thing this page asked of a machine. */
export type Outcome =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'taken' }
  /** `code` as in the table of errors. */
  | { readonly kind: 'failed'; readonly code: string }

/** What it needs of the browser. */
export interface MachinesClock {
  now(): number
  /** Calls back until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void
}

export interface MachinesStateDependencies {
  readonly link: MachinesLink
  readonly clock: MachinesClock
  readonly remembered: RememberedToken
  /** A text that no other page makes. */
  readonly makeKey: () => string
}

export const MAX_MACHINES = 256
export const MAX_ALARMS = 256
export const MAX_POINTS = 1_024
export const LEASE_SECONDS = 600
const TICK_MS = 500
/** The relay answers a command once the machine was seen to obey: time to hand it over and to look. */
const COMMAND_DEADLINE_MS = 25_000
const QUESTION_DEADLINE_MS = 5_000

export class MachinesState {
  readonly #link: MachinesLink
  readonly #clock: MachinesClock
  readonly #remembered: RememberedToken
  readonly #makeKey: () => string
  #linkStatus = $state.raw<MachinesLinkStatus>({ kind: 'connecting' })
  #infos = $state.raw<readonly MachineInfo[] | undefined>(undefined)
  #problem = $state.raw<string | undefined>(undefined)
  #heard = $state.raw<ReadonlyMap<string, { readonly status: MachineStatus; readonly readAt: number }>>(new Map())
  #commands = $state.raw<ReadonlyMap<string, MachineCommandEvent>>(new Map())
  #alarms = $state.raw<readonly MachineAlarmEvent[]>([])
  #outcomes = $state.raw<ReadonlyMap<string, Outcome>>(new Map())
  #leases = $state.raw<ReadonlyMap<string, number>>(new Map())
  #points = $state.raw<readonly MachineHistoryPoint[]>([])
  #denied = $state.raw<string | undefined>(undefined)
  #hasToken = $state(false)
  #now = $state(0)
  /** Given and not yet accepted; remembered only once the relay has taken it. */
  #tokenToKeep: string | undefined
  /** Moves at every open: answers to an earlier one are not heard. */
  #round = 0
  /** Counts up: only what was asked last has an outcome to show. */
  #asked = 0
  #followed: string | undefined
  #endHistory: () => void = () => {}

  constructor({ link, clock, remembered, makeKey }: MachinesStateDependencies) {
    this.#link = link
    this.#clock = clock
    this.#remembered = remembered
    this.#makeKey = makeKey
  }

  get link(): MachinesLinkStatus {
    return this.#linkStatus
  }

  get isOnline(): boolean {
    return this.#linkStatus.kind === 'open'
  }

  get mayCommand(): boolean {
    return this.#linkStatus.kind === 'open' && mayCommandAs(this.#linkStatus.roles)
  }

  /** Whether a token somebody gave is in use. */
  get hasToken(): boolean {
    return this.#hasToken
  }

  /** Why the token given last did not do, as a code. */
  get denied(): string | undefined {
    return this.#denied
  }

  /** Moves twice a second while the pages are open, so that ages can be shown. Unix milliseconds. */
  get now(): number {
    return this.#now
  }

  /** By name. Undefined until the relay has said which there are; kept while it is away. */
  get machines(): readonly ShownMachine[] | undefined {
    return this.#infos?.map((info) => this.#show(info))
  }

  /** Why there is no list, as a code. */
  get problem(): string | undefined {
    return this.#problem
  }

  find(machine: string): ShownMachine | undefined {
    const info = this.#infos?.find((candidate) => candidate.machine === machine)
    return info === undefined ? undefined : this.#show(info)
  }

  /** Of one machine, the newest first. */
  alarmsOf(machine: string): readonly MachineAlarmEvent[] {
    return this.#alarms.filter((alarm) => alarm.machine === machine).sort((one, other) => other.raisedAt - one.raisedAt)
  }

  /** The newest step of the newest command, whoever sent it. */
  commandOf(machine: string): MachineCommandEvent | undefined {
    return this.#commands.get(machine)
  }

  outcomeOf(machine: string): Outcome | undefined {
    return this.#outcomes.get(machine)
  }

  /** Of the machine whose history is followed, oldest first. */
  get points(): readonly MachineHistoryPoint[] {
    return this.#points
  }

  isLeaseMine(machine: string): boolean {
    const until = this.#leases.get(machine)
    return until !== undefined && until === this.#heard.get(machine)?.status.lease?.until
  }

  /** What keeps this page from asking that now. */
  obstacleTo(action: MachineAction, machine: string): Obstacle | undefined {
    const { isOnline, mayCommand } = this
    return findObstacle({ isOnline, mayCommand, status: this.#heard.get(machine)?.status, isLeaseMine: this.isLeaseMine(machine) }, action)
  }

  /** The pages are open until the returned function is called. A remembered token is tried at once. */
  start(): () => void {
    this.#now = this.#clock.now()
    this.#open(this.#remembered.read())
    const stopTicking = this.#clock.every(TICK_MS, () => {
      this.#now = this.#clock.now()
    })
    return () => {
      stopTicking()
      this.#round += 1
      this.#tokenToKeep = undefined
      this.#link.close()
    }
  }

  /** Follows one machine's history until the returned function is called. */
  follow(machine: string): () => void {
    this.#followed = machine
    this.#listenToHistory()
    return () => {
      this.#followed = undefined
      this.#endHistory()
      this.#points = []
    }
  }

  /** @param isRemembered whether this tab may keep the token once the relay has taken it. */
  submit(token: string, isRemembered: boolean): void {
    this.#remembered.forget()
    this.#tokenToKeep = isRemembered ? token : undefined
    this.#denied = undefined
    this.#open(token)
  }

  /** Forgets the token and goes on as anybody. */
  leave(): void {
    this.#remembered.forget()
    this.#tokenToKeep = undefined
    this.#denied = undefined
    this.#open(undefined)
  }

  retryNow(): void {
    this.#link.retryNow()
  }

  /** @param position 0-based. */
  async move(machine: string, position: number): Promise<void> {
    if (this.obstacleTo('move', machine) === undefined) await this.#command(machine, 'move', { position })
  }

  /** Asks whatever is in the way but a missing link and right. */
  async stop(machine: string): Promise<void> {
    if (this.obstacleTo('stop', machine) === undefined) await this.#command(machine, 'stop', {})
  }

  async reset(machine: string): Promise<void> {
    if (this.obstacleTo('reset', machine) === undefined) await this.#command(machine, 'reset', {})
  }

  async acknowledge({ machine, alarm }: MachineAlarmEvent): Promise<void> {
    if (this.mayCommand) await this.#command(machine, 'acknowledge', { alarm })
  }

  async lease(machine: string): Promise<void> {
    if (this.obstacleTo('lease', machine) !== undefined) return
    const lease = parseLease(await this.#command(machine, 'lease', { seconds: LEASE_SECONDS }))
    if (lease !== undefined) this.#leases = new Map(this.#leases).set(machine, lease.until)
  }

  async release(machine: string): Promise<void> {
    if (this.obstacleTo('lease', machine) === undefined) await this.#command(machine, 'release', {})
  }

  #show({ machine, name, positions, firstBucket }: MachineInfo): ShownMachine {
    const heard = this.#heard.get(machine)
    return { machine, name, positions, firstBucket, status: heard?.status, readAt: heard?.readAt ?? 0 }
  }

  /** Sent once. What its answer says is told, what it does is heard on the machine's topics. @returns the answer's data. */
  async #command(machine: string, method: string, data: object): Promise<unknown> {
    const round = this.#round
    this.#asked += 1
    const asked = this.#asked
    const tell = (outcome: Outcome): void => {
      if (round === this.#round && asked === this.#asked) this.#outcomes = new Map(this.#outcomes).set(machine, outcome)
    }
    tell({ kind: 'waiting' })
    const key = this.#makeKey()
    const outcome = await this.#link.ask({ to: `machine/${machine}`, method, data, key, deadlineMs: COMMAND_DEADLINE_MS })
    if (outcome.kind === 'replied') {
      tell({ kind: 'taken' })
      return round === this.#round ? outcome.data : undefined
    }
    tell({ kind: 'failed', code: outcome.kind === 'failed' ? outcome.failure.code : 'server.internal' })
    return undefined
  }

  /** Each connection has subscriptions of its own. */
  #listenToHistory(): void {
    this.#endHistory()
    this.#points = []
    if (this.#followed === undefined) return
    this.#endHistory = this.#link.followHistory(this.#followed, (point) => {
      this.#points = [...this.#points, point].slice(-MAX_POINTS)
    })
  }

  #open(token: string | undefined): void {
    this.#round += 1
    this.#hasToken = token !== undefined
    this.#leases = new Map()
    this.#link.open(token, {
      onStatus: (status) => {
        this.#followLink(status)
      },
      onMachine: (status, ageMs) => {
        this.#now = this.#clock.now()
        const heard = new Map(this.#heard).set(status.machine, { status, readAt: this.#now - ageMs })
        if (heard.size <= MAX_MACHINES) this.#heard = heard
      },
      onCommand: (event) => {
        const commands = new Map(this.#commands).set(event.machine, event)
        if (commands.size <= MAX_MACHINES) this.#commands = commands
      },
      onAlarm: (event) => {
        const others = this.#alarms.filter(({ alarm }) => alarm !== event.alarm)
        this.#alarms = event.state === 'cleared' ? others : [...others, event].slice(-MAX_ALARMS)
      },
    })
    this.#listenToHistory()
  }

  #followLink(status: MachinesLinkStatus): void {
    this.#now = this.#clock.now()
    this.#linkStatus = status
    switch (status.kind) {
      case 'open':
        if (this.#tokenToKeep !== undefined) this.#remembered.keep(this.#tokenToKeep)
        this.#tokenToKeep = undefined
        void this.#askWhatThereIs()
        return
      case 'away':
        // It ended with the connection.
        this.#leases = new Map()
        return
      case 'denied':
        if (!status.isToken) return
        this.#remembered.forget()
        this.#tokenToKeep = undefined
        this.#denied = status.code
        this.#open(undefined)
        return
      case 'connecting':
        return
    }
  }

  async #askWhatThereIs(): Promise<void> {
    const round = this.#round
    const ask = (method: string) => this.#link.ask({ to: 'machines', method, data: {}, deadlineMs: QUESTION_DEADLINE_MS })
    const [list, alarms] = await Promise.all([ask('list'), ask('alarms')])
    if (round !== this.#round) return
    const infos = list.kind === 'replied' ? parseMachineList(list.data) : undefined
    if (infos !== undefined) this.#infos = infos
    this.#problem = infos !== undefined ? undefined : list.kind === 'failed' ? list.failure.code : 'server.internal'
    const open = alarms.kind === 'replied' ? parseAlarms(alarms.data) : undefined
    if (open !== undefined) this.#alarms = open
  }
}

export function createMachinesState(dependencies: MachinesStateDependencies): MachinesState {
  return new MachinesState(dependencies)
}
