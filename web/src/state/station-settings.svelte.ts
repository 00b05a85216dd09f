/** What this tablet is called and how often it tells what it reads; remembered on the tablet. */
import type { RememberedSettings } from './remembered-settings.ts'
import { createStationName, isStationName } from './station-name.ts'

/** Readings per second that may be chosen. Changes are always told at once. */
export const PUBLISH_RATES = [1, 2, 5, 10] as const
export type PublishRate = (typeof PUBLISH_RATES)[number]

const DEFAULT_RATE: PublishRate = 5

/** A path on this server, or nothing. Two slashes would name another server. */
export function isManifestPath(text: string): boolean {
  return text === '' || /^\/(?!\/)[\w./-]{1,120}\.json$/.test(text)
}

export class StationSettings {
  readonly #remembered: RememberedSettings
  #name = $state('')
  #rate = $state<PublishRate>(DEFAULT_RATE)
  #manifestPath = $state('')

  constructor(remembered: RememberedSettings, name: string, rate: PublishRate) {
    this.#remembered = remembered
    this.#name = name
    this.#rate = rate
    const manifestPath = remembered.read('emotion-manifest') ?? ''
    if (isManifestPath(manifestPath)) this.#manifestPath = manifestPath
  }

  /** Same-origin address of the manifest of another emotion network, for the next start of the page; empty for the one that ships. */
  get manifestPath(): string {
    return this.#manifestPath
  }

  /** @returns false, and nothing changes, when the text is neither empty nor such an address. */
  setManifestPath(text: string): boolean {
    const trimmed = text.trim()
    if (!isManifestPath(trimmed)) return false
    this.#manifestPath = trimmed
    this.#remembered.write('emotion-manifest', trimmed)
    return true
  }

  get name(): string {
    return this.#name
  }

  /** Readings per second. */
  get rate(): PublishRate {
    return this.#rate
  }

  /** @returns false, and nothing changes, when the name is not one. */
  rename(name: string): boolean {
    const trimmed = name.trim()
    if (!isStationName(trimmed)) return false
    this.#name = trimmed
    this.#remembered.write('station', trimmed)
    return true
  }

  setRate(rate: PublishRate): void {
    this.#rate = rate
    this.#remembered.write('rate', String(rate))
  }
}

/** @param fraction uniform in [0, 1); picks the default name, which is remembered at once. */
export function createStationSettings(remembered: RememberedSettings, fraction: number): StationSettings {
  const rememberedName = remembered.read('station')
  const name = rememberedName !== undefined && isStationName(rememberedName) ? rememberedName : createStationName(fraction)
  if (name !== rememberedName) remembered.write('station', name)
  const rememberedRate = Number(remembered.read('rate'))
  return new StationSettings(remembered, name, PUBLISH_RATES.find((rate) => rate === rememberedRate) ?? DEFAULT_RATE)
}
