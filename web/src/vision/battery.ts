/** The battery as the browser tells it (Battery Status API; Chromium only). Elsewhere nothing is known and nothing is told. */
import type { BatteryReport } from './reading-pace.ts'

interface BatteryManager extends EventTarget {
  readonly charging: boolean
  readonly level: number
}

/** @param browser as `navigator`. @returns stops telling. */
export function watchBattery(browser: object, onReport: (report: BatteryReport) => void): () => void {
  const getBattery: unknown = Reflect.get(browser, 'getBattery')
  if (typeof getBattery !== 'function') return () => {}
  const ending = new AbortController()
  void follow(Promise.resolve(Reflect.apply(getBattery, browser, [])))
  return () => ending.abort()

  async function follow(asked: Promise<unknown>): Promise<void> {
    // Refused where a policy says so.
    const battery = await asked.catch(() => undefined)
    if (!isBatteryManager(battery) || ending.signal.aborted) return
    const report = (): void => onReport({ isCharging: battery.charging, level: battery.level })
    for (const event of ['chargingchange', 'levelchange']) battery.addEventListener(event, report, { signal: ending.signal })
    report()
  }
}

function isBatteryManager(value: unknown): value is BatteryManager {
  return (
    value instanceof EventTarget && typeof Reflect.get(value, 'charging') === 'boolean' && typeof Reflect.get(value, 'level') === 'number'
  )
}
