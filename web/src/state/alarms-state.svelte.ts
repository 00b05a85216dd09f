/**
 * How many machines have an alarm, for marks outside the machine pages: on the navigation and on the app's icon. Heard over the page's own
 * link, and only on tablets that have to do with machines. Which alarms and what to do about them is left to the machine pages.
 */
import { isMachineAlarmPayload } from '#shared/generated/guards'
import type { RelayLink } from '../link/relay-link.ts'
import { parseAlarms } from './machine-answers.ts'

export interface AlarmsDependencies {
  readonly link: Pick<RelayLink, 'ask' | 'onMessages' | 'onStatus' | 'status'>
  /** On the app's icon; 0 takes it away. */
  showBadge(count: number): void
}

/** Open alarms held at once; what a relay says beyond that is not counted. */
const MAX_ALARMS = 1024
const QUESTION_DEADLINE_MS = 5000

export class AlarmsState {
  readonly #dependencies: AlarmsDependencies
  #count = $state(0)
  #isFollowing = false
  /** By alarm, the machine that has it. */
  #open = new Map<string, string>()

  constructor(dependencies: AlarmsDependencies) {
    this.#dependencies = dependencies
  }

  /** Machines with an alarm that has not cleared, as last heard; 0 until somebody listens. */
  get count(): number {
    return this.#count
  }

  /** Listens from now on, for as long as the page lives. Harmless when it does. */
  follow(): void {
    if (this.#isFollowing) return
    this.#isFollowing = true
    const { link } = this.#dependencies
    link.onMessages('machine/+/alarm', (data) => {
      this.#take(data)
      this.#tell()
    })
    // Alarms may have come and gone while the relay was away.
    link.onStatus(({ kind }) => {
      if (kind === 'open') void this.#askAll()
    })
    if (link.status.kind === 'open') void this.#askAll()
  }

  async #askAll(): Promise<void> {
    const { link } = this.#dependencies
    const outcome = await link.ask({ to: 'machines', method: 'alarms', data: {}, deadlineMs: QUESTION_DEADLINE_MS })
    const alarms = outcome.kind === 'replied' ? parseAlarms(outcome.data) : undefined
    if (alarms === undefined) return
    this.#open.clear()
    for (const alarm of alarms) this.#take(alarm)
    this.#tell()
  }

  #take(data: unknown): void {
    if (!isMachineAlarmPayload(data)) return
    if (data.state === 'cleared') this.#open.delete(data.alarm)
    else if (this.#open.size < MAX_ALARMS) this.#open.set(data.alarm, data.machine)
  }

  #tell(): void {
    const count = new Set(this.#open.values()).size
    if (count === this.#count) return
    this.#count = count
    this.#dependencies.showBadge(count)
  }
}

export function createAlarmsState(dependencies: AlarmsDependencies): AlarmsState {
  return new AlarmsState(dependencies)
}

/** Badging API; quiet where there is none and where the page is not installed. */
export function showAppBadge(count: number): void {
  const method: unknown = Reflect.get(navigator, count > 0 ? 'setAppBadge' : 'clearAppBadge')
  if (typeof method !== 'function') return
  const shown: unknown = Reflect.apply(method, navigator, count > 0 ? [count] : [])
  if (shown instanceof Promise) shown.catch(() => undefined)
}
